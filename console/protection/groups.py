"""The table of groups that give administrator roles, read after Connect and daily, so that lists cost no call.

A group gives the roles that it carries, and those of groups that it is nested in. Until a real environment has shown
the direction of a nesting, both count. A dynamic group that reads the membership of a group counts as nested in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.actions.affected import Affected
from console.models import GroupReading, KnownGroup, Organization
from console.work import schedule
from pingone_integration import groups, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import MissingPermission, NoEnvironmentChosen, NotFound, PingOneError
from pingone_integration.groups import Group
from pingone_integration.user_search.reads import attributes_in, groups_in

BELIEVED_FOR = timedelta(hours=26)  # a day, and time for a late worker
_READ_EVERY = timedelta(hours=20)  # less than a day: the worker comes at about the same time
_AT_ONCE = 10  # groups whose roles and nestings are read in parallel

Links = Mapping[UUID, frozenset[UUID]]


def read(organization: Organization, api: PingOneApi) -> int:
    """Replace the table by what PingOne shows now. Return how many groups give roles.

    It reads everything before it writes: a failure half-way leaves the last reading. Raises PingOneErrors.
    """
    environment_id = organization.connection.managed_environment_id
    if environment_id is None:
        raise NoEnvironmentChosen
    began = timezone.now()
    found = {group.id: group for page in groups.all_of(api) for group in page.items}
    answers = ask(api, found)
    links = _with_filters(found.values(), {group_id: answer.linked for group_id, answer in answers.items()})
    shows_roles = _shows_roles_of_users(api)
    carriers = {group_id for group_id, answer in answers.items() if answer.carries_roles}
    related = {group_id: reached(group_id, links) | reached(group_id, _turned(links)) for group_id in found}
    rows = [
        KnownGroup(
            organization=organization,
            group_id=group.id,
            name=group.name[:256],
            gives_roles=bool(carriers & (related[group.id] | {group.id})),
            is_dynamic=group.is_dynamic,
            filter_reads=sorted(attributes_in(group.user_filter)),
            linked=sorted(map(str, related[group.id])),
        )
        for group in found.values()
    ]
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        KnownGroup.objects.filter(organization=organization).delete()
        KnownGroup.objects.bulk_create(rows, batch_size=500)
        GroupReading.objects.update_or_create(
            organization=organization,
            defaults={
                "environment_id": environment_id,
                "read_at": began,
                "shows_roles": shows_roles and all(answer.shows_roles for answer in answers.values()),
            },
        )
    return sum(row.gives_roles for row in rows)


def _shows_roles_of_users(api: PingOneApi) -> bool:
    """Return whether the connection may read the roles of users, by the example of one."""
    try:
        for user in users.search(api, limit=1).items:
            users.is_administrator(api, user.id)
    except MissingPermission:
        return False
    except NotFound:  # deleted meanwhile
        return True
    return True


@dataclass(frozen=True, kw_only=True)
class Table:
    """The state of the table."""

    read_at: datetime | None = None  # None: never, or of another environment
    shows_roles: bool = True  # False: the connection may not read role assignments

    @property
    def is_fresh(self) -> bool:
        return self.read_at is not None and self.read_at > timezone.now() - BELIEVED_FOR


def table_of(organization: Organization) -> Table:
    environment_id = organization.connection.managed_environment_id
    if environment_id is None:
        return Table()
    reading = GroupReading.objects.filter(organization=organization, environment_id=environment_id).first()
    return Table(read_at=reading.read_at, shows_roles=reading.shows_roles) if reading else Table()


def is_good(organization: Organization) -> bool:
    """Return whether the table need not be read again now: it is of today and of this administrator's rights."""
    at, connected_at = table_of(organization).read_at, organization.connection.consented_at
    return bool(at and at > timezone.now() - _READ_EVERY and (connected_at is None or at > connected_at))


@contextmanager
def unread_while(organization: Organization, affected: Affected) -> Iterator[None]:
    """Let the table count as none while an operation may change groups, and until the worker has read it again."""
    if not affected.changes_groups:
        yield
        return
    readings = GroupReading.objects.filter(organization=organization)
    readings.delete()
    try:
        yield
    finally:
        readings.delete()  # one that began before the change
        schedule.hasten("sync_role_groups")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What PingOne says of one group."""

    carries_roles: bool = False
    linked: frozenset[UUID] = frozenset()
    shows_roles: bool = True  # False: the connection may not read them


def ask(api: PingOneApi, group_ids: Iterable[UUID]) -> dict[UUID, Answer]:
    """Ask PingOne for the roles and nestings of these groups. A group that is gone meanwhile is left out.

    Raises PingOneErrors.
    """
    answers: dict[UUID, Answer] = {}
    asked = list(group_ids)
    for begin in range(0, len(asked), _AT_ONCE):
        answers |= _ask_at_once(api, asked[begin : begin + _AT_ONCE])
    return answers


def _ask_at_once(api: PingOneApi, asked: list[UUID]) -> dict[UUID, Answer]:
    reads: chain[partial[Any]] = chain.from_iterable(
        (partial(groups.carries_roles, group_id=one), partial(groups.linked, group_id=one)) for one in asked
    )
    results = at_once(api, *reads)
    pairs = zip(results[::2], results[1::2], strict=True)
    answers = {group_id: _answer(*pair) for group_id, pair in zip(asked, pairs, strict=True)}
    return {group_id: answer for group_id, answer in answers.items() if answer}


def _answer(carries: bool | PingOneError, linked: frozenset[UUID] | PingOneError) -> Answer | None:
    refusals = [one for one in (carries, linked) if isinstance(one, PingOneError)]
    if any(isinstance(one, NotFound) for one in refusals):
        return None
    for one in refusals:
        if not isinstance(one, MissingPermission):
            raise one
    return Answer(
        carries_roles=carries is True,
        linked=linked if isinstance(linked, frozenset) else frozenset(),
        shows_roles=not refusals,
    )


def reached(start: UUID, links: Links) -> frozenset[UUID]:
    """Return the groups at the ends of links from `start`, at any depth."""
    found: set[UUID] = set()
    new = set(links.get(start, ()))
    while new:
        found |= new
        new = {other for one in new for other in links.get(one, ())} - found
    return frozenset(found - {start})


def _turned(links: Links) -> Links:
    turned: dict[UUID, frozenset[UUID]] = {}
    for inner, outer in ((inner, outer) for inner, outers in links.items() for outer in outers):
        turned[outer] = turned.get(outer, frozenset()) | {inner}
    return turned


def _with_filters(found: Iterable[Group], links: Links) -> Links:
    """Return the links, and one from each group to the dynamic groups whose filters ask for its members."""
    more = dict(links)
    for group in found:
        for inner in groups_in(group.user_filter):
            more[inner] = more.get(inner, frozenset()) | {group.id}
    return more
