"""The checks of an organization's connection: run, kept in the session, and described for support."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from platform import python_version
from typing import Any

import django
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime

from console.actions.catalogue import BY_KEY as BY_ACTION
from console.audit.search import last_successes
from console.connection.callback_address import redirect_uri
from console.failures.next_step import resolution_of
from console.models import Organization
from console.page.connection_status import ConnectionStatus, in_utc
from console.session_slot import SessionSlot
from pingone_integration.calls.failed_calls import Lately
from pingone_integration.checks import BY_KEY, Check, Finding, Result, State, Subject
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import InvalidApiUrl, kinds
from pingone_integration.models import Connection
from pingone_integration.texts import Text, english
from pingone_integration.version import VERSION

EVIDENCE = timedelta(days=30)  # what succeeded before is no sign of today's roles


def subject_of(
    organization: Organization, *, request: HttpRequest | None = None, renewal_asked_for: bool = False
) -> Subject:
    """Return the subject of the checks: the connection, read now. `request` None: in a terminal."""
    connection = Connection.objects.get(pk=organization.connection_id)
    return Subject(
        connection,
        redirect_uri(request),
        renewal_asked_for=renewal_asked_for,
        read_used=lambda: _used(organization, connection),
    )


def _used(organization: Organization, connection: Connection) -> dict[str, datetime]:
    """Return the PingOne permissions that the administrator who connected used lately, with the last time of each.

    The audit log is the evidence. It counts only the present grant: somebody else may have connected before.
    """
    if connection.consented_at is None:
        return {}
    since = max(connection.consented_at, timezone.now() - EVIDENCE)
    used: dict[str, datetime] = {}
    for key, at in last_successes(organization, since=since).items():
        permission = BY_ACTION[key].pingone_permission
        used[permission] = max(at, used.get(permission, at))
    return used


@dataclass(frozen=True)
class LastResults:
    """The latest result of each check, for one connection and one operator. They end with the session.

    A result stands as long as the settings and the grant are the same, and the checks that it needs come out the same.
    What did not pass stands until the connection works again.
    """

    session: SessionBase
    connection: Connection

    def get(self) -> dict[str, Result]:
        """Return the results that stand, by key of the check."""
        return {key: _result(BY_KEY[key], values) for key, values in self._values().items() if key in BY_KEY}

    def add(self, *results: Result) -> set[str]:
        """Keep the results. Return the keys of the checks whose earlier results do not stand any more."""
        values = self._values()
        fallen = set(self._slot.get() or {}) - set(values)
        for result in results:
            before = values.get(result.check.key)
            if before and (before["state"] in _BLOCKING) != result.blocks:
                fallen |= {key for key in values if key in BY_KEY and _needs(BY_KEY[key], result.check.key)}
            values = {key: kept for key, kept in values.items() if key not in fallen}
            on = _version_of(self.connection)
            values[result.check.key] = {**_as_json(result), "at": result.at.isoformat(), "on": on}
        self._slot.set(values)
        return fallen - {result.check.key for result in results}

    def clear(self) -> None:
        self._slot.pop()

    def _values(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = self._slot.get() or {}
        version = _version_of(self.connection)
        kept = {key: values for key, values in kept.items() if values.get("on") == version}
        mended = self.connection.works_since
        if mended and kept and mended > max(_at(values) for values in kept.values()):
            return {key: values for key, values in kept.items() if values["state"] == State.PASSED}
        return kept

    @property
    def _slot(self) -> SessionSlot:
        return SessionSlot(self.session, f"check-results/{self.connection.pk}")


_BLOCKING = frozenset({State.FAILED.value, State.SKIPPED.value})


def _needs(check: Check, key: str) -> bool:
    """Return whether the check needs another one, directly or through others."""
    return any(needed == key or _needs(BY_KEY[needed], key) for needed in check.needs)


def _version_of(connection: Connection) -> str:
    """Return a digest of the settings and the grant. No secret can be told from it."""
    known = (
        *(connection.client_id, connection.auth_url, connection.environment_id, connection.client_authentication),
        *(connection.sealed_client_secret, connection.managed_environment_id, connection.consented_at),
    )
    return salted_hmac("console.connection.checks", repr(known), algorithm="sha256").hexdigest()[:16]


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
    return Result(check=check, finding=finding, seconds=values["seconds"], at=_at(values))


def _at(values: dict[str, Any]) -> datetime:
    return parse_datetime(values["at"]) or timezone.now()


def advice_of(finding: Finding) -> Text:
    """Return the advice. It names who does it and where, unless the check gives advice of its own."""
    error = kinds().get(finding.kind)
    return resolution_of(error) if error and english(finding.advice) == english(error.resolution) else finding.advice


def as_json(results: list[Result], status: ConnectionStatus) -> dict[str, Any]:
    return {
        "state": status.state.value,
        "works_until": status.ends_at.isoformat() if status.ends_at else None,
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


def for_support(request: HttpRequest, connection: Connection, results: list[Result], failed: list[Lately]) -> str:
    """Return versions, settings, IDs, results and failures in English: no secret, no token, and no personal data."""
    lines = ["PingOne console: connection report", f"Time: {timezone.now():%Y-%m-%d %H:%M:%S} UTC", ""]
    lines += [f"{name}: {value}" for name, value in _facts(request, connection) if value not in (None, "")]
    lines += ["", "Checks" if results else "No checks were run."]
    for result in results:
        finding = result.finding
        took = f"{result.seconds:.2f} s, {_utc(result.at)}"
        lines.append(f"[{english(result.state.label)}] {english(result.check.title)} ({took})")
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


def _facts(request: HttpRequest, connection: Connection) -> list[tuple[str, object]]:
    status = in_utc(connection)
    return [
        ("PingOne console", VERSION),
        ("Python", python_version()),
        ("Django", django.get_version()),
        ("httpx", version("httpx")),
        ("Authlib", version("Authlib")),
        ("Auth URL", connection.auth_url),
        ("API URL", _api_url(connection)),
        ("Redirect URI", redirect_uri(request)),
        ("Client ID", connection.client_id),
        ("Client authentication", connection.get_client_authentication_display()),
        ("Client secret", "stored" if connection.sealed_client_secret else "missing"),
        ("Sign-in environment", connection.environment_id),
        ("Managed environment", connection.managed_environment_id),
        ("State", english(status.words)),
        ("Kind", status.kind),
        ("State since", _utc(status.since)),
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
