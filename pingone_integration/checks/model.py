"""The parts of a check: the check, its subject, its finding and its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pingone_integration.connection.role_assignments import Held, held_by_administrator
from pingone_integration.errors import BeingRenewed, Busy, PingOneError, RateLimited
from pingone_integration.models import Connection
from pingone_integration.texts import Text


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    CANNOT_TELL = "cannot-tell"
    SKIPPED = "skipped"

    @property
    def label(self) -> Text:
        return _LABELS[self]


_LABELS: dict[State, Text] = {
    State.PASSED: _("passed"),
    State.FAILED: _("failed"),
    State.WARNING: _("warning"),
    State.CANNOT_TELL: _("unknown"),
    State.SKIPPED: _("skipped"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of a check. Its texts hold no secret and no personal data, so that they can be sent to support."""

    state: State
    text: Text
    advice: Text = ""  # what to do
    kind: str = ""  # PingOneError.kind, if any fits
    ids: tuple[tuple[str, str], ...] = ()  # names and values that PingOne's support asks for
    right_auth_url: str = ""  # the Auth URL where the environment really is
    blocks: bool = True  # if it failed: whether the checks that need this check are skipped


@dataclass(frozen=True)
class Subject:
    """The connection under check. Data that several checks need is read once per subject."""

    connection: Connection
    redirect_uri: str  # registered for the application
    renewal_asked_for: bool = False
    found: dict[str, Finding] = field(default_factory=dict)  # by key of the check
    read_used: Callable[[], Mapping[str, datetime]] = dict

    @cached_property
    def held(self) -> Held | None:
        return held_by_administrator(self.connection)

    @cached_property
    def used(self) -> Mapping[str, datetime]:
        """Return the permissions that were used successfully lately, with the last time of each."""
        return self.read_used()

    def evidence(self, *permissions: str) -> Text:
        """Return a sentence that all of these permissions were used successfully lately, or "" if not."""
        if not permissions or not self.used.keys() >= set(permissions):
            return ""
        last = min(self.used[permission] for permission in permissions)
        worked = _("This was done successfully on {time} UTC, as the audit log shows.")
        return format_lazy(worked, time=f"{last:%Y-%m-%d %H:%M}")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One step from the settings to a working call."""

    key: str  # in URLs and in the command's output: never renamed
    title: Text
    run: Callable[[Subject], Finding]  # a PingOneError is a failure, with the error's texts
    needs: tuple[str, ...] = ()  # keys of earlier checks: if one fails, this check is skipped
    renews: bool = False  # can renew the access token on request


@dataclass(frozen=True, kw_only=True)
class Result:
    """A check that was run, or skipped."""

    check: Check
    finding: Finding
    seconds: float
    at: datetime = field(default_factory=timezone.now)

    @property
    def state(self) -> State:
        return self.finding.state

    @property
    def age(self) -> Text:
        """Return the time since the check in words, or "" for less than a minute."""
        span = timezone.now() - self.at
        return in_words(span) if span >= timedelta(minutes=1) else ""

    @property
    def blocks(self) -> bool:
        """Return whether the checks that need this check are skipped."""
        return self.state == State.SKIPPED or (self.state == State.FAILED and self.finding.blocks)


def passed(text: Text) -> Finding:
    return Finding(state=State.PASSED, text=text)


def warning(text: Text, advice: Text) -> Finding:
    return Finding(state=State.WARNING, text=text, advice=advice)


def cannot_tell(text: Text, advice: Text = "") -> Finding:
    return Finding(state=State.CANNOT_TELL, text=text, advice=advice)


def failed(kind: type[PingOneError], text: Text, advice: Text = "") -> Finding:
    """Return a failure that the check itself detects, without a response of PingOne."""
    return Finding(state=State.FAILED, text=text, advice=advice or kind.resolution, kind=kind.kind)


def finding_of(error: PingOneError, text: Text = "", advice: Text = "") -> Finding:
    """Return the finding for an error, with the error's own texts by default."""
    named = (
        ("PingOne's code", error.trace.code),
        ("PingOne error ID", error.trace.error_id),
        ("Correlation ID", error.trace.correlation_id),
        ("Transaction ID", error.trace.transaction_id),
    )
    passing = isinstance(error, RateLimited | BeingRenewed | Busy)
    return Finding(
        state=State.CANNOT_TELL if passing else State.FAILED,
        text=text or format_lazy("{title}. {cause}", title=error.title, cause=error.cause),
        advice=advice or error.resolution,
        kind=error.kind,
        ids=tuple((name, value[:100]) for name, value in named if value),
    )


def sentences(*texts: Text) -> Text:
    """Return the texts that are not empty, one after the other."""
    return listed(*(text for text in texts if text), separator=" ")


def listed(*texts: Text, separator: str = ", ") -> Text:
    """Return the texts with a separator between them. Each is translated when the whole is shown."""
    return format_lazy(separator.join(["{}"] * len(texts)), *texts)


def in_words(span: timedelta) -> Text:
    """Return a duration such as "3 weeks, 2 days"; "less than a minute" for the shortest."""
    return _in_words(span, timezone.now())


def _spelled_out(span: timedelta, now: datetime) -> str:
    if span < timedelta(minutes=1):
        return gettext("less than a minute")
    return timesince(now - span, now).replace("\N{NO-BREAK SPACE}", " ")


_in_words = lazy(_spelled_out, str)
