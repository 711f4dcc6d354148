"""Profiles of PingOne users: creation, changes (with optimistic locking), and attributes that PingOne ignored."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import ChangedMeanwhile, InvalidValue, Unavailable
from pingone_integration.typed.text import without_joiners
from pingone_integration.users import User, user_of
from pingone_integration.values import Json, json_object, printable

# Our names of the attributes that every environment has, and their paths in PingOne's JSON.
# Source: PingOne API reference, Users > Users data model (read 2026-11).
ATTRIBUTES = {
    "username": "username",
    "email": "email",
    "given_name": "name.given",
    "middle_name": "name.middle",
    "family_name": "name.family",
    "formatted_name": "name.formatted",
    "name_prefix": "name.honorificPrefix",
    "name_suffix": "name.honorificSuffix",
    "nickname": "nickname",
    "title": "title",
    "type": "type",
    "primary_phone": "primaryPhone",
    "mobile_phone": "mobilePhone",
    "preferred_language": "preferredLanguage",
    "locale": "locale",
    "timezone": "timezone",
    "street_address": "address.streetAddress",
    "locality": "address.locality",
    "region": "address.region",
    "postal_code": "address.postalCode",
    "country_code": "address.countryCode",
    "account_id": "accountId",
    "external_id": "externalId",
    "photo_url": "photo.href",
}
_NAMES = {path: name for name, path in ATTRIBUTES.items()}
_CUSTOM = "custom."
_EMPTY: tuple[Any, ...] = ("", None, [])

Profile = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A user as PingOne returned them, and the attributes that it silently ignored."""

    user: User
    not_taken: tuple[str, ...]  # our names
    without_joiners: tuple[str, ...] = ()  # our names: saved without the zero-width joiners that their script needs


def name_of(path: str) -> str:
    """Return our name of the attribute at e.g. `name.given`, as in an error's target, or its `custom_name`."""
    return _NAMES.get(path) or custom_name(path)


def custom_name(attribute: str) -> str:
    """Return our name of a custom attribute: its own, with a prefix if we use it already, as with `region`."""
    return f"{_CUSTOM}{attribute}" if attribute in ATTRIBUTES else attribute


def paths_of(names: Iterable[str]) -> frozenset[str]:
    """Return PingOne's paths of the attributes with these names of ours."""
    return frozenset(ATTRIBUTES.get(name) or name.removeprefix(_CUSTOM) for name in names)


def names_at(path: str) -> frozenset[str]:
    """Return our names of the attributes at PingOne's path, above it and below, in any letters.

    Its own name if it is custom.
    """
    at = f"{path.casefold()}."
    found = {name for known, name in _NAMES.items() if f"{known}.".casefold().startswith(at)}
    found |= {name for known, name in _NAMES.items() if at.startswith(f"{known}.".casefold())}
    return frozenset(found or {custom_name(path)})


def values_of_custom(user: User) -> dict[str, Any]:
    return {custom_name(attribute): value for attribute, value in user.custom.items()}


def read(api: PingOneApi, user_id: UUID) -> dict[str, Any]:
    """Read the profile by our names, including custom attributes; missing values are empty. Raises NotFound."""
    body = api.get(f"/users/{user_id}")
    found = user_of(body)
    return {name: _at(body, name) or "" for name in ATTRIBUTES} | (values_of_custom(found) if found else {})


def as_typed(user_id: UUID, *, profile: Profile, population_id: UUID | None = None) -> User:
    """Return a user with this profile who is not at PingOne. Only what was typed is known of them."""
    given = {name: value for name, value in profile.items() if value not in _EMPTY}
    body = _json_of(given) | {"id": str(user_id), "population": {"id": str(population_id)} if population_id else {}}
    found = user_of(body)
    assert found is not None  # noqa: S101 - it has an ID
    return found


def create(api: PingOneApi, *, profile: Profile, population_id: UUID | None = None) -> Written:
    """Create a user without a password. If `population_id` is None, in the environment's default population.

    Raises Duplicate if the username is taken, perhaps in a population that the administrator may not see.
    After Unavailable, the user may exist: search for the username before a retry.
    Source: PingOne API reference, Users > Create User (read 2026-11): it ignores attributes that it does not know.
    """
    given = {name: value for name, value in profile.items() if value not in _EMPTY}
    sent = _json_of(given)
    if population_id:
        sent["population"] = {"id": str(population_id)}
    return _written(_without_joiners_if_refused(partial(api.post, "/users"), sent), given)


def update(
    api: PingOneApi,
    user_id: UUID,
    *,
    changes: Profile,
    seen: Profile | None = None,
    seen_at: datetime | None = None,
) -> Written:
    """Change only these attributes; an empty value clears an attribute.

    Raises ChangedMeanwhile if someone else has changed one of these attributes: `seen` has their values as they were
    edited. For an attribute that it lacks, `seen_at` decides: the user's `updated_at` at that time. In PingOne itself,
    the last write wins.
    Source: PingOne API reference, Users > Update User (PATCH) (read 2026-11): null clears, unknown attributes are
    ignored. It does not say whether unsent parts of `name` and `address` stay, so all parts are sent.
    """
    current = api.get(f"/users/{user_id}")
    found = user_of(current)
    is_newer = bool(seen_at and found and found.updated_at != seen_at)
    if any(_is_overwritten(name, value, current, seen or {}, is_newer) for name, value in changes.items()):
        raise ChangedMeanwhile
    patch = _json_of(changes)
    for whole in ("name", "address"):
        if whole in patch:
            patch[whole] = json_object(current.get(whole)) | patch[whole]
            if all(part is None for part in patch[whole].values()):
                patch[whole] = None
    answer = _without_joiners_if_refused(partial(api.patch, f"/users/{user_id}"), patch)
    if not answer and found:
        return Written(user=found, not_taken=())  # the caller collects empty answers, and reads the user again
    return _written(answer, changes)


def _is_overwritten(name: str, value: Any, current: Json, seen: Profile, is_newer: bool) -> bool:
    """Return whether writing the value would replace a change by someone else."""
    if name not in seen:
        return is_newer
    now = printable(_at(current, name))
    return not _equal(now, seen[name]) and not _equal(now, value)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other) or (one in _EMPTY and other in _EMPTY)


def _json_of(profile: Profile) -> Json:
    body: Json = {}
    for name, value in profile.items():
        outer, _, inner = _path_of(name)
        stored = None if value in _EMPTY else value
        if outer == "photo":
            body[outer] = stored and {inner: stored}
        elif inner:
            body.setdefault(outer, {})[inner] = stored
        else:
            body[outer] = stored
    return body


def _path_of(name: str) -> tuple[str, str, str]:
    """Return the path as by `partition`; the name of a custom attribute is never split."""
    return ATTRIBUTES[name].partition(".") if name in ATTRIBUTES else (name.removeprefix(_CUSTOM), "", "")


def _at(body: Json, name: str) -> Any:
    outer, _, inner = _path_of(name)
    return json_object(body.get(outer)).get(inner) if inner else body.get(outer)


def _without_joiners_if_refused(write: Callable[[Json], Json], body: Json) -> Json:
    """Write the body; if PingOne refuses a value, write it once more without zero-width joiners.

    Names in Persian or Hindi need them. Whether PingOne's rules for text allow them is unconfirmed; a refused write has
    changed nothing.
    """
    try:
        return write(body)
    except InvalidValue:
        plain: Json = json.loads(without_joiners(json.dumps(body, ensure_ascii=False)))
        if plain == body:
            raise
        return write(plain)


def _written(body: Json, sent: Profile) -> Written:
    found = user_of(body)
    if found is None:
        raise Unavailable("a user without an id", outcome_known=False)
    differing = [name for name, value in sent.items() if not _same(value, _at(body, name))]
    plainer = [
        name
        for name in differing
        if isinstance(sent[name], str) and _same(without_joiners(sent[name]), _at(body, name))
    ]
    not_taken = [name for name in differing if name not in plainer]
    return Written(user=found, not_taken=tuple(not_taken), without_joiners=tuple(plainer))


def _same(sent: Any, returned: Any) -> bool:
    """Compare values: PingOne omits empty values, and may change the case of e.g. an address."""
    if sent in _EMPTY:
        return returned in _EMPTY
    if isinstance(sent, str) and isinstance(returned, str):
        return sent.strip().casefold() == returned.strip().casefold()
    return bool(sent == returned)


def in_words(value: Any) -> str:
    """Return a value as text: a list of texts with one entry per line, other types as JSON; empty for None."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False)
