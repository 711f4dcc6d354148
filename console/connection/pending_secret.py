"""The client secret of a rejected form, kept so that a mistake in another field does not cost it."""

from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase

from console.session_slot import SessionSlot
from pingone_integration.errors import SealBroken
from pingone_integration.models import Connection
from pingone_integration.sealing import seal, unseal


@dataclass(frozen=True)
class PendingSecret:
    """The secret of one connection, sealed in the operator's session. It ends with the session; no page shows it."""

    session: SessionBase
    connection: Connection

    def get(self) -> str | None:
        """Return the secret, or None if no readable secret is kept."""
        sealed = self._slot.get()
        try:
            return unseal(self._slot.key, sealed) if sealed else None
        except SealBroken:
            return None

    def set(self, secret: str) -> None:
        self._slot.set(seal(self._slot.key, secret))

    def clear(self) -> None:
        self._slot.pop()

    @property
    def exists(self) -> bool:
        return self.get() is not None

    @property
    def _slot(self) -> SessionSlot:
        return SessionSlot(self.session, f"pending-secret/{self.connection.pk}")
