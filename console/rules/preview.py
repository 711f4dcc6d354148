"""The preview of a rule: who is in its population by the last crawl, before it is switched on."""

from dataclasses import dataclass
from datetime import datetime

from console.crawls.changes import last_read
from console.models import Crawl, CrawledUser, Rule

SHOWN = 25


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Who is there. They get the groups only if that is chosen; who comes later does anyway."""

    crawl: Crawl | None  # None: the population has not been read yet
    people: int
    some: list[CrawledUser]
    seen: str  # what the preview is about: the rule is switched on only if it is still the same

    @property
    def as_of(self) -> datetime | None:
        return self.crawl.started_at if self.crawl else None


def preview(rule: Rule) -> Preview:
    crawl = last_read(rule.organization, rule.population_id)
    if crawl is None:
        return Preview(crawl=None, people=0, some=[], seen="")
    parts = [str(crawl.pk), str(rule.population_id), *sorted(group["id"] for group in rule.groups)]
    return Preview(
        crawl=crawl,
        people=crawl.users.count(),
        some=list(crawl.users.order_by("username")[:SHOWN]),
        seen=" ".join([*parts, "takes back" if rule.takes_back else ""]),
    )
