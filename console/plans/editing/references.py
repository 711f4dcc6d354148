"""The groups and populations that a plan names by ID: their names here, and those that do not exist here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.plans.definition import ActionStep, Definition, Problem
from pingone_integration import groups, populations
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import NotFound, PingOneError
from pingone_integration.values import identifier

_AT_ONCE = 8
GROUP, POPULATION = "group_id", "population_id"  # the inputs that name one

_MISSING: dict[str, Any] = {
    GROUP: _("The group {name} does not exist in this environment. Choose another one."),
    POPULATION: _("The population {name} does not exist in this environment. Choose another one."),
}
_UNKNOWN = _("PingOne did not say whether {name} exists. Try again.")


@dataclass(frozen=True, kw_only=True)
class References:
    """What PingOne says of the IDs of a plan."""

    names: Mapping[UUID, str]  # of those that exist
    missing: frozenset[UUID]


def ids_in(definition: Definition) -> Iterator[tuple[int, str, UUID]]:
    """Yield each ID that a plan names: with the number of the step, and the name of the input."""
    for number, step in definition.numbered():
        if isinstance(step, ActionStep):
            for name in (GROUP, POPULATION):
                if found := identifier(step.inputs.get(name)):
                    yield number, name, found


def looked_up(access: OrgAccess, definition: Definition) -> References:
    """Ask PingOne for the groups and populations of a plan. Where it does not answer, nothing is known of them."""
    asked: dict[str, set[UUID]] = {GROUP: set(), POPULATION: set()}
    for _number, name, found in ids_in(definition):
        asked[name].add(found)
    names: dict[UUID, str] = {}
    missing: set[UUID] = set()
    try:
        if asked[POPULATION]:
            seen = {one.id: one.name for one in populations.all_of(access.pingone()) if access.sees_population(one.id)}
            names |= {one: seen[one] or str(one) for one in asked[POPULATION] & seen.keys()}
            missing |= asked[POPULATION] - seen.keys()
        for group_id, answer in _groups(access, sorted(asked[GROUP])):
            if isinstance(answer, NotFound):
                missing.add(group_id)
            elif not isinstance(answer, PingOneError):
                names[group_id] = answer.name or str(group_id)
    except PingOneError:
        pass
    return References(names=names, missing=frozenset(missing))


def _groups(access: OrgAccess, wanted: list[UUID]) -> Iterator[tuple[UUID, Any]]:
    api = access.pingone() if wanted else None
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        if api:
            yield from zip(some, at_once(api, *(partial(groups.get, group_id=one) for one in some)), strict=True)


def problems_in(definition: Definition, found: References, told: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the IDs that lead nowhere here. `told`: the names that an imported file gives, by ID."""
    for number, name, one in ids_in(definition):
        if one in found.names:
            continue
        shown = f"“{told[str(one)]}” ({one})" if str(one) in told else str(one)
        reason = _MISSING[name] if one in found.missing else _UNKNOWN
        yield Problem(step=number, reason=format_lazy(reason, name=shown))
