"""Actions that end a user's sessions."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import Permission
from console.actions import names, observed
from console.actions.action import Action, Place
from console.actions.forms import SessionForm
from pingone_integration import sessions

ACTIONS = (
    Action(
        key="session.end",
        label=_("End"),
        title=_("End session"),
        done=_("Session ended"),
        told=_("Signed {user} out of the session {session}."),
        already=_("{user} was already signed out of the session {session}."),
        does=_("Signs them out of this session, and its apps cannot renew access."),
        leaves=_("Other sessions continue, and they can sign in again."),
        permission=Permission.END_SESSIONS,
        call=sessions.end,
        needs_roles=False,
        form=SessionForm,
        place=Place.SESSION,
        names=names.session,
        observe=observed.session,
        effect={"signed_on": False},
        panels=("sessions",),
        endpoint="DELETE /users/{user}/sessions/{session}",
        pingone_permission="sessions:delete:session",
    ),
    Action(
        key="sessions.end-all",
        label=_("End all sessions"),
        done=_("All sessions ended"),
        told=ngettext_lazy("Signed {user} out of {count} session.", "Signed {user} out of {count} sessions.", "count"),
        already=_("PingOne showed no sessions for {user}."),
        does=_("Signs them out of all sessions."),
        leaves=_("They can sign in again. To keep them out, deactivate or lock the account."),
        permission=Permission.END_SESSIONS,
        call=sessions.end_all,
        needs_roles=False,
        place=Place.SESSIONS,
        offered_to=bool,
        names=names.ended_sessions,
        observe=observed.session_count,
        effect={"sessions": 0},
        bulk=True,
        panels=("sessions",),
        endpoint="DELETE /users/{user}/sessions/{session}, for each",
        pingone_permission="sessions:delete:session",
    ),
)
