"""The crawls of an organization, population by population, as their page shows them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from console.access import OrgAccess
from console.crawls.judging import HELD
from console.models import Crawl, CrawlWork
from pingone_integration import population_sync
from pingone_integration.texts import Text


@dataclass(kw_only=True)
class PopulationCrawls:
    """A population, what is known of it, and the crawl that asks, fails or runs now."""

    population_id: UUID
    name: str
    next_at: datetime | None = None
    by_state: dict[str, Crawl] = field(default_factory=dict)

    @property
    def current(self) -> Crawl | None:
        return self.by_state.get(Crawl.State.CURRENT)

    @property
    def held(self) -> Crawl | None:
        return self.by_state.get(Crawl.State.HELD)

    @property
    def held_because(self) -> Text:
        return HELD.get(self.held.held, "") if self.held else ""

    @property
    def incomplete(self) -> Crawl | None:
        return self.by_state.get(Crawl.State.INCOMPLETE)

    @property
    def is_running(self) -> bool:
        return bool(self.by_state.keys() & {Crawl.State.READING, Crawl.State.ACCEPTED})


def overview(access: OrgAccess) -> list[PopulationCrawls]:
    """Return the populations that the operator sees. Three queries."""
    crawls: defaultdict[UUID, dict[str, Crawl]] = defaultdict(dict)
    for crawl in Crawl.objects.filter(organization=access.org).order_by("pk"):
        crawls[crawl.population_id][crawl.state] = crawl
    work = CrawlWork.objects.filter(organization=access.org).values_list("population_id", "due_at")
    next_at = dict(work)
    return [
        PopulationCrawls(
            population_id=population_id,
            name=name,
            next_at=next_at.get(population_id),
            by_state=crawls.get(population_id, {}),
        )
        for population_id, name in population_sync.synced(access.org.connection).values_list("population_id", "name")
        if access.sees_population(population_id)
    ]
