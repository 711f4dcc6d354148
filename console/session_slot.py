"""One value in the browser session: everything that the console keeps there has a slot of its own."""

from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase


@dataclass(frozen=True)
class SessionSlot:
    """Holds one JSON value of one browser; it ends with the session."""

    session: SessionBase
    key: str  # the slot's own, with the id of the organization or connection that the value belongs to

    def get(self) -> Any:
        """None: the slot is empty."""
        return self.session.get(self.key)

    def set(self, value: Any) -> None:
        self.session[self.key] = value

    def pop(self) -> Any:
        """Empty the slot and return what was in it; None: it was empty."""
        return self.session.pop(self.key, None)
