"""The guard of the choice of environment: valid for one session, operator, organization and approval, for ten minutes.

A list that was loaded before PingOne was connected again must not choose for the new connection.
"""

from django.core import signing
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from console.models import Organization
from console.sessions.store import BEGAN

GOOD_FOR_S = 600
_SALT = "console.environment-choice"


def bound_to(request: HttpRequest, organization: Organization) -> str:
    """Digest sign-in, operator and organization, which every step of Connect has in common. A sign-out ends them."""
    bearer = f"{request.session.get(BEGAN)}/{request.user.pk}/{organization.pk}"
    return salted_hmac("console.connect", bearer, algorithm="sha256").hexdigest()


def guard_of(request: HttpRequest, organization: Organization) -> str:
    """Return the signed value for the form."""
    return signing.dumps(_facts(request, organization), salt=_SALT)


def is_valid(guard: str, request: HttpRequest, organization: Organization) -> bool:
    try:
        signed = signing.loads(guard, salt=_SALT, max_age=GOOD_FOR_S)
    except signing.BadSignature:  # also expired
        return False
    return bool(signed == _facts(request, organization))


def _facts(request: HttpRequest, organization: Organization) -> list[str]:
    return [bound_to(request, organization), str(organization.connection.consented_at)]
