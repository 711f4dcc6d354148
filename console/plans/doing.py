"""One step of a run, through `perform`: once and never twice, as the starter, with their rights entered anew.

Each thing that a step does has a submission (idempotency key), which the record takes once. So what a killed worker had
begun is settled by its entry, and an unknown outcome by reading the user again.
"""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.text import format_lazy

from console.access import Acting, enter_org
from console.actions.action import Action
from console.actions.outcome import AlreadySubmitted, Failed, Refused, Result, error_of
from console.audit.entries import Circumstances, Outcome
from console.models import AuditEntry, PlanRun, PlanRunStep
from console.perform import resolve
from console.perform.user_operation import perform
from console.plans.ahead import takes_away
from console.plans.definition import ActionStep
from console.plans.on_behalf import on_behalf_of
from console.plans.targets import NothingToChange, Target, UnusableInput, inputs_for
from pingone_integration.errors import ConnectionFailure, NotFound, PingOneError, RateLimited, Unavailable
from pingone_integration.texts import Text, english
from pingone_integration.users import User

State = PlanRunStep.State
MOST_ROUNDS = 3
REPEATABLE = frozenset({"password.replace"})  # even after an unknown outcome: a second time harms nobody

TRANSIENT = (ConnectionFailure, RateLimited, Unavailable)  # nobody's fault: it is tried again
_OF = {
    Outcome.SUCCEEDED: State.DONE,
    Outcome.NO_CHANGE: State.NO_CHANGE,
    Outcome.CONFLICT: State.FAILED,
    Outcome.REFUSED: State.REFUSED,
    Outcome.FAILED: State.FAILED,
}
# From the worst, for a step that did several things.
_WORST_FIRST = (State.UNKNOWN, State.REFUSED, State.FAILED, State.DONE)


class TryLater(Exception):
    """PingOne does not answer, or the connection does not work: nothing of this is the person's or the plan's fault."""


class MayNot(Exception):
    """The starter has left or lost the right, and the organization does not do this on its own behalf."""


def access_for(run: PlanRun, action: Action) -> Acting:
    """Return the starter's access as it is now, or the organization's own for what takes access away. Raises MayNot."""
    try:
        access = enter_org(run.starter, run.organization.slug)
        access.require_to(action)
    except (PermissionDenied, Http404):
        if not takes_away(run.definition["kind"], action.key):
            raise MayNot from None
        return on_behalf_of(run)
    return access


def do(run: PlanRun, row: PlanRunStep, step: ActionStep, target: Target, user: User | None) -> None:
    """Do one thing of a step, and note in the target what became of it. `user` None: gone by now.

    What a look at the user shows not to have happened is tried again, at most three times.
    Raises TryLater and MayNot.
    """
    for _round in range(MOST_ROUNDS):
        if _has_an_end(run, row, step, target, user):
            return
        target["again"] = target.get("again", 0) + 1


def _has_an_end(run: PlanRun, row: PlanRunStep, step: ActionStep, target: Target, user: User | None) -> bool:
    """Do it, or settle what was begun before. Return False if it has not happened, or may be done again."""
    submission = row.submission(f"{sorted(target['inputs'].items())} {target.get('again', 0)}")
    entry = begun(run, submission)
    if entry is None:
        access = access_for(run, step.of_catalogue)
        if user is None:
            _note(target, State.FAILED, NotFound.title)
            return True
        try:
            inputs = _inputs(step, target, access, run, user)
        except NothingToChange:
            _note(target, State.NO_CHANGE, "")
            return True
        except UnusableInput as unusable:
            _note(target, State.FAILED, unusable.reason)
            return True
        try:
            result = perform(access, step.of_catalogue, user.id, inputs, circumstances_of(run, submission))
        except NotFound as gone:  # for a narrowed starter also somebody who was moved away
            _note(target, State.FAILED, gone.title)
            return True
        except (PermissionDenied, Http404):  # taken away just now
            raise MayNot from None
        entry = result.entry
        if entry is None or not (isinstance(result, AlreadySubmitted) or entry.outcome == Outcome.UNKNOWN):
            _note(target, _OF.get(result.recorded_as, State.UNKNOWN), words_of(result), entry)
            if isinstance(result, Failed) and isinstance(result.error, TRANSIENT):
                target["again"] = target.get("again", 0) + 1
                raise TryLater
            return True
    settled = _settled(run, step, AuditEntry.objects.current().get(entry=entry.entry))
    _note(target, _OF.get(Outcome(settled.outcome), State.UNKNOWN), settled.note, settled)
    may_be_repeated = target["state"] == State.UNKNOWN and step.action in REPEATABLE
    return target["state"] != State.FAILED and not may_be_repeated


def _inputs(step: ActionStep, target: Target, access: Acting, run: PlanRun, user: User) -> dict[str, Any]:
    """Return the inputs, checked. Raises NothingToChange, UnusableInput and TryLater."""
    try:
        return inputs_for(step, target, access, run, user)
    except PingOneError as error:
        raise TryLater from error


def begun(run: PlanRun, submission: UUID) -> AuditEntry | None:
    """Return the entry of what was begun under this idempotency key."""
    return AuditEntry.objects.filter(organization=run.organization, submission=submission).first()


def _settled(run: PlanRun, step: ActionStep, entry: AuditEntry) -> AuditEntry:
    """Return the entry, after reading the user again if its outcome is open. Raises TryLater and MayNot."""
    if entry.outcome not in {Outcome.STARTED, Outcome.UNKNOWN}:
        return entry
    try:
        return resolve.read_back(access_for(run, step.of_catalogue), entry)
    except PingOneError as error:
        raise TryLater from error


def circumstances_of(run: PlanRun, submission: UUID) -> Circumstances:
    return Circumstances(
        channel=AuditEntry.Channel.PLAN,
        source_address=run.source_address,
        ticket=run.ticket,
        reason=run.reason,
        submission=submission,
        signed_in_at=run.signed_in_at,
        met_at=run.met_at,
        passes_brake=run.passes_brake,
        run=run.pk,
        under=run.job_id or run.pk,  # a run that a job started is covered by the approval of the job
    )


def words_of(result: Result) -> Text:
    if isinstance(result, Refused):
        return result.reason
    if error := error_of(result):
        return format_lazy("{}. {}", error.title, error.cause)
    return getattr(result, "note", "")


def _note(target: Target, state: PlanRunStep.State, detail: Text, entry: AuditEntry | None = None) -> None:
    target |= {"state": str(state), "detail": english(detail)} | ({"entry": str(entry.entry)} if entry else {})


def as_a_whole(targets: list[Target]) -> tuple[PlanRunStep.State, str]:
    """Return the state of a step from those of what it did, with the reason."""
    for state in _WORST_FIRST:
        if of_state := [target for target in targets if target["state"] == state]:
            return state, next((target["detail"] for target in of_state if target["detail"]), "")
    if left_out := [target["detail"] for target in targets if target["state"] == State.LEFT_OUT]:
        return State.LEFT_OUT, left_out[0]
    return State.NO_CHANGE, ""
