"""The actions of the catalogue that a request of Call API may amount to: a request is no way around their rules."""

from console.actions.affected import Affected
from console.actions.catalogue import ACTIONS
from pingone_integration.values import identifier

_OF_GROUPS = frozenset({"group.add", "group.remove"})
EVERY = frozenset(action.key for action in ACTIONS)


def amounts_to(method: str, path: str, affected: Affected) -> frozenset[str]:
    """Return every action that a write may be. What is not known to be harmless may be any of them."""
    if affected.anyone:
        return EVERY
    parts = _parts(path)
    if parts[:1] == ["groups"]:
        return _OF_GROUPS if affected.changes_groups else frozenset()
    exact = frozenset(key for key, (own, pattern) in _WAYS.items() if own == method and _is(parts, pattern))
    if len(parts) == _OF_A_USER and affected.attributes:  # a profile may say anything
        return exact | _BY_PROFILE
    return exact or frozenset(key for key, (_own, pattern) in _WAYS.items() if _touches(parts, pattern))


def _parts(path: str) -> list[str]:
    return [part.casefold() for part in path.split("/") if part]


def _way_of(endpoint: str) -> tuple[str, list[str]]:
    """Return method and path of an endpoint as the catalogue writes it: `PUT /users/{user}/enabled (a note)`."""
    method, path = endpoint.split()[:2]
    return method, _parts(path.rstrip(","))


_WAYS = {action.key: _way_of(action.endpoint) for action in ACTIONS}
_OF_A_USER = 2  # parts of a path: users, and an ID
_BY_PROFILE = frozenset({"user.update", "user.move", "user.activate", "user.deactivate", "mfa.enable", "mfa.disable"})


def _is(parts: list[str], pattern: list[str]) -> bool:
    return len(parts) == len(pattern) and all(map(_matches, parts, pattern))


def _touches(parts: list[str], pattern: list[str]) -> bool:
    """Return whether a path is on the same resource of a user, above or below."""
    least = min(len(parts), len(pattern))
    return least > _OF_A_USER and all(map(_matches, parts[:least], pattern[:least]))


def _matches(part: str, wanted: str) -> bool:
    return identifier(part) is not None if wanted.startswith("{") else part == wanted
