"""The guards: rules that may refuse an operation or demand more of the operator, the same for every way in.

A guard is a function. Those of BEFORE_READING cost no call to PingOne. Those of AFTER_READING know the user as just
read, and may ask PingOne for more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting
from console.actions import demands
from console.actions.demands import Demand
from console.actions.profile_forms import labels_of
from console.audit.entries import Circumstances
from console.models import ApprovalRequest, AuditEntry
from console.perform import approval
from console.perform.operation import Before, Operation
from console.protection import confirm, contacts, judge
from console.protection.why import Protection
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.user_search.reads import ANY, attribute
from pingone_integration.values import identifier


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An operation that somebody is about to run."""

    access: Acting
    operation: Operation
    circumstances: Circumstances


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What guards say of an attempt: a refusal, or demands on the operator, or nothing."""

    refusal: Text = ""
    protects: bool = False  # the target is protected
    hides: bool = False  # the operator must be answered as if PingOne did not have this user
    demands: frozenset[Demand] = frozenset()
    because: Text = ""  # the sentence before what is demanded
    approval: ApprovalRequest | None = None  # of a second person, which the operation uses up


_OUTSIDE = _("The user is outside the operator's populations.")  # only on record: the operator must not learn it
_ELSEWHERE = _("Choose one of your populations. You cannot put users into others.")

# Where nobody watches, protected users are left alone.
_LEFT_ALONE = {
    AuditEntry.Channel.JOB: _("{why} Jobs leave protected users alone."),
    AuditEntry.Channel.PLAN: _("{why} Plans leave protected users alone."),
    AuditEntry.Channel.RULE: _("{why} Rules leave protected users and groups alone."),
}

Guard = Callable[[Attempt], Ruling]
GuardOfState = Callable[[Attempt, PingOneApi, Before], Ruling]


def _own_limits(attempt: Attempt) -> Ruling:
    """Ask the operation itself: how long may it last, does it need a reason."""
    return Ruling(refusal=attempt.operation.problem_with(attempt.access, attempt.circumstances))


def _viewing_as(attempt: Attempt) -> Ruling:
    is_viewing = attempt.access.viewing_as is not None
    return Ruling(refusal=_("You are viewing as another member. Stop viewing to do this.") if is_viewing else "")


def _lock_down(attempt: Attempt) -> Ruling:
    access, operation = attempt.access, attempt.operation
    gives_access = operation.gives_access or _writes_contact(attempt)
    return Ruling(refusal=lock_down_refusal(access, gives_access=gives_access))


def lock_down_refusal(access: Acting, *, gives_access: bool) -> Text:
    """Return why a lock down stops what gives access, or "" if it does not."""
    organization = access.org
    if not organization.is_locked_down or not gives_access:
        return ""
    told = _("{organization} is locked down, and nothing that gives access can be done: {reason}")
    return format_lazy(told, organization=organization.name, reason=organization.lock_down_reason)


def _fields_of_role(attempt: Attempt) -> Ruling:
    access = attempt.access
    if not (names := [name for name in attempt.operation.written_fields if not access.may_edit(name)]):
        return Ruling()
    return Ruling(refusal=format_lazy(_("Your role cannot edit: {fields}."), fields=labels_of(names)))


def _contact_attributes(attempt: Attempt) -> Ruling:
    """Keep what leads to a user's private address or manager from everybody who could take the account over by it."""
    if attempt.access.is_org_admin or not _writes_contact(attempt):
        return Ruling()
    names = labels_of(attempt.access.org.contact_attributes)
    told = _("Only org admins may change a private address for account recovery, or the manager: {fields}.")
    return Ruling(refusal=format_lazy(told, fields=names))


def _writes_contact(attempt: Attempt) -> bool:
    contacts_of_org = attempt.access.org.contact_attributes
    written = map(attribute, attempt.operation.affected.attributes)
    return bool(contacts_of_org) and not {ANY, *map(attribute, contacts_of_org)}.isdisjoint(written)


def _demands_of_role(attempt: Attempt) -> Ruling:
    if not attempt.operation.asks_for_ticket:
        return Ruling()  # a request that changes nothing
    return Ruling(demands=demands.of_role(attempt.access, attempt.operation.key))


def _ticket(attempt: Attempt) -> Ruling:
    if not attempt.operation.asks_for_ticket:
        return Ruling()
    policy = demands.ticket_policy_for(attempt.access, attempt.operation.key)
    return Ruling(refusal=policy.problem_with(attempt.circumstances.ticket))


def _protected_targets(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    affected = attempt.operation.affected
    if affected.is_nothing:
        return Ruling()
    found = judge.protection_of(attempt.access.org, api, affected, before.user)
    return _ruling_on(found, attempt, is_remedy=affected.is_remedy)


def _new_contacts(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    """Ask an org admin for a recovery by a contact that an operator changed lately."""
    affected = attempt.operation.affected
    if not affected.recovers_by_email or before.is_first_recovery:
        return Ruling()
    return _ruling_on(contacts.too_new(attempt.access.org, affected.user, before.user), attempt)


def _ruling_on(found: Protection | None, attempt: Attempt, *, is_remedy: bool = False) -> Ruling:
    if found is None:
        return Ruling()
    if told := _LEFT_ALONE.get(attempt.circumstances.channel):
        return Ruling(refusal=format_lazy(told, why=found.sentence), protects=True)
    if refusal := confirm.refusal(attempt.access, found, is_remedy=is_remedy):
        return Ruling(refusal=refusal)
    demanded = confirm.DEMANDS | approval.of_protected(attempt.access)
    return Ruling(demands=demanded, because=found.sentence, protects=True)


def _approval(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    is_demanded = approval.is_demanded(attempt.access, attempt.operation)
    return Ruling(demands=frozenset({Demand.APPROVAL} if is_demanded else ()))


def _populations(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    """Keep a narrowed operator to the users of their populations, before and after the operation."""
    access, user = attempt.access, before.user
    if not access.is_narrowed:
        return Ruling()
    if user and not access.sees(user):
        return Ruling(refusal=_OUTSIDE, hides=True)
    target = attempt.operation.recorded_inputs().get("population_id")
    if (user is None or target) and not access.sees_population(identifier(str(target))):
        return Ruling(refusal=_ELSEWHERE)
    return Ruling()


BEFORE_READING: tuple[Guard, ...] = (
    _viewing_as,
    _lock_down,
    _fields_of_role,
    _contact_attributes,
    _own_limits,
    _demands_of_role,
    _ticket,
)
AFTER_READING: tuple[GuardOfState, ...] = (_populations, _protected_targets, _new_contacts, _approval)


def before_reading(attempt: Attempt) -> Ruling:
    """Return the first refusal, or else the demands that are not met."""
    return _together(attempt, (guard(attempt) for guard in BEFORE_READING))


def after_reading(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    """Return the first refusal, or else the demands that are not met. Raises PingOneErrors.

    An approval comes last: it is asked for once everything else is met.
    """
    ruling = _together(attempt, (guard(attempt, api, before) for guard in AFTER_READING))
    if ruling.demands != {Demand.APPROVAL} or attempt.circumstances.asks_approval:
        return ruling
    access, operation = attempt.access, attempt.operation
    found = approval.approved(access, operation, attempt.circumstances, before, protects=ruling.protects)
    if found.is_given:
        return Ruling(approval=found.request)
    return replace(ruling, refusal=found.problem) if found.problem else ruling


def _together(attempt: Attempt, rulings: Iterable[Ruling]) -> Ruling:
    demanded: frozenset[Demand] = frozenset()
    because: Text = ""
    protects = False
    for ruling in rulings:
        if ruling.refusal:
            return ruling
        demanded |= ruling.demands
        because = because or ruling.because
        protects |= ruling.protects
    circumstances = attempt.circumstances
    left = demands.unmet(
        demanded, reason=circumstances.reason, signed_in_at=circumstances.signed_in_at, at=circumstances.met_at
    )
    problem = demands.problem_with(left)
    refusal = format_lazy("{} {}", because, problem) if because and problem else problem
    return Ruling(refusal=refusal, demands=left, protects=protects)
