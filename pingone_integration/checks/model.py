"""The parts of a check: the check, its subject, its finding and its result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from django.utils import timezone
from django.utils.timesince import timesince

from pingone_integration.connection.role_assignments import Held, held_by_administrator
from pingone_integration.errors import BeingRenewed, Busy, PingOneError, RateLimited
from pingone_integration.models import Connection


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    CANNOT_TELL = "cannot-tell"
    SKIPPED = "skipped"

    @property
    def label(self) -> str:
        return self.value.replace("-", " ")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found; its words hold no secret and no personal data, so that they can be sent to support."""

    state: State
    text: str
    advice: str = ""  # what to do
    kind: str = ""  # PingOneError.kind, where one fits
    ids: tuple[tuple[str, str], ...] = ()  # name and value of what PingOne's support asks for
    right_auth_url: str = ""  # where the environment really is


@dataclass(frozen=True)
class Subject:
    """The connection that is checked; what several checks need is read once for each subject."""

    connection: Connection
    redirect_uri: str  # the one registered for the application
    renewal_asked_for: bool = False
    found: dict[str, Finding] = field(default_factory=dict)  # by key of the checks that were run on it

    @cached_property
    def held(self) -> Held | None:
        return held_by_administrator(self.connection)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One step of the way from the settings to a working call; they stand in the order of that way."""

    key: str  # in URLs and in the command's output: never renamed
    title: str
    run: Callable[[Subject], Finding]  # a PingOneError it raises is a failure in that error's words
    needs: tuple[str, ...] = ()  # keys of earlier checks: where one of them failed, this one is not run
    renews: bool = False  # somebody may ask it to renew the access token, instead of only looking


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
    def blocks(self) -> bool:
        """Whether what needs this check is not worth running."""
        return self.state in {State.FAILED, State.SKIPPED}


def passed(text: str) -> Finding:
    return Finding(state=State.PASSED, text=text)


def warning(text: str, advice: str) -> Finding:
    return Finding(state=State.WARNING, text=text, advice=advice)


def cannot_tell(text: str, advice: str = "") -> Finding:
    return Finding(state=State.CANNOT_TELL, text=text, advice=advice)


def failed(kind: type[PingOneError], text: str, advice: str = "") -> Finding:
    """Without an answer of PingOne: the check itself sees what is wrong, and which kind of error that is."""
    return Finding(state=State.FAILED, text=text, advice=advice or kind.resolution, kind=kind.kind)


def finding_of(error: PingOneError, text: str = "", advice: str = "") -> Finding:
    """Return what an error says of the check, in the error's own words where no others are given."""
    named = (
        ("PingOne's code", error.trace.code),
        ("PingOne error ID", error.trace.error_id),
        ("Correlation ID", error.trace.correlation_id),
        ("Transaction ID", error.trace.transaction_id),
    )
    passing = isinstance(error, RateLimited | BeingRenewed | Busy)
    return Finding(
        state=State.CANNOT_TELL if passing else State.FAILED,
        text=text or f"{error.title}. {error.cause}",
        advice=advice or error.resolution,
        kind=error.kind,
        ids=tuple((name, value[:100]) for name, value in named if value),
    )


def in_words(span: timedelta) -> str:
    """A length of time, such as "3 weeks, 2 days"; "less than a minute" for the shortest."""
    now = timezone.now()
    if span < timedelta(minutes=1):
        return "less than a minute"
    return timesince(now - span, now).replace("\N{NO-BREAK SPACE}", " ")
