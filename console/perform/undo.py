"""Undo: the inverse of an action, as a separate action with its own entry."""

from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.actions.outcome import AlreadySubmitted, Refused, Result
from console.audit import entries
from console.audit.entries import Circumstances, Outcome
from console.models import AuditEntry
from console.perform.run import refuse, run
from console.perform.user_operation import Restored, UserOperation
from pingone_integration.texts import Text


def undo(access: OrgAccess, entry: AuditEntry, circumstances: Circumstances) -> Result:
    """Run the inverse of the action of `entry` (its latest row), as a separate action with its own entry.

    Refused if there is no inverse, if it was undone already, or if the user has changed since. Raises as `run`.
    """
    action, inverse = BY_KEY.get(entry.action), inverse_of(entry)
    if action is None or action.undo is None or inverse is None or entry.outcome != Outcome.SUCCEEDED:
        return Refused(reason=_("This cannot be undone."), entry=None)
    access.require(inverse.permission)
    if sent := entries.submitted(access.org, access.actor, circumstances.submission):
        return AlreadySubmitted(entry=sent)
    circumstances = replace(circumstances, undoes=entry.entry)
    restores = Restored(action=action, entry=entry)
    operation = UserOperation(action=inverse, user_id=UUID(entry.subject_id), inputs={}, restores=restores)
    if undo_of(entry):
        problem: Text = _("This was already undone, or is being undone.")
        return refuse(access, operation, operation.subject, circumstances, problem)
    try:
        inputs = action.undo.inputs(entry.before or {}, entry.inputs)
    except (KeyError, TypeError, ValueError):
        problem = _("This cannot be undone: the values before it were not recorded.")
        return refuse(access, operation, operation.subject, circumstances, problem)
    return run(access, replace(operation, inputs=inputs), circumstances)


def inverse_of(entry: AuditEntry) -> Action | None:
    """Return the action that reverses the action of `entry`, or None if there is none."""
    action = BY_KEY.get(entry.action)
    return BY_KEY[action.undo.action] if action and action.undo else None


def undo_of(entry: AuditEntry) -> AuditEntry | None:
    """Return the latest row of the undo that reversed `entry`, may have, or is about to; or None if there is none."""
    took_effect = (Outcome.STARTED, Outcome.SUCCEEDED, Outcome.NO_CHANGE, Outcome.UNKNOWN)
    return (
        AuditEntry.objects.current()
        .filter(organization_id=entry.organization_id, undoes=entry.entry, outcome__in=took_effect)
        .first()
    )
