"""What a verified ID token, and the userinfo that completes it, says about a person."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from pingone_integration.values import text

LONGEST = 255  # characters of a subject or a group; OpenID Connect Core 1.0, 2: "MUST NOT exceed 255 ASCII characters"
MOST_GROUPS = 2_000


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person as the provider knows them: by issuer and subject, never by their email address."""

    issuer: str
    subject: str
    email: str  # "" unless the provider says that it is theirs
    name: str
    groups: frozenset[str]
    signed_in_at: datetime | None  # `auth_time`: when they last proved who they are; None if not said
    acr: str
    amr: frozenset[str]
    end_session_endpoint: str  # "" if there is none

    @property
    def has_second_factor(self) -> bool:
        """Return whether the provider asked for what counts as a second factor here, and says when."""
        counts = self.acr in settings.OIDC_SECOND_FACTOR_ACR or not self.amr.isdisjoint(settings.OIDC_SECOND_FACTOR_AMR)
        return counts and self.signed_in_at is not None


def identity_of(claims: dict[str, Any], *, end_session_endpoint: str) -> Identity | None:
    """Return the identity, or None without a usable subject."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        return None
    vouched = claims.get("email_verified") in {True, "true"} or settings.OIDC_EMAILS_VERIFIED
    return Identity(
        issuer=claims["iss"],
        subject=subject,
        email=text(claims.get("email")).strip().lower() if vouched else "",
        name=text(claims.get("name")).strip()[:150],
        groups=_words(claims.get(settings.OIDC_GROUPS_CLAIM)),
        signed_in_at=_moment(claims.get("auth_time")),
        acr=text(claims.get("acr")),
        amr=_words(claims.get("amr")),
        end_session_endpoint=end_session_endpoint,
    )


def _words(claim: Any) -> frozenset[str]:
    """Return a claim that is a list of texts, or one text."""
    listed = claim if isinstance(claim, list) else [claim]
    return frozenset(one for one in listed[:MOST_GROUPS] if isinstance(one, str) and 0 < len(one) <= LONGEST)


def _moment(claim: Any) -> datetime | None:
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        return None
