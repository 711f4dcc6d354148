"""The users that the keys of a list mean, asked for many to a call, and each match compared again.

Source: PingOne API reference, Users > Read All Users (read 2026-11): `eq` for username, email and externalId, but not
for the ID.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from console import visible_users
from console.access import OrgAccess
from console.jobs.listed import KeyKind
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import pages_of
from pingone_integration.errors import NotFound
from pingone_integration.user_search import BadFilter, id_text_in, literal
from pingone_integration.user_search.conditions import size_of
from pingone_integration.users import User
from pingone_integration.values import identifier

_ATTRIBUTES = {KeyKind.USERNAME: "username", KeyKind.EMAIL: "email", KeyKind.EXTERNAL_ID: "externalId"}
_LONGEST = 2_800  # bytes of conditions in one filter; with the populations, PingOne takes little more
_PAGE = 200

Term = tuple[str, str]  # PingOne's attribute, and the value to look for
Found = Mapping[Term, tuple[User, ...]]


def folded(value: str) -> str:
    """Return the value as it is compared: case and compatibility forms, as of full-width letters, do not count."""
    return _plain(_plain(value).casefold()).strip()


def with_keys(
    access: OrgAccess,
    api: PingOneApi,
    kind: KeyKind,
    keys: Iterable[str],
    *,
    usernames: Mapping[str, str] | None = None,
) -> dict[str, tuple[User, ...]]:
    """Return the users by key; several mean that the key is ambiguous. Raises PingOneErrors.

    PingOne has no filter by ID. A user is found by the username that the list says beside the ID, in `usernames` by
    key, or read by a call of their own.
    """
    asked = dict.fromkeys(keys)
    if kind is KeyKind.ID:
        beside = matching(access, api, [("username", one) for one in (usernames or {}).values()])
        known = {str(user.id): (user,) for users in beside.values() for user in users}
        return {key: known.get(id_text_in(key).lower()) or _by_id(access, api, key) for key in asked}
    attribute = _ATTRIBUTES[kind]
    found = matching(access, api, [(attribute, key) for key in asked])
    return {key: found.get((attribute, folded(key)), ()) for key in asked}


def matching(access: OrgAccess, api: PingOneApi, terms: Iterable[Term], *, within: str = "") -> Found:
    """Return the users that the operator may see, by the terms that they match. `within` is one more condition.

    The values in the result are folded. PingOne may find more than was asked for, and tell a full-width letter from
    a plain one: it is asked for both spellings.
    """
    found: dict[Term, dict[UUID, User]] = defaultdict(dict)
    for some in _in_filters(dict.fromkeys(_spellings(terms))):
        wanted = {(attribute, folded(value)) for attribute, value in some}
        for user in _search(access, api, some, within):
            for term in _terms_of(user):
                if term in wanted:
                    found[term][user.id] = user
    return {term: tuple(users.values()) for term, users in found.items()}


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", value)


def _spellings(terms: Iterable[Term]) -> Iterator[Term]:
    for attribute, value in terms:
        for spelling in (value.strip(), _plain(value).strip()):
            if spelling:
                yield attribute, spelling


def _by_id(access: OrgAccess, api: PingOneApi, key: str) -> tuple[User, ...]:
    user_id = identifier(id_text_in(key))
    if user_id is None:
        return ()
    try:
        return (visible_users.get(access, api, user_id),)
    except NotFound:
        return ()


def _terms_of(user: User) -> Iterator[Term]:
    yield "username", folded(user.username)
    yield "email", folded(user.email)
    yield "externalId", folded(user.external_id)
    yield "mobilePhone", folded(user.mobile_phone)
    yield "primaryPhone", folded(user.primary_phone)


def _in_filters(terms: Iterable[Term]) -> Iterator[list[Term]]:
    part: list[Term] = []
    length = 0
    for term in terms:
        own = size_of(f"{_condition(term)} or ")
        if part and length + own > _LONGEST:
            yield part
            part, length = [], 0
        part.append(term)
        length += own
    if part:
        yield part


def _condition(term: Term) -> str:
    return f"{term[0]} eq {literal(term[1])}"


def _search(access: OrgAccess, api: PingOneApi, terms: list[Term], within: str) -> Iterator[User]:
    condition = " or ".join(map(_condition, terms))
    try:
        sought = visible_users.search_of(access, raw_filter=f"({condition}) and {within}" if within else condition)
    except BadFilter:
        if len(terms) == 1:
            return  # longer than PingOne takes: nobody has such a key
        for half in (terms[: len(terms) // 2], terms[len(terms) // 2 :]):
            yield from _search(access, api, half, within)
        return
    for page in pages_of(lambda cursor: visible_users.search(access, api, sought, limit=_PAGE, cursor=cursor)):
        yield from page.items
