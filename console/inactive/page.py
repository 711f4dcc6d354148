"""A page of inactive users, with the age of what it shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.access import OrgAccess
from console.inactive.counts import Bar, chart
from console.inactive.search import InactiveForm, crawls_of, found
from console.models import Crawl, CrawledUser
from console.page.pager import Pager

PAGE_SIZE = 25


@dataclass(frozen=True, kw_only=True)
class InactivePage:
    """What the page shows. `oldest`, `latest`: the begin of the crawls that it is from."""

    people: list[tuple[CrawledUser, str]]  # with the name of their population
    total: int
    bars: list[Bar]
    oldest: datetime | None
    latest: datetime | None
    unread: list[str]  # populations of which there is no crawl
    held: list[str]  # populations with a crawl that waits for an org admin
    pager: Pager


def read_page(access: OrgAccess, form: InactiveForm, page: str) -> InactivePage:
    """Read a page from the last crawls. No call to PingOne."""
    criteria = form.criteria
    crawls = crawls_of(access, criteria.population_id)
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    start = (number - 1) * PAGE_SIZE
    inactive = found(crawls, criteria)
    some = list(inactive.order_by("active_at", "id")[start : start + PAGE_SIZE])
    total = inactive.count()
    population_of = {crawl.pk: form.names.get(crawl.population_id, str(crawl.population_id)) for crawl in crawls}
    began = [crawl.started_at for crawl in crawls]
    return InactivePage(
        people=[(one, population_of[one.crawl_id]) for one in some],
        total=total,
        bars=chart(crawls, only_activated=criteria.only_activated),
        oldest=min(began, default=None),
        latest=max(began, default=None),
        unread=_unread(form, crawls, criteria.population_id),
        held=_held(access, form),
        pager=Pager(
            previous=f"?{form.query(page=str(number - 1))}" if number > 1 else "",
            next=f"?{form.query(page=str(number + 1))}" if start + PAGE_SIZE < total else "",
        ),
    )


def _unread(form: InactiveForm, crawls: list[Crawl], population_id: UUID | None) -> list[str]:
    read = {crawl.population_id for crawl in crawls}
    asked = {population_id} & form.names.keys() if population_id else form.names.keys()
    return [form.names[one] for one in form.names if one in asked and one not in read]


def _held(access: OrgAccess, form: InactiveForm) -> list[str]:
    held = Crawl.objects.filter(organization=access.org, state=Crawl.State.HELD)
    waiting = set(held.values_list("population_id", flat=True))
    return [name for one, name in form.names.items() if one in waiting]
