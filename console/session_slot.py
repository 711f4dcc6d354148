"""One value in the browser session: every value that the console keeps there has its own slot."""

from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase


@dataclass(frozen=True)
class SessionSlot:
    """One JSON value of one browser. It ends with the session."""

    session: SessionBase
    key: str  # unique, with the ID of the organization or connection if the value belongs to one

    def get(self) -> Any:
        """Return the value, or None if the slot is empty."""
        return self.session.get(self.key)

    def set(self, value: Any) -> None:
        self.session[self.key] = value

    def pop(self) -> Any:
        """Empty the slot. Return its value, or None if it was empty."""
        return self.session.pop(self.key, None)
