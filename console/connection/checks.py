"""The checks of an organization's connection: run, kept in the session, and described for support."""

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
from console.session_slot import SessionSlot
from pingone_integration.calls.failed_calls import Lately
from pingone_integration.checks import BY_KEY, Check, Finding, Result, State, Subject
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import InvalidApiUrl, kinds
from pingone_integration.models import Connection
from pingone_integration.texts import Text, english
from pingone_integration.version import VERSION


def subject_of(organization: Organization, *, renewal_asked_for: bool = False) -> Subject:
    """Return the subject of the checks: the connection, read now."""
    connection = Connection.objects.get(pk=organization.connection_id)
    return Subject(connection, redirect_uri(), renewal_asked_for=renewal_asked_for)


@dataclass(frozen=True)
class LastResults:
    """The latest result of each check, for one connection and one operator. They end with the session."""

    session: SessionBase
    connection: Connection

    def get(self) -> dict[str, Result]:
        """Return the results by key of the check, empty if none was run."""
        return {key: _result(BY_KEY[key], values) for key, values in self._values().items() if key in BY_KEY}

    def add(self, *results: Result) -> None:
        new = {result.check.key: {**_as_json(result), "at": result.at.isoformat()} for result in results}
        self._slot.set({**self._values(), **new})

    def clear(self) -> None:
        self._slot.pop()

    def _values(self) -> dict[str, dict[str, Any]]:
        return self._slot.get() or {}

    @property
    def _slot(self) -> SessionSlot:
        return SessionSlot(self.session, f"check-results/{self.connection.pk}")


def _result(check: Check, values: dict[str, Any]) -> Result:
    """Build a result from JSON: the inverse of `_as_json`, with the time."""
    finding = Finding(
        state=State(values["state"]),
        text=values["text"],
        advice=values["advice"],
        kind=values["kind"],
        ids=tuple(values["ids"].items()),
        right_auth_url=values["region"],
    )
    at = parse_datetime(values["at"]) or timezone.now()
    return Result(check=check, finding=finding, seconds=values["seconds"], at=at)


def advice_of(finding: Finding) -> Text:
    """Return the advice. It names who does it and where, unless the check gives advice of its own."""
    error = kinds().get(finding.kind)
    return resolution_of(error) if error and english(finding.advice) == english(error.resolution) else finding.advice


def as_json(results: list[Result]) -> dict[str, Any]:
    return {
        "passed": not any(result.state == State.FAILED for result in results),
        "checks": [_as_json(result) for result in results],
    }


def _as_json(result: Result) -> dict[str, Any]:
    """Return the result in English: for the session and the command's output."""
    finding = result.finding
    return {
        "key": result.check.key,
        "title": english(result.check.title),
        "state": result.state.value,
        "seconds": round(result.seconds, 3),
        "text": english(finding.text),
        "advice": english(advice_of(finding)),
        "kind": finding.kind,
        "ids": dict(finding.ids),
        "region": finding.right_auth_url,
    }


def for_support(connection: Connection, results: list[Result], failed: list[Lately]) -> str:
    """Return versions, settings, IDs, results and failures in English: no secret, no token, and no personal data."""
    lines = ["PingOne console: connection report", f"Time: {timezone.now():%Y-%m-%d %H:%M:%S} UTC", ""]
    lines += [f"{name}: {value}" for name, value in _facts(connection) if value not in (None, "")]
    lines += ["", "Checks" if results else "No checks were run."]
    for result in results:
        finding = result.finding
        lines.append(f"[{english(result.state.label)}] {english(result.check.title)} ({result.seconds:.2f} s)")
        lines.append(f"    {english(finding.text)}")
        if finding.kind:
            lines.append(f"    Kind: {finding.kind}")
        lines += [f"    {name}: {value}" for name, value in finding.ids]
    lines += ["", "Failed calls in the last 30 days" if failed else "No calls failed in the last 30 days."]
    for failure in failed:
        times = f"{failure.count} time{'' if failure.count == 1 else 's'}"
        lines.append(f"{failure.kind}: {times}, from {_utc(failure.first_at)} to {_utc(failure.last_at)}")
        status = f", status {failure.example.status}" if failure.example.status else ""
        lines.append(f"    Latest: {failure.example.call}{status}")
        lines += [f"    {name}: {value}" for name, value in failure.ids]
    return "\n".join(lines)


def _facts(connection: Connection) -> list[tuple[str, object]]:
    return [
        ("PingOne console", VERSION),
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
        ("Sign-in environment", connection.environment_id),
        ("Managed environment", connection.managed_environment_id),
        ("State", english(Connection.State(connection.state).label)),
        ("Kind", connection.state_kind),
        ("State since", _utc(connection.state_changed_at)),
        ("Connected", _utc(connection.consented_at)),
        ("Access token expires", _utc(connection.access_token_expires_at)),
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
