"""The claims about a user in ID tokens and at the userinfo endpoint."""

from typing import Any

from authlib.oidc.core import UserInfo

from pingone_integration.sandbox.models import User


def user_claims(user: User, scope: str) -> dict[str, Any]:
    """Return the standard claims in `scope` for which the user has a value."""
    profile = user.profile
    name = profile.get("name", {})
    parts = [name.get("given"), name.get("family")]
    claims = {
        "sub": str(user.id),
        "name": name.get("formatted") or " ".join(part for part in parts if part),
        "given_name": name.get("given"),
        "middle_name": name.get("middle"),
        "family_name": name.get("family"),
        "nickname": profile.get("nickname"),
        "preferred_username": user.username,
        "picture": profile.get("photo", {}).get("href"),
        "zoneinfo": profile.get("timezone"),
        "locale": profile.get("locale"),
        "updated_at": int(user.updated_at.timestamp()),
        "email": user.email,
        "email_verified": user.email_verified if user.email else None,
        "phone_number": profile.get("primaryPhone"),
        "address": _address(profile.get("address", {})),
    }
    return dict(UserInfo({key: value for key, value in claims.items() if value not in (None, "")}).filter(scope))


def _address(address: dict[str, str]) -> dict[str, str] | None:
    spelled = {
        "street_address": address.get("streetAddress"),
        "locality": address.get("locality"),
        "region": address.get("region"),
        "postal_code": address.get("postalCode"),
        "country": address.get("countryCode"),
    }
    return {key: value for key, value in spelled.items() if value} or None
