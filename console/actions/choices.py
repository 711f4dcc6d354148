"""The choices that PingOne offers in an action's form: pairs of value and label."""

from console.access import OrgAccess
from pingone_integration import groups, populations
from pingone_integration.populations import Population
from pingone_integration.users import User

Choices = list[tuple[str, str]]


def populations_to_choose(access: OrgAccess, user: User | None) -> Choices:
    """Return the operator's populations, the default one first, since most users belong there."""
    found = sorted(_populations(access), key=lambda population: not population.is_default)
    return [(str(population.id), population.name) for population in found]


def other_populations(access: OrgAccess, user: User | None) -> Choices:
    return [
        (str(population.id), population.name)
        for population in _populations(access)
        if user is None or population.id != user.population_id
    ]


def groups_to_join(access: OrgAccess, user: User | None) -> Choices:
    """Return the groups of PingOne's first page that are open to the user's population."""
    return [
        (str(group.id), group.name)
        for group in groups.first(access.pingone())
        if group.population_id is None or user is None or group.population_id == user.population_id
    ]


def _populations(access: OrgAccess) -> list[Population]:
    """Return the populations that the operator sees, which are the only ones to put a user into."""
    found = populations.all_of(access.pingone())
    return [population for population in found if access.sees_population(population.id)]
