"""Codes that PingOne mails, and the outbox where they can be read instead."""

import secrets
import string

from pingone_integration.sandbox.models import Mail, User

_ALPHABET = string.ascii_uppercase + string.digits


def new_code() -> str:
    """8 alphanumeric characters, as PingOne makes them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def send(user: User, subject: str, body: str) -> None:
    """To the user's address; without one nothing is sent."""
    if user.email:
        Mail.objects.create(environment=user.environment, user_id=user.id, to=user.email, subject=subject, body=body)
