"""From the keys of a list to users: many keys to a call, and each match compared again.

Source: PingOne API reference, Users > Read All Users (read 2026-11): `eq` for username, email and externalId, but not
for the ID. A user with an ID is read by the username beside it, or by a call of their own.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from console import visible_users
from console.access import OrgAccess
from console.jobs.listed import KeyKind
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.errors import NotFound
from pingone_integration.user_search import BadFilter, Search, literal
from pingone_integration.users import User

_ATTRIBUTES = {KeyKind.USERNAME: "username", KeyKind.EMAIL: "email", KeyKind.EXTERNAL_ID: "externalId"}
_PAGE = 200
_MOST_AT_ONCE = 100  # keys: one page holds them all, and some that are there twice

Found = Mapping[str, tuple[User, ...]]


@dataclass(frozen=True)
class Key:
    text: str
    username: str = ""  # written beside an ID, to find many with one call


def as_compared(key: str) -> str:
    """Return the key as it is compared: compatibility forms and case do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()).strip()


def find(access: OrgAccess, api: PingOneApi, kind: KeyKind, keys: Iterable[Key]) -> Found:
    """Return the users with each key, as `as_compared` spells it. Several users: the key is ambiguous.

    Only users that the operator may see: somebody outside their populations is not there. Raises as visible_users.
    """
    if kind is KeyKind.ID:
        return _by_id(access, api, {as_compared(key.text): key for key in keys})
    return _by_value(access, api, kind, [key.text for key in keys])


def _by_value(access: OrgAccess, api: PingOneApi, kind: KeyKind, keys: Sequence[str]) -> Found:
    sought = {as_compared(key) for key in keys if key.strip()}
    found: dict[str, dict[UUID, User]] = defaultdict(dict)
    for search in _searches(access, _ATTRIBUTES[kind], _spellings(keys)):
        for user in _users(access, api, search):
            if (held := as_compared(_held(user, kind))) in sought:
                found[held][user.id] = user
    return {key: tuple(users.values()) for key, users in found.items()}


def _users(access: OrgAccess, api: PingOneApi, search: Search) -> Iterator[User]:
    def read(cursor: str | None) -> Page[User]:
        return visible_users.search(access, api, search, limit=_PAGE, cursor=cursor)

    for page in pages_of(read):
        yield from page.items


def _by_id(access: OrgAccess, api: PingOneApi, keys: Mapping[str, Key]) -> Found:
    found: dict[str, tuple[User, ...]] = {}
    beside = [key.username for key in keys.values() if key.username]
    for users in _by_value(access, api, KeyKind.USERNAME, beside).values():
        found |= {str(user.id): (user,) for user in users if str(user.id) in keys}
    for key in keys.keys() - found.keys():
        with suppress(NotFound, ValueError):
            found[key] = (visible_users.get(access, api, UUID(key)),)
    return found


def _spellings(keys: Iterable[str]) -> list[str]:
    """Return the keys as written and as compared: PingOne may tell a full-width letter from a plain one."""
    both = (spelling for key in keys for spelling in (key.strip(), unicodedata.normalize("NFKC", key).strip()))
    return [spelling for spelling in dict.fromkeys(both) if spelling]


def _searches(access: OrgAccess, attribute: str, keys: Sequence[str]) -> Iterator[Search]:
    """Yield the fewest searches that PingOne takes. A key that is too long for any of them is nobody's."""
    waiting = [list(keys[start : start + _MOST_AT_ONCE]) for start in range(0, len(keys), _MOST_AT_ONCE)]
    while waiting:
        some = waiting.pop(0)
        condition = " or ".join(f"{attribute} eq {literal(key)}" for key in some)
        try:
            yield visible_users.search_of(access, raw_filter=condition)
        except BadFilter:
            if len(some) > 1:
                half = len(some) // 2
                waiting[:0] = [some[:half], some[half:]]


def _held(user: User, kind: KeyKind) -> str:
    return {KeyKind.USERNAME: user.username, KeyKind.EMAIL: user.email}.get(kind, user.external_id)
