"""Actions that end a user's sessions."""

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Place
from console.actions.forms import SessionForm
from pingone_integration import sessions

ACTIONS = (
    Action(
        key="session.end",
        label="End",
        title="End session",
        done="Session ended",
        already="was not signed on there any more",
        does="Signs the user off there, and ends the access that applications renew in this session.",
        leaves="Other sessions go on, and the user can sign on again.",
        permission=Permission.END_SESSIONS,
        call=sessions.end,
        form=SessionForm,
        place=Place.SESSION,
        observe=observed.session,
        effect={"signed_on": False},
        panels=("sessions",),
        endpoint="DELETE /users/{user}/sessions/{session}",
        pingone_permission="sessions:delete:session",
    ),
    Action(
        key="sessions.end-all",
        label="End all sessions",
        done="All sessions ended",
        already="was not signed on anywhere",
        does="Signs the user off everywhere.",
        leaves="The user can sign on again: deactivate or lock to keep them out.",
        permission=Permission.END_SESSIONS,
        call=sessions.end_all,
        place=Place.SESSIONS,
        offered_to=bool,
        observe=observed.session_count,
        effect={"sessions": 0},
        note_of=lambda ended: f"{ended} session{'' if ended == 1 else 's'} ended.",
        bulk=True,
        panels=("sessions",),
        endpoint="DELETE /users/{user}/sessions/{session}, for each",
        pingone_permission="sessions:delete:session",
    ),
)
