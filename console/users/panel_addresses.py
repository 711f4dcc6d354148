"""The addresses of a user's panels, which load beside the page that has read the user.

For an operator who sees some populations only, that page signs them for this operator and user, with the population
that the user was in. So a panel needs no further call to know that it may be shown, and nobody can make up an address.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from console.access import OrgAccess
from pingone_integration.users import User
from pingone_integration.values import identifier

FIELD = "seen"  # in the query
CLOSED = "closed"  # in the query: the page offers no action on this user. For display alone: `perform` decides
VALID_FOR = timedelta(minutes=10)


def signature(access: OrgAccess, user: User) -> str:
    """Return the signature for a user just read, "" for an operator who needs none."""
    return _signer(access, user.id).sign(str(user.population_id)) if access.is_narrowed else ""


def is_signed(access: OrgAccess, user_id: UUID, sent: str) -> bool:
    """Return whether the operator may see the user because of this signature, or sees all populations anyway."""
    if not access.is_narrowed:
        return True
    try:
        population = _signer(access, user_id).unsign(sent, max_age=VALID_FOR)
    except BadSignature:
        return False
    return access.sees_population(identifier(population))


def panel_url(access: OrgAccess, user_id: UUID, key: str, signed: str, *, is_closed: bool, cursor: str = "") -> str:
    told = {"cursor": cursor} if cursor else {}
    return _with(reverse("user-panel", args=[access.org.slug, user_id, key]), signed, told, is_closed=is_closed)


def standing_url(access: OrgAccess, user_id: UUID, signed: str, *, is_closed: bool) -> str:
    return _with(reverse("user-standing", args=[access.org.slug, user_id]), signed, {}, is_closed=is_closed)


def sent_url(access: OrgAccess, user_id: UUID, signed: str, *, is_closed: bool, mark: str) -> str:
    """Return the address of what was sent to the user; `mark`: of what the page shows of it."""
    return _with(reverse("sent-reset", args=[access.org.slug, user_id]), signed, {"was": mark}, is_closed=is_closed)


def _with(url: str, signed: str, query: dict[str, str], *, is_closed: bool) -> str:
    told = urlencode(query | ({FIELD: signed} if signed else {}) | ({CLOSED: "1"} if is_closed else {}))
    return f"{url}?{told}" if told else url


def _signer(access: OrgAccess, user_id: UUID) -> TimestampSigner:
    return TimestampSigner(salt=f"console.users.panels {access.org.pk} {access.operator.pk} {user_id}")
