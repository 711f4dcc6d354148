"""The checks of a connection, for an organization of the console: run, remembered, and put in words for support."""

from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from typing import Any

import django
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from console.connection.callback_address import redirect_uri
from console.failures.next_step import resolution_of
from console.models import Organization
from pingone_integration.calls.failed_calls import Lately
from pingone_integration.checks import BY_KEY, Finding, Result, State, Subject
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import InvalidApiUrl, kinds
from pingone_integration.models import Connection


def subject_of(organization: Organization, *, renewal_asked_for: bool = False) -> Subject:
    """What the checks look at: the connection as it is now."""
    connection = Connection.objects.get(pk=organization.connection_id)
    return Subject(connection, redirect_uri(), renewal_asked_for=renewal_asked_for)


@dataclass(frozen=True)
class LastResults:
    """What the checks last found, for one connection and one operator: it ends with their session."""

    session: SessionBase
    connection: Connection

    @property
    def _key(self) -> str:
        return f"check-results/{self.connection.pk}"

    def all(self) -> dict[str, Result]:
        """By key of the check; empty before any was run."""
        kept = self.session.get(self._key, {})
        return {
            key: Result(
                check=BY_KEY[key],
                finding=Finding(
                    state=State(one["state"]),
                    text=one["text"],
                    advice=one["advice"],
                    kind=one["kind"],
                    ids=tuple((name, value) for name, value in one["ids"].items()),
                    right_auth_url=one["region"],
                ),
                seconds=one["seconds"],
                at=parse_datetime(one["at"]) or timezone.now(),
            )
            for key, one in kept.items()
            if key in BY_KEY
        }

    def keep(self, *results: Result) -> None:
        kept = self.session.get(self._key, {})
        new = {one.check.key: {**_as_json(one), "at": one.at.isoformat()} for one in results}
        self.session[self._key] = {**kept, **new}

    def forget(self) -> None:
        self.session.pop(self._key, None)


def advice_of(finding: Finding) -> str:
    """Return what to do: who does it and where is added unless the check gives advice of its own."""
    error = kinds().get(finding.kind)
    return resolution_of(error) if error and finding.advice == error.resolution else finding.advice


def as_json(results: list[Result]) -> dict[str, Any]:
    return {
        "passed": not any(result.state == State.FAILED for result in results),
        "checks": [_as_json(result) for result in results],
    }


def _as_json(result: Result) -> dict[str, Any]:
    finding = result.finding
    return {
        "key": result.check.key,
        "title": result.check.title,
        "state": result.state.value,
        "seconds": round(result.seconds, 3),
        "text": finding.text,
        "advice": advice_of(finding),
        "kind": finding.kind,
        "ids": dict(finding.ids),
        "region": finding.right_auth_url,
    }


def for_support(connection: Connection, results: list[Result], failed: list[Lately]) -> str:
    """Versions, settings, ids, results and failures; no secret, no token, and nothing about people."""
    lines = ["PingOne console: state of a connection", f"Time: {timezone.now():%Y-%m-%d %H:%M:%S} UTC", ""]
    lines += [f"{name}: {value}" for name, value in _facts(connection) if value not in (None, "")]
    lines += ["", "Checks" if results else "No check was run."]
    for result in results:
        finding = result.finding
        lines.append(f"[{result.state.label}] {result.check.title} ({result.seconds:.2f} s)")
        lines.append(f"    {finding.text}")
        if finding.kind:
            lines.append(f"    Kind: {finding.kind}")
        lines += [f"    {name}: {value}" for name, value in finding.ids]
    lines += ["", "Failed calls of the last 30 days" if failed else "No call failed in the last 30 days."]
    for one in failed:
        times = f"{one.count} time{'' if one.count == 1 else 's'}"
        lines.append(f"{one.kind}: {times}, from {_utc(one.first_at)} to {_utc(one.last_at)}")
        status = f", status {one.example.status}" if one.example.status else ""
        lines.append(f"    Latest: {one.example.call}{status}")
        lines += [f"    {name}: {value}" for name, value in one.ids]
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
