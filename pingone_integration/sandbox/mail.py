"""The codes that PingOne would email, and the outbox that stores them."""

import secrets
import string

from pingone_integration.sandbox.models import Mail, User

_ALPHABET = string.ascii_uppercase + string.digits


def new_code() -> str:
    """Return a code of 8 alphanumeric characters, as in PingOne."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def send(user: User, subject: str, body: str) -> None:
    """Store an email to the user, unless the user has no address."""
    if user.email:
        Mail.objects.create(environment=user.environment, user_id=user.id, to=user.email, subject=subject, body=body)
