"""One effect of a rule on one user, through `perform`: once and never twice, with rights entered anew.

The groups of an effect are in its row, each with what became of it: `{"id", "name", "state", "detail", "entry",
"again"}`. Each change has a submission (idempotency key), which the record takes once. So what a killed worker had
begun is settled by its entry, and an unknown outcome by reading the user again.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting, enter_org
from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.actions.outcome import AlreadySubmitted, Conflict, Failed, Refused, Result, error_of
from console.audit.entries import Circumstances, Outcome, storable
from console.limits.brake import BrakeReached
from console.models import AuditEntry, Organization, Rule, RuleEffect
from console.perform import resolve
from console.perform.user_operation import perform
from console.plans.on_behalf import OnBehalf
from pingone_integration import users
from pingone_integration.errors import ConnectionFailure, NotFound, PingOneError, RateLimited, Unavailable
from pingone_integration.texts import Text, english
from pingone_integration.users import User

GIVE, TAKE = BY_KEY["group.add"], BY_KEY["group.remove"]
DONE, NO_CHANGE, LEFT_OUT, REFUSED, FAILED, UNKNOWN = "done", "no change", "left out", "refused", "failed", "unknown"
WENT_WRONG = frozenset({REFUSED, FAILED})
MOST_ROUNDS = 3

Group = dict[str, Any]
State = RuleEffect.State

_TRANSIENT = (ConnectionFailure, RateLimited, Unavailable)
_OF = {
    Outcome.SUCCEEDED: DONE,
    Outcome.NO_CHANGE: NO_CHANGE,
    Outcome.CONFLICT: FAILED,
    Outcome.REFUSED: REFUSED,
    Outcome.FAILED: FAILED,
}
_GONE = _("PingOne no longer has this user.")
_NOT_IN = _("They are no longer in the population.")
_STILL_IN = _("They are in the population.")
_NOTHING = _("The rule gave them nothing that it could take back.")
_REASON = _("Rule “{rule}”")


class TryLater(Exception):
    """PingOne does not answer, or a lock down lasts: nothing of this is the user's or the rule's fault."""


class Stopped(Exception):
    """The rule cannot go on until an org admin decides."""

    def __init__(self, why: Rule.Stop, detail: Text = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


def run(rule: Rule, effect: RuleEffect) -> RuleEffect.State:
    """Do what is left to do for one user. Return how it ended. Raises TryLater and Stopped."""
    try:
        user: User | None = users.get(organization_of(rule).pingone(), effect.user_id)
    except NotFound:
        user = None
    except PingOneError as error:
        raise TryLater from error
    if not effect.groups:
        _store(effect, _groups_for(rule, effect))
    left_out = _why_not(rule, effect, user)
    for group in effect.groups:
        if "state" not in group:
            _change(rule, effect, group, user, left_out)
            _store(effect, effect.groups)
    told = [group["detail"] for group in effect.groups if group["detail"]]
    effect.detail = " ".join(dict.fromkeys(told)) if effect.groups else english(left_out or _NOTHING)
    states = {group["state"] for group in effect.groups}
    if UNKNOWN in states:
        return State.UNKNOWN
    if states & WENT_WRONG:
        return State.FAILED
    return State.DONE if states - {LEFT_OUT} else State.CANCELED


def organization_of(rule: Rule) -> OnBehalf:
    """Return the organization itself as the actor: it may take back what the rule gave, and nothing else."""
    return OnBehalf(Organization.objects.select_related("connection").get(pk=rule.organization_id), None)


def access_for(rule: Rule, action: Action) -> Acting:
    """Return the author's access as it is now, or the organization's own to take back. Raises Stopped."""
    try:
        access = enter_org(rule.author, rule.organization.slug)
        access.require_org_admin()
        access.require_to(action)
    except (PermissionDenied, Http404):
        if action is TAKE:
            return organization_of(rule)
        raise Stopped(Rule.Stop.ACCESS, rule.author.email) from None
    return access


def circumstances_of(rule: Rule, **more: Any) -> Circumstances:
    reason = english(format_lazy(_REASON, rule=rule.name))
    return Circumstances(
        channel=AuditEntry.Channel.RULE,
        source_address=rule.source_address,
        ticket=rule.ticket,
        reason=f"{reason}: {rule.reason}" if rule.reason else reason,
        signed_in_at=rule.signed_in_at,
        met_at=rule.switched_on_at,
        **more,
    )


def _store(effect: RuleEffect, groups: list[Group]) -> None:
    effect.groups = groups
    RuleEffect.objects.filter(pk=effect.pk).update(groups=groups)


def _why_not(rule: Rule, effect: RuleEffect, user: User | None) -> Text:
    """Return why the user is left as they are, now that they have been read again; "" if they are not."""
    if user is None:
        return _GONE
    is_in = user.population_id == rule.population_id
    if effect.gives:
        return "" if is_in else _NOT_IN
    return _STILL_IN if is_in else ""


def _groups_for(rule: Rule, effect: RuleEffect) -> list[Group]:
    """Return the groups to give, or to take back: those of which the record says that the rule gave them."""
    if effect.gives:
        return [{"id": group["id"], "name": group["name"]} for group in rule.groups]
    others = RuleEffect.objects.filter(rule=rule, user_id=effect.user_id).exclude(pk=effect.pk)
    if others.filter(gives=True, state=State.RUNNING).exists():
        raise TryLater
    given: dict[str, str] = {}
    for earlier in others.order_by("created_at"):
        for group in earlier.groups:
            if group.get("state") not in {DONE, UNKNOWN}:
                continue
            if earlier.gives:
                given[group["id"]] = group["name"]
            elif group["state"] == DONE:
                given.pop(group["id"], None)
    return [{"id": group_id, "name": name} for group_id, name in given.items()]


def _change(rule: Rule, effect: RuleEffect, group: Group, user: User | None, left_out: Text) -> None:
    """Give one group or take it back, and note in `group` what became of it.

    What a look at the user shows not to have happened is tried again, at most three times.
    """
    for attempt in range(MOST_ROUNDS):
        if _has_an_end(rule, effect, group, user, left_out):
            return
        group["again"] = group.get("again", 0) + 1
        if attempt < MOST_ROUNDS - 1:
            del group["state"]


def _has_an_end(rule: Rule, effect: RuleEffect, group: Group, user: User | None, left_out: Text) -> bool:
    """Do it, or settle what was begun before. Return False if it has not happened."""
    action = GIVE if effect.gives else TAKE
    submission = effect.submission(group["id"], group.get("again", 0))
    entry = AuditEntry.objects.filter(organization=rule.organization, submission=submission).first()
    if entry is None:
        if user is None or left_out:
            _note(group, LEFT_OUT, left_out)
            return True
        if effect.gives and rule.organization.is_locked_down:
            raise TryLater
        passes = rule.let_pass_at is not None and effect.created_at <= rule.let_pass_at
        circumstances = circumstances_of(rule, submission=submission, passes_brake=passes)
        result = _performed(rule, action, group, user, circumstances)
        entry = result.entry
        if entry is None or not (isinstance(result, AlreadySubmitted) or entry.outcome == Outcome.UNKNOWN):
            if isinstance(result, Conflict) or (isinstance(result, Failed) and isinstance(result.error, _TRANSIENT)):
                group["again"] = group.get("again", 0) + 1
                raise TryLater
            _note(group, _OF.get(result.recorded_as, UNKNOWN), _words_of(result), entry)
            return True
    settled = _settled(rule, AuditEntry.objects.current().get(entry=entry.entry))
    _note(group, _OF.get(Outcome(settled.outcome), UNKNOWN), settled.note, settled)
    return bool(group["state"] != FAILED)


def _performed(rule: Rule, action: Action, group: Group, user: User, circumstances: Circumstances) -> Result:
    access = access_for(rule, action)
    inputs = action.inputs_on_record({"group_id": group["id"]})
    shown = storable({"population_id": user.population_id})
    try:
        result = perform(access, action, user.id, inputs, circumstances, shown=shown)
    except BrakeReached as braked:
        raise Stopped(Rule.Stop.BRAKE, braked.reason) from None
    except NotFound:  # outside the author's populations
        raise Stopped(Rule.Stop.ACCESS, rule.author.email) from None
    except (PermissionDenied, Http404):  # taken away just now
        raise TryLater from None
    if isinstance(result, Refused) and result.demands:
        raise Stopped(Rule.Stop.DEMAND, result.reason)
    return result


def _settled(rule: Rule, entry: AuditEntry) -> AuditEntry:
    if entry.outcome not in {Outcome.STARTED, Outcome.UNKNOWN}:
        return entry
    try:
        return resolve.read_back(organization_of(rule), entry)
    except PingOneError as error:
        raise TryLater from error


def _words_of(result: Result) -> Text:
    if isinstance(result, Refused):
        return result.reason
    if error := error_of(result):
        return format_lazy("{}. {}", error.title, error.cause)
    return getattr(result, "note", "")


def _note(group: Group, state: str, detail: Text, entry: AuditEntry | None = None) -> None:
    group |= {"state": state, "detail": english(detail)} | ({"entry": str(entry.entry)} if entry else {})
