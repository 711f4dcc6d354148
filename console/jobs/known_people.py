"""Who the new users of a list may already be: people with the same username, email, external ID or phone number."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.access import OrgAccess
from console.jobs import people
from pingone_integration.calls.api import PingOneApi
from pingone_integration.user_search.phones import phone_number_in, spellings_of
from pingone_integration.users import User

_PHONES = {"mobile_phone": "mobilePhone", "primary_phone": "primaryPhone"}
_BY = {"email": "email", "external_id": "externalId"}

Profile = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class KnownPeople:
    found: people.Found
    countries: tuple[str, ...]  # of national phone numbers

    def with_username(self, profile: Profile) -> User | None:
        return next(iter(self._with("username", profile["username"])), None)

    def perhaps(self, profile: Profile) -> list[User]:
        """Return everybody who may be this person, also those with the same username."""
        terms = _terms(profile, self.countries)
        return list({user.id: user for term in terms for user in self._with(*term)}.values())

    def _with(self, attribute: str, value: str) -> tuple[User, ...]:
        return self.found.get((attribute, people.folded(value)), ())


def known_people(access: OrgAccess, api: PingOneApi, profiles: Iterable[Profile]) -> KnownPeople:
    """Look for all of them together. Raises PingOneErrors."""
    countries = access.org.phone_countries
    terms = [term for profile in profiles for term in _terms(profile, countries)]
    return KnownPeople(found=people.matching(access, api, terms), countries=countries)


def _terms(profile: Profile, countries: tuple[str, ...]) -> Iterator[people.Term]:
    yield "username", profile["username"]
    for name, attribute in _BY.items():
        if value := profile.get(name):
            yield attribute, value
    for name in _PHONES:
        if value := profile.get(name):
            # A number counts however it is written, and as whichever of the two it is kept.
            for spelling in dict.fromkeys([value, *spellings_of(phone_number_in(value), countries)]):
                yield from ((attribute, spelling) for attribute in _PHONES.values())
