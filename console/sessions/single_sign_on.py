"""What a browser session keeps of a sign-in by single sign-on, for those who ask how the operator signed in."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from console.models import LinkedIdentity, Membership, Operator
from console.session_slot import SessionSlot


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """The provider vouched for this operator in this browser session."""

    operator: str  # ID
    issuer: str
    second_factor: bool
    end_session_endpoint: str


def keep(request: HttpRequest, vouched: Vouched) -> None:
    _slot(request).set(asdict(vouched))


def vouched_for(request: HttpRequest, operator: Any) -> Vouched | None:
    """Return how the provider vouched for this operator here, or None if it did not: for another, or not today's."""
    kept = _slot(request).get()
    if not kept or kept["operator"] != str(operator.pk) or kept["issuer"] != settings.OIDC_ISSUER:
        return None
    return Vouched(**kept)


def has_second_factor(request: HttpRequest, operator: Any) -> bool:
    """Return whether the provider asked this operator for a second factor in this browser session."""
    vouched = vouched_for(request, operator)
    return vouched is not None and vouched.second_factor


def is_demanded(request: HttpRequest, operator: Operator, membership: Membership | None = None) -> bool:
    """Return whether the operator has to sign in by the provider first.

    The server demands it, or the organization, or the membership itself: what groups gave is good for as long as the
    provider says so, whatever password the account has by now. Without a provider nobody could: then nothing is
    demanded. A break-glass account is for when the provider is down.
    """
    demands = settings.OIDC_ONLY or (
        membership is not None and (membership.organization.single_sign_on_demanded or membership.is_by_groups)
    )
    if not (settings.OIDC_ISSUER and demands) or operator.is_break_glass:
        return False
    return vouched_for(request, operator) is None


def is_linked(operator: Any) -> bool:
    """Return whether the provider can vouch for the operator: a query, if there is a provider."""
    if not settings.OIDC_ISSUER:
        return False
    return LinkedIdentity.objects.filter(operator=operator, issuer=settings.OIDC_ISSUER).exists()


def address(back_to: str = "") -> str:
    """Return the page from which the operator leaves for the provider."""
    page = reverse("single-sign-on-start")
    return f"{page}?{urlencode({'next': back_to})}" if back_to else page


def _slot(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "single-sign-on")
