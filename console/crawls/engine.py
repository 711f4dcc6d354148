"""The worker's part of crawls. It may be killed anywhere: a crawl that was not read to its end begins again.

A crawl reads (`reading`), is judged against the last one (`judging`), compared with it for the rules (`changes`), and
then replaces it. Each of these is repeated by the next worker without harm.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone, translation

from console.crawls import changes, reading
from console.crawls.judging import doubt
from console.crawls.populations import enter
from console.crawls.reading import Interrupted, NotRead, administrator_of, forget
from console.models import Crawl, CrawlSettings, CrawlWork, Organization
from console.work.schedule import kept
from console.work.share import percent_of
from pingone_integration.calls import rate_limit
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text, english

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
EVERY = timedelta(days=1)
AFTER_FAILURE = timedelta(hours=1)

State = Crawl.State


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Crawl what is due, until nothing is. Return how many populations that were."""
    for settings in CrawlSettings.objects.select_related("organization__connection"):
        enter(settings.organization)
    count = 0
    while not stopping() and (work := CrawlWork.objects.claim(LEASE)):
        with kept(work, f"crawl of {work.population_id}"), translation.override("en"):
            pause = _turn(work, stopping)
        work.put_back(pause, wanted_at=timezone.now() + pause, attempts=0)
        count += 1
    return count


def _turn(work: CrawlWork, stopping: Callable[[], bool]) -> timedelta:
    """Do what is due for a population. Return how long it then waits."""
    organization = Organization.objects.select_related("connection").get(pk=work.organization_id)
    of_population = Crawl.objects.filter(organization=organization, population_id=work.population_id)

    def goes_on() -> bool:
        is_on = CrawlSettings.objects.filter(organization=organization).exists()
        return not stopping() and is_on and work.keep(LEASE)

    for unfinished in of_population.filter(state__in=(State.READING, State.OLD)):
        _delete(unfinished)
    if accepted := of_population.filter(state=State.ACCEPTED).select_related("organization").first():
        _replace(accepted)
        return max(accepted.started_at + EVERY - timezone.now(), timedelta())
    if not goes_on():
        return timedelta()
    environment_id = organization.connection.managed_environment_id
    if not organization.connection.has_grant or environment_id is None:
        return AFTER_FAILURE
    crawl = Crawl.objects.create(
        organization=organization,
        environment_id=environment_id,
        administrator=administrator_of(organization.connection_id),
        population_id=work.population_id,
    )
    return _read(crawl, goes_on)


def _read(crawl: Crawl, goes_on: Callable[[], bool]) -> timedelta:
    """Read the population and judge the crawl. Return how long until the next one."""
    try:
        with rate_limit.in_background(percent_of(crawl.organization)):
            reading.read(crawl, goes_on)
    except Interrupted:
        return timedelta()
    except NotRead as unread:
        _end_incomplete(crawl, unread.reason)
        return EVERY
    except PingOneError as error:
        _end_incomplete(crawl, error.title)
        return AFTER_FAILURE
    except Exception:
        logger.exception("The crawl %s failed", crawl.pk)
        _end_incomplete(crawl, "The console failed.")
        return AFTER_FAILURE
    _end(crawl)
    return EVERY


def _end(crawl: Crawl) -> None:
    """Judge a crawl that was read to its end. What it replaces, another one that was held, is of no more use."""
    last = changes.last_read(crawl.organization, crawl.population_id)
    held = doubt(crawl, last)
    Crawl.objects.filter(pk=crawl.pk).update(
        state=State.HELD if held else State.ACCEPTED,
        held=held,
        people=crawl.people,
        people_before=last.people if last else None,
        finished_at=timezone.now(),
    )
    _forget_earlier(crawl)
    if not held:
        _replace(crawl)


def _replace(crawl: Crawl) -> None:
    """Compare a believed crawl with the last one, and let it replace it."""
    last = changes.last_read(crawl.organization, crawl.population_id)
    if last is not None:
        changes.compare(crawl, last)
    changes.revive(crawl.organization)
    with transaction.atomic():
        if last is not None:
            Crawl.objects.filter(pk=last.pk).update(state=State.OLD)
        Crawl.objects.filter(pk=crawl.pk).update(state=State.CURRENT)
    if last is not None:
        _delete(last)


def _end_incomplete(crawl: Crawl, problem: Text) -> None:
    """Nothing follows from it: what is known stays what the last crawl found."""
    forget(crawl)
    Crawl.objects.filter(pk=crawl.pk).update(
        state=State.INCOMPLETE, problem=english(problem), people=0, finished_at=timezone.now()
    )
    _forget_earlier(crawl, State.INCOMPLETE)


def _forget_earlier(crawl: Crawl, *states: State) -> None:
    of_population = Crawl.objects.filter(organization=crawl.organization, population_id=crawl.population_id)
    for earlier in of_population.filter(state__in=states or (State.HELD, State.INCOMPLETE)).exclude(pk=crawl.pk):
        _delete(earlier)


def _delete(crawl: Crawl) -> None:
    forget(crawl)
    crawl.delete()
