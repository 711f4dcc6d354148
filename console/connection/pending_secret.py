"""A client secret typed into a form that was not accepted: kept, so that a typing mistake elsewhere costs nothing."""

from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase

from pingone_integration.errors import SealBroken
from pingone_integration.models import Connection
from pingone_integration.sealing import seal, unseal


@dataclass(frozen=True)
class PendingSecret:
    """Sealed in the operator's own session, for one connection; it ends with the session and never reaches a page."""

    session: SessionBase
    connection: Connection

    @property
    def _key(self) -> str:
        return f"pending-secret/{self.connection.pk}"

    @property
    def secret(self) -> str | None:
        """None: nothing is kept."""
        sealed = self.session.get(self._key)
        try:
            return unseal(self._key, sealed) if sealed else None
        except SealBroken:
            return None

    @property
    def exists(self) -> bool:
        return self.secret is not None

    def keep(self, secret: str) -> None:
        self.session[self._key] = seal(self._key, secret)

    def forget(self) -> None:
        self.session.pop(self._key, None)
