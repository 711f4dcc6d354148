"""MFA of a user: the switch, and a temporary bypass."""

import re
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api.accounts import links
from pingone_integration.sandbox.api.endpoint import Call, iso, no_content, parse_time, permits
from pingone_integration.sandbox.models import User


@permits("dir:read:user")
def read_mfa_enabled(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return {"_links": links(call, user, "mfaEnabled"), "mfaEnabled": user.mfa_enabled}


@permits("mfa:update:userMfa")
def set_mfa_enabled(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    enabled = call.body().get("mfaEnabled")
    if not isinstance(enabled, bool):
        raise errors.invalid_value("mfaEnabled", "Must be true or false.")
    if user.mfa_enabled != enabled:
        user.mfa_enabled, user.updated_at = enabled, call.now
        user.save()
        record(call, "USER.UPDATED", "MFA enabled" if enabled else "MFA disabled", user)
    return {"_links": links(call, user, "mfaEnabled"), "mfaEnabled": user.mfa_enabled}


@permits("dir:read:user")
def read_bypass(call: Call, user_id: UUID) -> dict[str, Any]:
    return _bypass_body(call, call.user(user_id))


@permits("mfa:update:userMfa")
def set_bypass(call: Call, user_id: UUID) -> dict[str, Any]:
    """Set the end of the bypass. A date in the past ends it."""
    user = call.user(user_id)
    sent = call.body().get("bypassMFAEnabledUntil")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(sent)):
        raise errors.invalid_value("bypassMFAEnabledUntil", "Must be written as 2026-11-24T00:00:00.000Z.")
    user.bypass_mfa_until = parse_time(sent, "bypassMFAEnabledUntil")
    user.save()
    record(call, "USER.UPDATED", "MFA bypass changed", user)
    return _bypass_body(call, user)


@permits("mfa:update:userMfa")
def end_bypass(call: Call, user_id: UUID) -> HttpResponse:
    user = call.user(user_id)
    user.bypass_mfa_until = None
    user.save()
    record(call, "USER.UPDATED", "MFA bypass ended", user)
    return no_content()


def _bypass_body(call: Call, user: User) -> dict[str, Any]:
    body: dict[str, Any] = {"_links": links(call, user, "bypassMFA")}
    if user.bypass_mfa_until and user.bypass_mfa_until > call.now:
        body |= {"bypassMFAEnabled": True, "bypassMFAEnabledUntil": iso(user.bypass_mfa_until)}
    return body
