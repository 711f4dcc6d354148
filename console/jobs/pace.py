"""How fast a job runs, and how long it still takes, from its rows of the last half minute."""

from datetime import timedelta

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.models import Job
from pingone_integration.texts import Text

_LATELY = timedelta(seconds=30)


def pace_of(job: Job, left: int) -> Text:
    """Return the rows a second and the time left in words, or "" as long as nothing is known. One query."""
    now = timezone.now()
    since = now - _LATELY
    reached = job.rows.filter(reached_at__gt=since)
    first = reached.order_by("reached_at").values_list("reached_at", flat=True).first()
    count = reached.count()
    if first is None or count < 2 or (elapsed := (now - first).total_seconds()) <= 0:
        return ""
    rate = count / elapsed
    told = _("{rate} rows a second, {left} left")
    return format_lazy(told, rate=f"{rate:.1f}", left=in_words(left / rate))


def in_words(seconds: float) -> Text:
    if seconds < 60:
        return _("less than a minute")
    minutes = round(seconds / 60)
    if minutes < 60:
        return format_lazy(ngettext_lazy("about {count} minute", "about {count} minutes", minutes), count=minutes)
    hours = round(minutes / 60)
    return format_lazy(ngettext_lazy("about {count} hour", "about {count} hours", hours), count=hours)
