"""Every URL of the console, filled in for Acme, with the access check (`door`) of its view."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, SlugConverter, UUIDConverter

FOR_EVERYBODY = "anybody may come to sign in or out"


FOR_OPERATORS = "allauth asks for a sign-in first"


ALLAUTH = {
    "account_login": FOR_EVERYBODY,
    "account_logout": FOR_EVERYBODY,
    "account_inactive": FOR_EVERYBODY,
    "account_signup": "closed by a URL before it",
    "account_email": "closed by a URL before it",
    "account_email_verification_sent": "closed by a URL before it",
    "account_confirm_email": "closed by a URL before it",
    "account_set_password": "closed by a URL before it",
    "account_confirm_login_code": "closed by a URL before it",
    "account_request_reauthentication_code": "closed by a URL before it",
    "account_confirm_reauthentication_code": "closed by a URL before it",
    "account_reset_password": FOR_EVERYBODY,
    "account_reset_password_done": FOR_EVERYBODY,
    "account_reset_password_from_key": FOR_EVERYBODY,
    "account_reset_password_from_key_done": FOR_EVERYBODY,
    "account_reauthenticate": FOR_OPERATORS,
    "account_change_password": FOR_OPERATORS,
    "mfa_index": FOR_OPERATORS,
    "mfa_authenticate": "the second step of signing in",
    "mfa_login_webauthn": FOR_EVERYBODY,
    "mfa_reauthenticate": FOR_OPERATORS,
    "mfa_reauthenticate_webauthn": FOR_OPERATORS,
    "mfa_activate_totp": FOR_OPERATORS,
    "mfa_deactivate_totp": FOR_OPERATORS,
    "mfa_view_recovery_codes": FOR_OPERATORS,
    "mfa_generate_recovery_codes": FOR_OPERATORS,
    "mfa_download_recovery_codes": FOR_OPERATORS,
    "mfa_list_webauthn": FOR_OPERATORS,
    "mfa_add_webauthn": FOR_OPERATORS,
    "mfa_edit_webauthn": FOR_OPERATORS,
    "mfa_remove_webauthn": FOR_OPERATORS,
    "usersessions_list": FOR_OPERATORS,
}


SOME_ID = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")


class Address(NamedTuple):
    """One URL pattern, filled in for Acme."""

    name: str
    path: str
    door: str  # set by org_view, operator_view or public_view; empty if the view has no such decorator


def addresses(resolver: URLResolver | None = None, prefix: str = "", values: Any = None) -> Iterator[Address]:
    resolver = resolver or get_resolver(settings.ROOT_URLCONF)
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route, {**(values or {}), **entry.pattern.converters})
        elif isinstance(entry, URLPattern):
            known = {**(values or {}), **entry.pattern.converters}
            yield Address(entry.name or route, filled(route, known), getattr(entry.callback, "door", ""))


def filled(route: str, converters: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "org":
            return "acme"
        converter = converters.get(name)
        if isinstance(converter, UUIDConverter):
            return str(SOME_ID)
        if isinstance(converter, SlugConverter):
            return "auditor"  # a role
        return "1" if isinstance(converter, IntConverter) else "user.unlock"

    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).replace("^", "").replace("$", "")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", value, route)


EVERY_ADDRESS = list(addresses())


OURS = [address for address in EVERY_ADDRESS if address.name not in ALLAUTH]
