"""PingOne populations: the divisions of an environment's users."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.values import Json, identifier, json_object, text, whole_number

PAGE_SIZE = 200
MAX_LISTED = 1_000


@dataclass(frozen=True, kw_only=True)
class Population:
    """The part of a PingOne population that is used here."""

    id: UUID
    name: str
    description: str
    is_default: bool
    user_count: int | None  # None if PingOne does not say
    password_policy_id: UUID | None  # None for the environment's default policy
    preferred_language: str  # default of its users; empty for the environment's


def all_of(api: PingOneApi, *, most: int = MAX_LISTED) -> tuple[Population, ...]:
    """Return the populations by name, but only the first `most` that PingOne lists.

    Source: PingOne API reference, Populations > Read All Populations (read 2026-11): at most 10,000 to an environment.
    """

    def read(cursor: str | None) -> Page[Population]:
        return api.get_page("/populations", "populations", population_of, query={"limit": PAGE_SIZE}, cursor=cursor)

    found: list[Population] = []
    for page in pages_of(read):
        found += page.items
        if len(found) >= most:
            break
    return tuple(sorted(found[:most], key=lambda population: population.name.casefold()))


def population_of(body: Json) -> Population | None:
    population_id = identifier(body.get("id"))
    if population_id is None:
        return None
    return Population(
        id=population_id,
        name=text(body.get("name")),
        description=text(body.get("description")),
        is_default=body.get("default") is True,
        user_count=whole_number(body.get("userCount")),
        password_policy_id=identifier(json_object(body.get("passwordPolicy")).get("id")),
        preferred_language=text(body.get("preferredLanguage")),
    )
