"""The checks of a connection, for an organization of the console: run, and put in words for support."""

from importlib.metadata import version
from platform import python_version
from typing import Any

import django
from django.utils import timezone

from console.callback_address import redirect_uri
from console.models import Organization
from pingone_integration.checks import Result, State, Subject
from pingone_integration.errors import InvalidApiUrl
from pingone_integration.models import Connection
from pingone_integration.regions import api_url_for


def subject_of(organization: Organization, *, renewal_asked_for: bool = False) -> Subject:
    """What the checks look at: the connection as it is now."""
    connection = Connection.objects.get(pk=organization.connection_id)
    return Subject(connection, redirect_uri(), renewal_asked_for=renewal_asked_for)


def as_json(results: list[Result]) -> dict[str, Any]:
    return {
        "passed": not any(result.state == State.FAILED for result in results),
        "checks": [
            {
                "key": result.check.key,
                "title": result.check.title,
                "state": result.state.value,
                "seconds": round(result.seconds, 3),
                "text": result.finding.text,
                "advice": result.finding.advice,
                "kind": result.finding.kind,
                "ids": dict(result.finding.ids),
                "region": result.finding.right_auth_url,
            }
            for result in results
        ],
    }


def for_support(connection: Connection, results: list[Result]) -> str:
    """Versions, settings, ids and results; no secret, no token, and nothing about people."""
    lines = ["PingOne console: state of a connection", f"Time: {timezone.now():%Y-%m-%d %H:%M:%S} UTC", ""]
    lines += [f"{name}: {value}" for name, value in _facts(connection) if value not in (None, "")]
    lines.append("")
    for result in results:
        finding = result.finding
        lines.append(f"[{result.state.label}] {result.check.title} ({result.seconds:.2f} s)")
        lines.append(f"    {finding.text}")
        if finding.kind:
            lines.append(f"    Kind: {finding.kind}")
        lines += [f"    {name}: {value}" for name, value in finding.ids]
    return "\n".join(lines)


def _facts(connection: Connection) -> list[tuple[str, object]]:
    return [
        ("Python", python_version()),
        ("Django", django.get_version()),
        ("httpx", version("httpx")),
        ("Authlib", version("Authlib")),
        ("Auth URL", connection.auth_url),
        ("API URL", _api_url(connection)),
        ("Redirect URI", redirect_uri()),
        ("Client ID", connection.client_id),
        ("Client authentication", connection.get_client_authentication_display()),
        ("Client secret", "stored" if connection.sealed_client_secret else "missing"),
        ("Sign-on environment", connection.environment_id),
        ("Managed environment", connection.managed_environment_id),
        ("State", connection.get_state_display()),
        ("Kind", connection.state_kind),
        ("State since", _utc(connection.state_changed_at)),
        ("Connected", _utc(connection.consented_at)),
        ("Access token ends", _utc(connection.access_token_expires_at)),
        ("Refresh token issued", _utc(connection.refresh_token_issued_at)),
        ("Scope", connection.scope),
    ]


def _api_url(connection: Connection) -> str:
    try:
        return api_url_for(connection.auth_url)
    except InvalidApiUrl:
        return ""


def _utc(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
