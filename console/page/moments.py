"""Times on pages, in the reader's time zone."""

from datetime import UTC, datetime
from html import escape

from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pingone_integration.texts import Text


def when(moment: datetime | None, missing: Text = "—", *, exact: bool = False) -> SafeString:
    """Render `{% when user.created_at %}`: in the reader's time zone, with the exact UTC time on hover.

    `missing` is the text if there is no time, for example `_("Never")`, or nothing that could have one: a template
    gives "" for that. `exact` adds seconds and the time zone.
    """
    if not moment:
        return format_html('<span class="text-secondary">{}</span>', missing)
    utc, local = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}", timezone.localtime(moment)
    # Not by date_format, which is slow: a list has a time in every row.
    shown = f"{local.day} {MONTHS_3[local.month].title()} {local.year:04}, {local:%H:%M}"
    if exact:
        shown += f"{local::%S} {_zone(local)}"
    iso = utc.replace(" ", "T")
    return SafeString(f'<time datetime="{iso}Z" title="{utc} UTC">{escape(shown)}</time>')


def _zone(local: datetime) -> str:
    """Return the abbreviation of the time zone, or its offset from UTC if it has none."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name
