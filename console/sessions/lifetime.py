"""An organization's own times of sessions, shorter than the server's: counted when a page of the organization opens."""

from datetime import timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from console.models import Organization
from console.sessions.store import SessionStore


def has_ended(session: SessionBase, organization: Organization) -> bool:
    """Return whether a session that the server lets go on is too old, or was unused for too long, for this one."""
    if not isinstance(session, SessionStore):
        return False
    now = timezone.now()
    idle, hours = organization.session_idle_minutes, organization.session_hours
    is_unused = bool(idle and session.seen_at and now - session.seen_at >= timedelta(minutes=idle))
    return is_unused or bool(hours and now.timestamp() - session.began_at >= hours * 3600)
