"""A user's sign-in sessions."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, iso, no_content, permits
from pingone_integration.sandbox.models import Session

MOST = 10  # PingOne keeps this many sessions of a user


def session_body(call: Call, session: Session) -> dict[str, Any]:
    own = call.url(f"users/{session.user_id}/sessions/{session.id}")
    return {
        "_links": {"self": {"href": own}, "user": {"href": call.url(f"users/{session.user_id}")}},
        "id": str(session.id),
        "environment": {"id": str(call.environment.id)},
        "user": {"id": str(session.user_id)},
        "createdAt": iso(session.created_at),
        "activeAt": iso(session.active_at),
        **session.details,
    }


@permits("dir:read:session")
def list_sessions(call: Call, user_id: UUID) -> dict[str, Any]:
    sessions = call.user(user_id).sessions.all()[:MOST]
    return lists.envelope(call, "sessions", [session_body(call, session) for session in sessions])


@permits("dir:read:session")
def read_session(call: Call, user_id: UUID, session_id: UUID) -> dict[str, Any]:
    return session_body(call, _session(call, user_id, session_id))


@permits("dir:read:session")
def read_open_session(call: Call, session_id: UUID) -> dict[str, Any]:
    """Read a session by its ID alone. Expired sessions are not found."""
    session = Session.objects.filter(user__environment=call.environment, id=session_id).first()
    if session is None:
        raise errors.not_found()
    return session_body(call, _session(call, session.user_id, session.id))


@permits("dir:delete:session")
def delete_session(call: Call, user_id: UUID, session_id: UUID) -> HttpResponse:
    """Delete the session, which ends its refresh tokens."""
    session = _session(call, user_id, session_id)
    record(call, "SESSION.DELETED", "Session deleted", session.user)
    session.delete()
    return no_content()


def _session(call: Call, user_id: UUID, session_id: UUID) -> Session:
    session = call.user(user_id).sessions.filter(id=session_id).first()
    if session is None:
        raise errors.not_found()
    return session
