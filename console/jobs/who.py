"""The people of a new job, before it has rows: ticked rows, a search, a group, a population, or a file to come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess
from console.inactive.search import InactiveForm
from console.jobs import lists
from console.jobs.lists import MOST_TICKED
from console.models import Job, PeopleList
from console.users.remembered import group_name, known_populations
from console.users.search_forms import UserSearchForm
from pingone_integration.texts import Text
from pingone_integration.values import identifier

FROM_FILE = _("A list from a file")
TICKED = "ticked"  # the field that says that only ticked users of a list are meant: nobody ticked is not everybody

Source = Job.Source


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whom a new job is about, and the hidden fields that say so from one form to the next."""

    source: Job.Source
    label: Text  # in a sentence of its own
    ids: tuple[UUID, ...] = ()  # of ticked users, also among the inactive ones
    search: UserSearchForm | None = None
    target_id: UUID | None = None  # the group or population
    inactive: InactiveForm | None = None

    @property
    def fields(self) -> Iterable[tuple[str, Any]]:
        yield "source", self.source
        for one in self.ids:
            yield "ids", one
        if self.search is not None:
            yield "search", self.search.query(limit="")
        if self.inactive is not None:
            yield "inactive", self.inactive.query()
            if self.ids:
                yield TICKED, "1"
        if self.target_id:
            yield str(self.source), self.target_id


def who_in(access: OrgAccess, data: QueryDict) -> Who | None:
    """Return whom the form or link is about, or None if it is about nobody."""
    source = data.get("source", "")
    if source == Source.SELECTION:
        return _ticked(data)
    if source == Source.SEARCH:
        return _searched(access, data.get("search", ""))
    if source == Source.INACTIVE:
        return _inactive(access, data)
    if source in {Source.GROUP, Source.POPULATION} and (target_id := identifier(data.get(source, ""))):
        return _all_of(access, Source(source), target_id)
    if source in {"", Source.FILE}:
        return Who(source=Source.FILE, label=FROM_FILE)
    return None


def _ticked(data: QueryDict) -> Who | None:
    ids = _ids(data)
    return Who(source=Source.SELECTION, label=_count_of(ids), ids=ids) if ids else None


def _ids(data: QueryDict) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(known for one in data.getlist("ids")[:MOST_TICKED] if (known := identifier(one))))


def _count_of(ids: tuple[UUID, ...]) -> Text:
    label = ngettext_lazy("{count} ticked user", "{count} ticked users", len(ids))
    return format_lazy(label, count=len(ids))


def _searched(access: OrgAccess, query: str) -> Who | None:
    form = UserSearchForm(QueryDict(query).dict(), countries=access.org.phone_countries, populations=access.populations)
    if not form.is_valid():
        return None
    told = ", ".join(map(str, _told(access, form)))
    label = format_lazy(_("All users that match: {search}"), search=told) if told else _("All users")
    return Who(source=Source.SEARCH, label=label, search=form)


def _inactive(access: OrgAccess, data: QueryDict) -> Who | None:
    """Return the inactive users of a search: all, or those who were ticked."""
    form, ids = InactiveForm(QueryDict(data.get("inactive", "")).dict(), access=access), _ids(data)
    if not form.is_valid() or (TICKED in data and not ids):
        return None
    label = format_lazy("{}: {}", _count_of(ids), form.told) if ids else form.told
    return Who(source=Source.INACTIVE, label=label, inactive=form, ids=ids)


def _told(access: OrgAccess, form: UserSearchForm) -> Iterable[Text]:
    """Yield the parts of a search in words."""
    criteria = form.criteria
    if criteria.text:
        yield format_lazy(_("“{text}”"), text=criteria.text)
    if criteria.population_id:
        yield _population_name(access, criteria.population_id)
    if criteria.group_id:
        yield group_name(access, criteria.group_id)
    if criteria.enabled is not None:
        yield _("activated") if criteria.enabled else _("deactivated")
    if criteria.raw_filter:
        yield criteria.raw_filter


def _all_of(access: OrgAccess, source: Job.Source, target_id: UUID) -> Who | None:
    if source == Source.GROUP:
        told, name = _("All members of {name}"), group_name(access, target_id)
    elif access.sees_population(target_id):
        told, name = _("All users in {name}"), _population_name(access, target_id)
    else:
        return None
    return Who(source=source, label=format_lazy(told, name=name), target_id=target_id)


def _population_name(access: OrgAccess, population_id: UUID) -> str:
    known = {population.id: population.name for population in known_populations(access)}
    return known.get(population_id) or str(population_id)


def list_of(access: OrgAccess, who: Who) -> PeopleList:
    """Return the list of these people, frozen as they were chosen. A file has its list already."""
    if who.search is not None:
        criteria = who.search.criteria
        return lists.from_search(
            access,
            text=criteria.text,
            raw_filter=criteria.raw_filter,
            population_id=criteria.population_id,
            group_id=criteria.group_id,
            enabled=criteria.enabled,
        )
    if who.inactive is not None:
        return lists.from_inactive(access, replace(who.inactive.criteria, ids=who.ids))
    if who.target_id is None:
        return lists.from_selection(access, who.ids)
    return (lists.from_group if who.source == Source.GROUP else lists.from_population)(access, who.target_id)
