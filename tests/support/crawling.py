"""A mocked PingOne environment with populations that are crawled page by page, and the crawls of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from console.access import enter_org
from console.crawls import engine, populations
from console.models import Crawl, CrawlWork, Operator, Organization
from pingone_integration.models import Connection
from pingone_integration.values import pingone_time
from tests.support.answers import STAFF, Json, listing
from tests.support.many_people import ManyPeople
from tests.support.synced import sync_populations

CONTRACTORS = UUID("00000000-0000-4000-8000-0000000000c7")
_POPULATION = re.compile(r'population\.id eq "([^"]+)"')


def days_ago(days: float) -> str:
    return pingone_time(timezone.now() - timedelta(days=days))


def of(population_id: UUID) -> Json:
    return {"population": {"id": str(population_id)}, "_embedded": None}


@dataclass
class Populations(ManyPeople):
    """People in Staff and Contractors. `at_page` is called before each page of a crawl, with its number from 0."""

    page_size: int = 100
    at_page: Callable[[int], None] = field(default=lambda _number: None)
    envelope: Json | None = None  # an answer instead of each page

    def someone(self, number: int, *, population: UUID = STAFF, **more: Any) -> None:
        self.add(number, **(of(population) | more))

    def _found(self, path: str) -> Json | None:
        request = self.requests[-1]
        sought = _POPULATION.fullmatch(request.url.params.get("filter", ""))
        if path != "/users" or sought is None:
            return super()._found(path)
        number = int(request.url.params.get("cursor", "0"))
        self.at_page(number)
        if self.envelope is not None:
            return self.envelope
        theirs = [one for one in self.users.values() if one["population"]["id"] == sought[1]]
        start = number * self.page_size
        is_last = start + self.page_size >= len(theirs)
        return listing("users", *theirs[start : start + self.page_size], cursor="" if is_last else str(number + 1))


def switch_on(operator: Operator) -> Organization:
    """Switch crawls on, with Staff and Contractors known, and a token that was renewed just now."""
    access = enter_org(operator, "acme")
    just_renewed(access.org)
    sync_populations(access.org, {STAFF: "Staff", CONTRACTORS: "Contractors"})
    populations.switch_on(access)
    return access.org


def just_renewed(organization: Organization) -> None:
    Connection.objects.filter(pk=organization.connection_id).update(
        refresh_token_issued_at=timezone.now(), consented_by_id="administrator-1"
    )


def renew(organization: Organization) -> None:
    """Let another process renew the access token: cursors that came with the old one are worth nothing."""
    Connection.objects.filter(pk=organization.connection_id).update(token_version=F("token_version") + 1)


def crawled(*, later: timedelta = timedelta()) -> None:
    """Let the worker crawl every population now."""
    CrawlWork.objects.update(due_at=timezone.now() + later)
    engine.run_due()


def crawl_of(population_id: UUID, state: str = "current") -> Crawl:
    return Crawl.objects.get(population_id=population_id, state=state)


def names_in(population_id: UUID) -> set[str]:
    return set(crawl_of(population_id).users.values_list("username", flat=True))
