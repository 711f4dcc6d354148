"""The choices that PingOne offers in an action's form: pairs of value and label."""

from pingone_integration import groups, populations
from pingone_integration.calls.api import PingOneApi
from pingone_integration.users import User

Choices = list[tuple[str, str]]


def populations_to_choose(api: PingOneApi, user: User | None) -> Choices:
    """Return the populations, the default one first, since most users belong there."""
    found = sorted(populations.all_of(api), key=lambda population: not population.is_default)
    return [(str(population.id), population.name) for population in found]


def other_populations(api: PingOneApi, user: User | None) -> Choices:
    return [
        (str(population.id), population.name)
        for population in populations.all_of(api)
        if user is None or population.id != user.population_id
    ]


def groups_to_join(api: PingOneApi, user: User | None) -> Choices:
    """Return the groups of PingOne's first page that are open to the user's population."""
    return [
        (str(group.id), group.name)
        for group in groups.first(api)
        if group.population_id is None or user is None or group.population_id == user.population_id
    ]
