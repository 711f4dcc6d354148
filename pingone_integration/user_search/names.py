"""Names: the conditions that find a user by the beginning of the name shown, in any usual order of its parts.

A typed text is taken as the beginning of some parts of a name in a row. Each part may have several words, so every
place between two words may be where a part ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from pingone_integration.user_search.conditions import both, either, starts_with
from pingone_integration.user_search.spellings import accented, typographic, unaccented
from pingone_integration.user_search.typed import Typed

GIVEN, MIDDLE, FAMILY = "name.given", "name.middle", "name.family"
_WHOLE = ("username", "email", "name.formatted", "nickname", "accountId", "externalId")
_IDENTIFIERS = frozenset({"email", "accountId", "externalId"})
_ONLY_LETTERS = frozenset({FAMILY, "name.formatted"})  # and ' . - and space, by PingOne's rule

Order = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Breadth:
    """The orders of a name's parts that a search expects, and its spellings. Fewer take less space."""

    orders: frozenset[Order]
    rare_forms: bool = False  # of apostrophes and dashes
    accents: bool = False


_ANY_ORDER = frozenset(order for length in (1, 2, 3) for order in permutations((GIVEN, MIDDLE, FAMILY), length))
_USUAL_ORDERS = frozenset(
    {(GIVEN,), (FAMILY,), (MIDDLE,)}
    | {(GIVEN, FAMILY), (FAMILY, GIVEN), (GIVEN, MIDDLE), (MIDDLE, FAMILY)}
    | {(GIVEN, MIDDLE, FAMILY), (FAMILY, GIVEN, MIDDLE)}
)
NARROWEST = Breadth(orders=_USUAL_ORDERS)
_BREADTHS = (
    Breadth(orders=_ANY_ORDER, rare_forms=True, accents=True),
    Breadth(orders=_USUAL_ORDERS, rare_forms=True, accents=True),
    Breadth(orders=_USUAL_ORDERS, rare_forms=True),
    NARROWEST,
)

_StartsWith = Callable[[str, int, int], str]  # attribute, first word, word after the last


def breadths_of(text: Typed) -> tuple[Breadth, ...]:
    """Return the breadths to try, the greatest first. Any order of four words or more never fits."""
    return tuple(breadth for breadth in _BREADTHS if len(text) <= 3 or breadth.orders is _USUAL_ORDERS)


def name_conditions(text: Typed, breadth: Breadth) -> str:
    """Return the condition of a user whose name, username or identifier starts with the text."""

    @cache
    def part(attribute: str, start: int, end: int) -> str:
        clean, *raw = text.part(start, end)
        return starts_with(attribute, _spellings(attribute, clean, raw, breadth))

    whole = [part(attribute, 0, len(text)) for attribute in _WHOLE if attribute != "email" or len(text) == 1]
    return either([*whole, _in_parts(part, 0, len(text), (), breadth.orders)])


def _in_parts(part: _StartsWith, start: int, end: int, before: Order, orders: frozenset[Order]) -> str:
    """Return the condition that the words from `start` begin the parts of a name that follow the parts `before`."""
    conditions = []
    for attribute in (GIVEN, FAMILY, MIDDLE):
        order = (*before, attribute)
        if order not in orders:
            continue
        conditions.append(part(attribute, start, end))
        if any(longer[:-1] == order for longer in orders):
            conditions += [
                both(part(attribute, start, place), _in_parts(part, place, end, order, orders))
                for place in range(start + 1, end)
            ]
    return either(conditions)


def _spellings(attribute: str, clean: str, raw: list[str], breadth: Breadth) -> list[str]:
    """Return the spellings to look for. The text as typed is among them: it may be copied from where it is shown."""
    if attribute in _IDENTIFIERS:
        return [clean, *raw]
    spellings = [*typographic(clean, only_letters=attribute in _ONLY_LETTERS, rare=breadth.rare_forms), *raw]
    if breadth.accents:
        spellings += unaccented(clean)
        spellings += accented(clean) if attribute in {GIVEN, FAMILY} else ()
    return spellings
