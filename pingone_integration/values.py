"""Single values of PingOne's JSON. Out of it, whatever is really there: a wrong type reads as an absent value.

A list of people must not fail as a whole because of one odd member.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

Json = dict[str, Any]

# Neither HTML nor a database can hold these: NUL and other controls, and halves of surrogate pairs.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def text(value: Any) -> str:
    """The text, characters that HTML or databases cannot hold replaced by U+FFFD; empty for what is not text."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else ""


def json_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def identifier(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def moment(value: Any) -> datetime | None:
    """PingOne's ISO 8601, UTC where it names no zone; None also at the edges of the calendar.

    There a conversion to the reader's time zone would overflow, and the year 9999 stands for "never" anyhow.
    """
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if parsed is None or not 1 < parsed.year < 9999:
        return None
    return parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=UTC)


def moment_in(seconds: int | None) -> datetime | None:
    """Return the time so many seconds from now; None also beyond the calendar."""
    try:
        at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return at if at and 1 < at.year < 9999 else None


def pingone_time(value: datetime) -> str:
    """As PingOne takes times: UTC with milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """None: PingOne says neither yes nor no."""
    return value if isinstance(value, bool) else None


def printable(value: Any) -> Any:
    """A JSON value of any shape with every text in it as by `text`."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {text(key): printable(item) for key, item in value.items()}
    return value
