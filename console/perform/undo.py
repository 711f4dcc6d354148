"""Undo: the inverse of an action, as a separate action with its own entry."""

from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action, Json, Undo
from console.actions.catalogue import BY_KEY
from console.actions.effect import shows
from console.actions.outcome import AlreadySubmitted, Done, Refused, Result
from console.actions.step import Step
from console.audit import entries
from console.audit.entries import Circumstances, Outcome, storable
from console.audit.refusals import require_visible
from console.models import AuditEntry
from console.perform.run import refuse, run
from console.perform.several import NOT_PERMITTED, perform_each
from console.perform.undo_claims import claimed, is_over
from console.perform.user_operation import Restored, UserOperation
from pingone_integration.texts import Text

_NO_INVERSE = _("This cannot be undone.")
_NOTHING_CHANGED = _("This cannot be undone: nothing was changed.")
_NOT_DONE = _("This cannot be undone: it is not known to have succeeded.")
_NOT_READ = _("This cannot be undone: the values before it were not recorded.")
_NOT_VERIFIED = _("This cannot be undone: the values after it were not recorded.")
_UNDONE = _("This was already undone.")
_BEING_UNDONE = _("This is being undone right now. Reload the page to see the result.")
_MAYBE_UNDONE = _("It is not known whether this was already undone. Check the user in the entry of that Undo first.")


def undo(access: OrgAccess, entry: AuditEntry, circumstances: Circumstances, *, shown: Json | None = None) -> Result:
    """Run the inverse of the action of `entry` (its latest row), as a separate action with its own entry.

    Refused if there is no inverse, if nothing was changed, if another undo took effect or is running, or if the user
    has changed since. `shown`: of the user, in a preview; it stops if they have changed. Raises as `run`.
    """
    action, inverse = BY_KEY.get(entry.action), inverse_of(entry)
    if action is None or action.undo is None or inverse is None:
        return Refused(reason=_NO_INVERSE, entry=None)
    access.require_to(inverse)
    require_visible(  # before a reason that tells how the user is now
        access, UUID(entry.subject_id), door=f"undo {entry.action}", source_address=circumstances.source_address
    )
    if sent := entries.submitted(access.org, access.actor, circumstances.submission):
        return AlreadySubmitted(entry=sent)
    circumstances = replace(circumstances, undoes=entry.entry)
    restores = Restored(action=action, entry=entry)
    operation = UserOperation(action=inverse, user_id=UUID(entry.subject_id), inputs={}, restores=restores)
    if problem := problem_with_undo(entry):
        return refuse(access, operation, operation.subject, circumstances, problem)
    try:
        inputs = action.undo.inputs(entry.before or {}, entry.inputs)
    except (KeyError, TypeError, ValueError):
        return refuse(access, operation, operation.subject, circumstances, _NOT_READ)
    with claimed(entry, circumstances.submission) as holder:
        if undone := undo_of(entry):
            return refuse(access, operation, operation.subject, circumstances, _why_not_again(undone))
        if holder != circumstances.submission:
            return refuse(access, operation, operation.subject, circumstances, _BEING_UNDONE)
        result = run(access, replace(operation, inputs=inputs, shown=shown), circumstances)
    if isinstance(result, Done):
        return replace(result, then=_rest(access, action.undo, entry, circumstances))
    return result


def _rest(
    access: OrgAccess, undo: Undo, entry: AuditEntry, circumstances: Circumstances
) -> tuple[tuple[Step, Result | None], ...]:
    """Run the further actions of an undo, as separate actions. Without the permission, they are refused."""
    steps = [
        Step(action=BY_KEY[then.action], inputs=then.inputs, names=then.names)
        for then in undo.then(entry.before or {}, entry.after or {})
    ]
    if not all(access.may(step.action) for step in steps):
        return tuple((step, Refused(reason=str(NOT_PERMITTED), entry=None)) for step in steps)
    return tuple(perform_each(access, UUID(entry.subject_id), steps, replace(circumstances, undoes=None)))


def may_undo(access: OrgAccess, entry: AuditEntry) -> bool:
    """Return whether pages offer this operator to undo the entry. They do not look for an earlier undo."""
    inverse = inverse_of(entry)
    return inverse is not None and access.may(inverse) and not problem_with_undo(entry)


def problem_with_undo(entry: AuditEntry) -> Text:
    """Return why nobody can undo the entry, or "". An earlier undo, or a change since then, can still prevent it."""
    action = BY_KEY.get(entry.action)
    if action is None or action.undo is None:
        return _NO_INVERSE
    if entry.outcome == Outcome.NO_CHANGE or (entry.before is not None and _was_so(action, entry)):
        return _NOTHING_CHANGED
    if entry.outcome != Outcome.SUCCEEDED:
        return _NOT_DONE
    if entry.before is None:
        return _NOT_READ
    return _NOT_VERIFIED if entry.after is None else ""


def _was_so(action: Action, entry: AuditEntry) -> bool:
    """Return whether the effect was there before, whatever the outcome on record: an older row may say succeeded."""
    if entry.before == entry.after:
        return True
    try:
        expected = storable(action.expected(action.inputs_on_record(entry.inputs)))
    except (KeyError, TypeError, ValueError):
        return False
    return bool(expected) and shows(expected, entry.before)


def inverse_of(entry: AuditEntry) -> Action | None:
    """Return the action that reverses the action of `entry`, or None if there is none."""
    action = BY_KEY.get(entry.action)
    return BY_KEY[action.undo.action] if action and action.undo else None


def undo_of(entry: AuditEntry) -> AuditEntry | None:
    """Return the latest row of the undo that reversed `entry`, may have, or is about to; or None if there is none."""
    undos = AuditEntry.objects.current().filter(organization_id=entry.owner_id, undoes=entry.entry)
    return next((row for row in undos.order_by("-sequence") if not is_over(row)), None)


def _why_not_again(undone: AuditEntry) -> Text:
    if undone.outcome == Outcome.STARTED:
        return _BEING_UNDONE
    return _MAYBE_UNDONE if undone.outcome == Outcome.UNKNOWN else _UNDONE
