"""The guards: rules that may refuse an operation or demand more of the operator, the same for every way in.

A guard is a function. Those of BEFORE_READING cost no call to PingOne. Those of AFTER_READING know the user as just
read, and may ask PingOne for more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.text import format_lazy

from console.access import OrgAccess
from console.actions import demands
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.models.tickets import ticket_policy
from console.perform.operation import Before, Operation
from console.protection import confirm, contacts, judge
from console.protection.why import Protection
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An operation that somebody is about to run."""

    access: OrgAccess
    operation: Operation
    circumstances: Circumstances


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What guards say of an attempt: a refusal, or demands on the operator, or nothing."""

    refusal: Text = ""
    demands: frozenset[Demand] = frozenset()
    because: Text = ""  # the sentence before what is demanded


Guard = Callable[[Attempt], Ruling]
GuardOfState = Callable[[Attempt, PingOneApi, Before], Ruling]


def _own_limits(attempt: Attempt) -> Ruling:
    """Ask the operation itself: how long may it last, does it need a reason."""
    return Ruling(refusal=attempt.operation.problem_with(attempt.access, attempt.circumstances))


def _ticket(attempt: Attempt) -> Ruling:
    if not attempt.operation.asks_for_ticket:
        return Ruling()
    policy = ticket_policy(attempt.access.org, attempt.operation.key)
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
    if not affected.recovers_by_email:
        return Ruling()
    return _ruling_on(contacts.too_new(attempt.access.org, affected.user, before.user), attempt)


def _ruling_on(found: Protection | None, attempt: Attempt, *, is_remedy: bool = False) -> Ruling:
    if found is None:
        return Ruling()
    if refusal := confirm.refusal(attempt.access, found, is_remedy=is_remedy):
        return Ruling(refusal=refusal)
    return Ruling(demands=confirm.DEMANDS, because=found.sentence)


BEFORE_READING: tuple[Guard, ...] = (_own_limits, _ticket)
AFTER_READING: tuple[GuardOfState, ...] = (_protected_targets, _new_contacts)


def before_reading(attempt: Attempt) -> Ruling:
    """Return the first refusal, or else the demands that are not met."""
    return _together(attempt, (guard(attempt) for guard in BEFORE_READING))


def after_reading(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    """Return the first refusal, or else the demands that are not met. Raises PingOneErrors."""
    return _together(attempt, (guard(attempt, api, before) for guard in AFTER_READING))


def _together(attempt: Attempt, rulings: Iterable[Ruling]) -> Ruling:
    demanded: frozenset[Demand] = frozenset()
    because: Text = ""
    for ruling in rulings:
        if ruling.refusal:
            return ruling
        demanded |= ruling.demands
        because = because or ruling.because
    circumstances = attempt.circumstances
    left = demands.unmet(demanded, reason=circumstances.reason, signed_in_at=circumstances.signed_in_at)
    problem = demands.problem_with(left)
    return Ruling(refusal=format_lazy("{} {}", because, problem) if because and problem else problem, demands=left)
