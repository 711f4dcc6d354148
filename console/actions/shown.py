"""What a preview showed of a user, to compare with the user when the action runs (optimistic locking)."""

from collections.abc import Iterable
from typing import Any

from console.actions.profile_forms import profile_values
from pingone_integration.profiles import values_of_custom
from pingone_integration.users import User

ALWAYS = ("enabled", "population_id")  # whatever the action is about
_OF_USER = frozenset({*ALWAYS, "is_locked", "mfa_enabled", "last_sign_on_at"})


def is_shown(name: str) -> bool:
    """Return whether this value that an action changes can be read from the user alone."""
    return name in _OF_USER


def shown_of(user: User, names: Iterable[str]) -> dict[str, Any]:
    """Return these values of the user: of the account, or of the profile by our names."""
    profile = profile_values(user) | values_of_custom(user)
    return {name: getattr(user, name) if name in _OF_USER else profile.get(name, "") for name in names}
