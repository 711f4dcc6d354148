"""The whole filter of a search: the conditions of its text, shortened until PingOne takes it, and its filters."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text
from pingone_integration.user_search.conditions import either, literal, size_of, starts_with
from pingone_integration.user_search.names import NARROWEST, breadths_of, name_conditions
from pingone_integration.user_search.phones import needs_country, phone_conditions, phone_number_in
from pingone_integration.user_search.typed import Typed, address_in, cleaned, typed

# PingOne accepts 6 KB for all headers together, URL included; an access token takes up to half of it.
MAX_FILTER_BYTES = 3_000
_MOST_WORDS = 5  # the conditions of more words never fit, and those of so many letters not of all scripts
_MOST_LETTERS = 100

FILTERABLE = (
    "username, email, name.given, name.family, name.middle, name.formatted, nickname, title, type, primaryPhone, "
    "mobilePhone, accountId, externalId, enabled, population.id, locale, timezone, preferredLanguage, "
    "address.streetAddress, address.locality, address.region, address.postalCode, address.countryCode, "
    "memberOfGroups[id eq]"
)


class BadFilter(ValueError):
    """The SCIM filter cannot be sent. The message is for the person who typed it."""

    def __init__(self, message: Text) -> None:
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The criteria of a search; all of them must match."""

    text: str = ""
    raw_filter: str = ""  # SCIM, typed under Advanced
    population_id: UUID | None = None
    group_id: UUID | None = None
    enabled: bool | None = None
    countries: tuple[str, ...] = ()  # ISO 3166 codes: where numbers without a country code belong
    populations: frozenset[UUID] | None = None  # the only ones to search; None: all


@dataclass(frozen=True, kw_only=True)
class Search:
    """A search as PingOne gets it, and what to tell about it."""

    scim: str = ""  # empty without criteria
    populations: frozenset[UUID] | None = None  # as in the criteria
    matches_nobody: bool = False  # no population is left to search: `scim` must not be sent
    has_criteria: bool = False  # besides `populations`
    meaning: Text = ""  # of the text, to follow "Searched for"; empty without a text
    shortened_to: str = ""  # the part of the text that is searched, if PingOne takes no more
    needs_country_code: bool = False  # the text is a national phone number, and its country is unknown
    is_name: bool = False


def filter_of(criteria: Criteria) -> str:
    """Return the SCIM filter, empty without criteria. Raises BadFilter."""
    return search_of(criteria).scim


def search_of(criteria: Criteria) -> Search:
    """Return the search. A text that is too long is shortened; the other criteria never are.

    Raises BadFilter if the raw filter is not balanced or leaves no room.
    """
    text = criteria.text.strip()
    within = _populations_to_search(criteria)
    others = list(_other_conditions(criteria, within))
    room = MAX_FILTER_BYTES - size_of(" and ".join(["()", *others]))
    if room < 0:
        raise BadFilter(_("This SCIM filter is too long for PingOne."))
    about = Search(
        populations=criteria.populations,
        matches_nobody=within is not None and not within,
        has_criteria=bool(text) or criteria != Criteria(countries=criteria.countries, populations=criteria.populations),
    )
    if not text:
        return replace(about, scim=_joined(others))
    for attempt in _attempts(text, criteria.countries):
        if size_of(attempt.condition) <= room:
            return replace(
                about,
                scim=_joined([f"({attempt.condition})", *others]),
                meaning=_meaning_of(text),
                shortened_to=attempt.shortened_to,
                needs_country_code=not criteria.countries and needs_country(_phone_number_in(text)),
                is_name=not address_in(text) and not _phone_number_in(text),
            )
    raise BadFilter(_("This SCIM filter leaves no room for a search text. Make it shorter."))


@dataclass(frozen=True)
class _Attempt:
    condition: str
    shortened_to: str = ""


def _attempts(text: str, countries: tuple[str, ...]) -> Iterator[_Attempt]:
    """Yield conditions for the text, the best first. Later ones take less space."""
    words, address, number = typed(text), address_in(text), _phone_number_in(text)
    if address:
        narrow = name_conditions(typed(address), NARROWEST)
        yield _Attempt(either([narrow, name_conditions(words, NARROWEST)]))
        yield _Attempt(narrow)
        words = typed(address)
    elif number:
        for formatted in (True, False):
            phone = phone_conditions(number, countries, formatted=formatted)
            yield _Attempt(either([phone, name_conditions(words, NARROWEST)]))
            yield _Attempt(either([phone, starts_with("username", [words.text, words.clean])]))
    elif len(words) <= _MOST_WORDS and len(text) <= 2 * _MOST_LETTERS:
        yield from (_Attempt(name_conditions(words, breadth)) for breadth in breadths_of(words))
    yield from (_Attempt(name_conditions(shorter, NARROWEST), shorter.clean) for shorter in _shorter(words))


def _shorter(words: Typed) -> Iterator[Typed]:
    """Yield the text without its last words, down to the first word, then less and less of that."""
    for count in range(min(len(words) - 1, _MOST_WORDS), 0, -1):
        if len(words.first(count).text) <= 2 * _MOST_LETTERS:
            yield words.first(count)
    word = words.first(1).cut(_MOST_LETTERS)
    yield word
    while len(word.text) > 1:
        word = word.cut(len(word.text) * 2 // 3)
        yield word


def _phone_number_in(text: str) -> str:
    return phone_number_in(cleaned(text))


def _meaning_of(text: str) -> Text:
    if address := address_in(text):
        return format_lazy(_("email addresses and usernames starting with “{text}”"), text=address)
    shown = typed(text).clean or text
    if number := _phone_number_in(text):
        return format_lazy(_("the phone number {number}, written in several ways"), number=number)
    if " " in shown:
        return format_lazy(_("names starting with “{text}”, in any order"), text=shown)
    return format_lazy(_("names, usernames, email addresses and other IDs starting with “{text}”"), text=shown)


def _populations_to_search(criteria: Criteria) -> frozenset[UUID] | None:
    """Return the populations that a user must be in one of, or None for all of them."""
    if criteria.population_id is None:
        return criteria.populations
    chosen = frozenset({criteria.population_id})
    return chosen if criteria.populations is None else chosen & criteria.populations


def _other_conditions(criteria: Criteria, within: frozenset[UUID] | None) -> Iterator[str]:
    if raw := criteria.raw_filter.strip():
        _check_balance(raw)
        yield f"({raw})"
    if within:
        populations = either(f"population.id eq {literal(one)}" for one in sorted(map(str, within)))
        yield populations if len(within) == 1 else f"({populations})"
    if criteria.group_id:
        yield f"memberOfGroups[id eq {literal(str(criteria.group_id))}]"
    if criteria.enabled is not None:
        yield f"enabled eq {'true' if criteria.enabled else 'false'}"


def _joined(conditions: list[str]) -> str:
    alone = len(conditions) == 1 and conditions[0].startswith("(")
    return conditions[0][1:-1] if alone else " and ".join(conditions)


def _check_balance(raw: str) -> None:
    """Require balanced quotation marks and brackets, so that the filter stays one condition of several."""
    open_brackets: list[str] = []
    quoted = escaped = False
    for character in raw:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "([":
            open_brackets.append(character)
        elif character in ")]" and (not open_brackets or open_brackets.pop() + character not in {"()", "[]"}):
            raise BadFilter(format_lazy(_("The opening bracket for “{bracket}” is missing."), bracket=character))
    if quoted:
        raise BadFilter(_("A closing quotation mark is missing."))
    if open_brackets:
        raise BadFilter(format_lazy(_("The closing bracket for “{bracket}” is missing."), bracket=open_brackets[-1]))
