"""Single values of PingOne's JSON. A value of a wrong type reads as absent.

A list of users must not fail because of one malformed entry.
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
    """Return the text, empty for other types. U+FFFD replaces characters that HTML or databases cannot hold."""
    if not isinstance(value, str):
        return ""
    return value if value.isprintable() else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def json_object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def identifier(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def moment(value: Any) -> datetime | None:
    """Parse PingOne's ISO 8601, in UTC if it names no zone. Returns None also for the years 1 and 9999.

    There, a conversion to the reader's time zone can overflow, and the year 9999 means "never" anyway.
    """
    try:
        parsed = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if parsed is None or not 1 < parsed.year < 9999:
        return None
    return parsed if timezone.is_aware(parsed) else parsed.replace(tzinfo=UTC)


def moment_in(seconds: int | None) -> datetime | None:
    """Return the time so many seconds from now, or None if it is unknown or beyond the calendar."""
    try:
        at = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return at if at and 1 < at.year < 9999 else None


def pingone_time(value: datetime) -> str:
    """Format a time for PingOne: UTC with milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """Return the boolean, or None for any other value."""
    return value if isinstance(value, bool) else None


def printable(value: Any) -> Any:
    """Apply `text` to every string in a JSON value."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {text(key): printable(item) for key, item in value.items()}
    return value
