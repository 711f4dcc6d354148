"""The counts of inactive users: by the time since they were active, for the chart, and by population."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import Crawl, CrawledUser
from pingone_integration.texts import Text

_BARS: tuple[tuple[Text, int, int | None], ...] = (  # label, and between how many days ago
    (_("in the last 30 days"), 0, 30),
    (_("30 to 90 days ago"), 30, 90),
    (_("90 to 180 days ago"), 90, 180),
    (_("180 days to a year ago"), 180, 365),
    (_("more than a year ago"), 365, None),
)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of the chart. `percent` of the longest, for its length."""

    label: Text
    users: int
    never: int  # of them: those who never signed in
    percent: int


def chart(crawls: list[Crawl], *, only_activated: bool) -> list[Bar]:
    """Return how many users were active last when. One query."""
    now = timezone.now()
    counted = CrawledUser.objects.filter(crawl__in=crawls)
    if only_activated:
        counted = counted.filter(enabled=True)
    asked = {}
    for number, (_label, first, last) in enumerate(_BARS):
        within = Q(active_at__lt=now - timedelta(days=first)) if first else Q(active_at__isnull=False)
        if last is not None:
            within &= Q(active_at__gte=now - timedelta(days=last))
        asked[f"users{number}"] = Count("pk", filter=within)
        asked[f"never{number}"] = Count("pk", filter=within & Q(has_signed_on=False))
    asked["unknown"] = Count("pk", filter=Q(active_at=None))
    sums = counted.aggregate(**asked)
    named = [
        (label, sums[f"users{number}"], sums[f"never{number}"]) for number, (label, _first, _last) in enumerate(_BARS)
    ]
    if sums["unknown"]:
        named.append((_("not known"), sums["unknown"], 0))
    most = max((users for _label, users, _never in named), default=0) or 1
    return [
        Bar(label=label, users=users, never=never, percent=-(-users * 100 // most)) for label, users, never in named
    ]
