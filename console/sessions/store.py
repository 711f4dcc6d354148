"""The session engine. The cookie holds a random token, and the database only its hash: no backup gives a session away.

So the session key, which all code passes around and `UserSession` keeps too, is the hash. Only the cookie's middleware
reads the token.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.utils import timezone

BEGAN = "began"  # in the session: when the operator signed in, in seconds since 1970
_SEEN_EVERY = timedelta(minutes=1)


def key_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()[:40]  # the column's length; 160 bits


class SessionStore(db.SessionStore):
    """A session ends SESSION_IDLE_MINUTES after its last use, and SESSION_HOURS after it began."""

    token: str | None = None
    seen_at: datetime | None = None  # to the minute; None: before the session was loaded

    @classmethod
    def of_token(cls, token: str | None) -> "SessionStore":
        store = cls(key_of(token) if token else None)
        store.token = token
        return store

    @property
    def began_at(self) -> float:
        return float(self.get(BEGAN, 0))

    def begin(self) -> None:
        self[BEGAN] = timezone.now().timestamp()

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        if not data or timezone.now().timestamp() >= data.get(BEGAN, 0) + settings.SESSION_COOKIE_AGE:
            self._session_key = None
            return {}
        self.seen_at = row.expire_date - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
        return data

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        data.setdefault(BEGAN, timezone.now().timestamp())
        return super().create_model_instance(data)

    def get_expiry_date(self, **options: Any) -> datetime:
        """Return when the session ends unless it is used again."""
        return timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES)

    def get_expiry_age(self, **options: Any) -> int:
        """Return for how many seconds the browser keeps the cookie, however often the session changes."""
        now = timezone.now().timestamp()
        began = float(self.get(BEGAN, now))
        left: float = began + settings.SESSION_COOKIE_AGE - now
        return max(0, round(left))

    @property
    def is_due(self) -> bool:
        """Return whether its use is to be noted: once a minute, so that reads rarely cause a write."""
        return self.seen_at is not None and timezone.now() - self.seen_at >= _SEEN_EVERY

    def touch(self) -> None:
        """Note that the session is used."""
        self.model.objects.filter(session_key=self.session_key).update(expire_date=self.get_expiry_date())

    def _get_new_session_key(self) -> str:
        self.token = secrets.token_urlsafe(32)
        return key_of(self.token)
