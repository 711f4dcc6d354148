"""PingOne users: reading, searching, activating, unlocking, moving, and the data that decides about sign-in."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, has_items
from pingone_integration.errors import Unavailable
from pingone_integration.values import (
    Json,
    flag,
    identifier,
    json_object,
    moment,
    pingone_time,
    printable,
    text,
    whole_number,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Name:
    """A user's name in its parts; an absent part is empty."""

    given: str = ""
    middle: str = ""
    family: str = ""
    formatted: str = ""
    prefix: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.given, self.family) if part.strip()) or self.formatted.strip()

    @property
    def whole(self) -> str:
        """Return the name with the middle name."""
        parts = (self.given, self.middle, self.family)
        return " ".join(part for part in parts if part.strip()) or self.formatted.strip()


@dataclass(frozen=True, kw_only=True)
class Address:
    """A user's postal address; an absent part is empty."""

    street: str = ""
    locality: str = ""
    region: str = ""
    postal_code: str = ""
    country_code: str = ""

    @property
    def lines(self) -> list[str]:
        town = " ".join(part for part in (self.postal_code, self.locality) if part)
        return [line for line in (*self.street.splitlines(), town, self.region, self.country_code) if line.strip()]


@dataclass(frozen=True, kw_only=True)
class User:
    """The part of a PingOne user that is used here; an absent text is empty, an absent time None."""

    id: UUID
    username: str
    name: Name
    email: str
    email_verified: bool | None  # None if PingOne does not say
    primary_phone: str
    mobile_phone: str

    enabled: bool | None  # here and below: None if PingOne does not say
    is_locked: bool | None
    locked_at: datetime | None  # may be absent for a lock by failed passwords
    unlock_at: datetime | None  # None if not locked, or if only an administrator can unlock
    seconds_until_unlock: int | None
    lifecycle: str  # ACCOUNT_OK, VERIFICATION_REQUIRED, or a newer value
    mfa_enabled: bool | None
    password_status: str  # e.g. PASSWORD_LOCKED_OUT; also in lists; empty if PingOne does not say
    verify_status: str  # of ID verification, not of the email address

    identity_provider: str  # PING_ONE, or the type of an external one
    identity_provider_id: UUID | None  # None for PingOne itself
    has_signed_on: bool | None  # False if PingOne names no sign-on at all
    last_sign_on_at: datetime | None
    last_sign_on_from: str  # IP address
    created_at: datetime | None
    updated_at: datetime | None

    population_id: UUID | None
    population_name: str  # empty if PingOne sent only the ID

    title: str
    nickname: str
    type: str
    locale: str
    preferred_language: str
    timezone: str
    address: Address
    account_id: str
    external_id: str
    photo_url: str
    custom: Mapping[str, Any]  # the environment's own attributes, in PingOne's order
    group_ids: frozenset[UUID] | None = None  # only if read by `get`; None if PingOne does not say, or not legibly

    @property
    def display_name(self) -> str:
        """Return a name to show, never empty."""
        return str(self.name) or self.username or self.email or str(self.id)

    @property
    def must_verify(self) -> bool:
        return self.lifecycle == "VERIFICATION_REQUIRED"

    @property
    def has_external_identity_provider(self) -> bool:
        """Return whether another provider, not PingOne, keeps the password."""
        return self.identity_provider != "PING_ONE"


def get(api: PingOneApi, user_id: UUID) -> User:
    """Read a user. Raises NotFound, also if the administrator may not see the user's population.

    Source: PingOne API reference, Users > Read One User (read 2026-11): it does not say whether `memberOfGroupIDs` has
    indirect memberships.
    """
    found = user_of(api.get(f"/users/{user_id}", {"expand": "population", "include": "memberOfGroupIDs"}))
    if found is None or found.id != user_id:  # something in between may answer with what another call got
        raise Unavailable("not the user who was asked for")
    return found


def search(api: PingOneApi, *, filter: str = "", limit: int = 25, cursor: str | None = None) -> Page[User]:  # noqa: A002
    """Return a page of the users that match a SCIM filter (empty: all users), in PingOne's order.

    It may be shorter than `limit`, even empty, and still have a next page.
    Raises InvalidValue if PingOne refuses the filter, StaleCursor if it no longer accepts the cursor.
    Source: PingOne API reference, Users > Read All Users (read 2026-11).
    """
    query: dict[str, str | int] = {"limit": limit, "expand": "population"}
    if filter:
        query["filter"] = filter
    return api.get_page("/users", "users", user_of, query=query, cursor=cursor)


def is_administrator(api: PingOneApi, user_id: UUID) -> bool:
    """Return whether the user holds an administrator role directly, not through a group.

    Source: PingOne API reference, Platform > User Role Assignments (read 2026-11).
    """
    return has_items(api.get(f"/users/{user_id}/roleAssignments"), "roleAssignments")


def activate(api: PingOneApi, user_id: UUID) -> None:
    """Activate a user. For a moment afterwards, PingOne may refuse to unlock the account (415).

    Source: PingOne API reference, Users > User Accounts > Enable Users (read 2026-11).
    """
    api.put(f"/users/{user_id}/enabled", {"enabled": True})


def deactivate(api: PingOneApi, user_id: UUID) -> None:
    """Deactivate a user. PingOne also ends their refresh tokens.

    Source: PingOne API reference, Users > User Accounts > Enable Users (read 2026-11).
    """
    api.put(f"/users/{user_id}/enabled", {"enabled": False})


def unlock(api: PingOneApi, user_id: UUID) -> None:
    """Lift the account lock, so that the user can sign in again. For the password lock, see passwords.unlock.

    PingOne also resets the MFA lockout counter. Raises RefusedByState if PingOne refuses the media type.
    Source: PingOne API reference, Users > User Accounts > User Account Unlock (read 2026-11).
    """
    api.post(f"/users/{user_id}", media_type="application/vnd.pingidentity.account.unlock+json")


def lock(api: PingOneApi, user_id: UUID, *, until: datetime) -> None:
    """Lock the account until a time in the future. With a time in the past, PingOne does not lock.

    Source: PingOne API reference, Users > User Accounts > User Account Lock (read 2026-11).
    """
    api.post(
        f"/users/{user_id}",
        {"unlockAt": pingone_time(until)},
        media_type="application/vnd.pingidentity.account.lock+json",
    )


def move(api: PingOneApi, user_id: UUID, *, population_id: UUID) -> None:
    """Move to another population. Its password policy applies, and groups of the old population are lost.

    Source: PingOne API reference, Users > User Populations > Update User Population (read 2026-11).
    """
    api.put(f"/users/{user_id}/population", {"id": str(population_id)})


def send_email_verification(api: PingOneApi, user_id: UUID) -> None:
    """Email the user a code that verifies the address. It is valid for a day; only the latest code counts.

    Not by the account's older sendVerificationCode, which makes a healthy user VERIFICATION_REQUIRED.
    Source: PingOne API reference, Users > User Email Verification (read 2026-11).
    """
    api.post(
        f"/users/{user_id}/emailVerification",
        {"notificationType": "user"},
        media_type="application/vnd.pingidentity.user.emailVerification.send+json",
    )


def delete(api: PingOneApi, user_id: UUID) -> None:
    """Delete permanently. Raises NotFound if the user is already gone.

    Source: PingOne API reference, Users > Delete User (read 2026-11).
    """
    api.delete(f"/users/{user_id}")


def user_of(body: Json) -> User | None:
    """Parse a user, or return None without an ID. All other values may be absent or of a wrong type."""
    user_id = identifier(body.get("id"))
    if user_id is None:
        logger.warning("PingOne sent a user without a usable id")
        return None
    account = json_object(body.get("account"))
    address = json_object(body.get("address"))
    identity_provider = json_object(body.get("identityProvider"))
    last_sign_on = json_object(body.get("lastSignOn"))
    name = json_object(body.get("name"))
    population = json_object(body.get("population"))
    expanded = json_object(json_object(body.get("_embedded")).get("population")) or population
    locked = {"LOCKED": True, "OK": False}.get(text(account.get("status")))
    signed_on_at = moment(last_sign_on.get("at"))
    return User(
        id=user_id,
        username=text(body.get("username")),
        name=Name(
            given=text(name.get("given")),
            middle=text(name.get("middle")),
            family=text(name.get("family")),
            formatted=text(name.get("formatted")),
            prefix=text(name.get("honorificPrefix")),
            suffix=text(name.get("honorificSuffix")),
        ),
        email=text(body.get("email")),
        email_verified=flag(body.get("emailVerified")),
        primary_phone=text(body.get("primaryPhone")),
        mobile_phone=text(body.get("mobilePhone")),
        enabled=flag(body.get("enabled")),
        is_locked=locked,
        locked_at=moment(account.get("lockedAt")),
        unlock_at=moment(account.get("unlockAt")) if locked else None,
        seconds_until_unlock=whole_number(account.get("secondsUntilUnlock")) if locked else None,
        lifecycle=text(json_object(body.get("lifecycle")).get("status")),
        mfa_enabled=flag(body.get("mfaEnabled")),
        password_status=text(json_object(json_object(body.get("_embedded")).get("password")).get("status")),
        verify_status=text(body.get("verifyStatus")),
        identity_provider=text(identity_provider.get("type")) or "PING_ONE",
        identity_provider_id=identifier(identity_provider.get("id")),
        has_signed_on=True if signed_on_at else None if "lastSignOn" in body else False,
        last_sign_on_at=signed_on_at,
        last_sign_on_from=text(last_sign_on.get("remoteIp")),
        created_at=moment(body.get("createdAt")),
        updated_at=moment(body.get("updatedAt")),
        population_id=identifier(population.get("id")) or identifier(expanded.get("id")),
        population_name=text(expanded.get("name")),
        title=text(body.get("title")),
        nickname=text(body.get("nickname")),
        type=text(body.get("type")),
        locale=text(body.get("locale")),
        preferred_language=text(body.get("preferredLanguage")),
        timezone=text(body.get("timezone")),
        address=Address(
            street=text(address.get("streetAddress")),
            locality=text(address.get("locality")),
            region=text(address.get("region")),
            postal_code=text(address.get("postalCode")),
            country_code=text(address.get("countryCode")),
        ),
        account_id=text(body.get("accountId")),
        external_id=text(body.get("externalId")),
        photo_url=text(json_object(body.get("photo")).get("href")),
        group_ids=_ids(body.get("memberOfGroupIDs")),
        custom={text(key): printable(value) for key, value in body.items() if key not in _BUILT_IN},
    )


def _ids(listed: Any) -> frozenset[UUID] | None:
    if not isinstance(listed, list):
        return None
    ids = [identifier(one) for one in listed]
    return None if None in ids else frozenset(one for one in ids if one)


# The attributes that PingOne defines: all others are from the environment's own schema.
_BUILT_IN = frozenset(
    """
    _embedded _links account accountId address createdAt email emailVerified enabled environment externalId id
    identityProvider lastSignOn lifecycle locale memberOfGroupIDs memberOfGroupNames mfaEnabled mobilePhone name
    nickname password photo population preferredLanguage primaryPhone timezone title type updatedAt username
    verifyStatus
    """.split()  # noqa: SIM905 - reads better than thirty quoted names
)
