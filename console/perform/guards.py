"""The guards: rules that may refuse an operation or demand more of the operator, the same for every way in.

A guard is a function. Those of BEFORE_READING cost no call to PingOne. Those of AFTER_READING know the user as just
read, and may ask PingOne for more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions import demands
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.models.tickets import ticket_policy
from console.perform.operation import Before, Operation
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.values import identifier


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
    hides: bool = False  # the operator must be answered as if PingOne did not have this user
    demands: frozenset[Demand] = frozenset()


Guard = Callable[[Attempt], Ruling]
_OUTSIDE = _("The user is outside the operator's populations.")  # only on record: the operator must not learn it
_ELSEWHERE = _("Choose one of your populations. You cannot put users into others.")

GuardOfState = Callable[[Attempt, PingOneApi, Before], Ruling]


def _own_limits(attempt: Attempt) -> Ruling:
    """Ask the operation itself: how long may it last, does it need a reason."""
    return Ruling(refusal=attempt.operation.problem_with(attempt.access, attempt.circumstances))


def _ticket(attempt: Attempt) -> Ruling:
    if not attempt.operation.asks_for_ticket:
        return Ruling()
    policy = ticket_policy(attempt.access.org, attempt.operation.key)
    return Ruling(refusal=policy.problem_with(attempt.circumstances.ticket))


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


BEFORE_READING: tuple[Guard, ...] = (_own_limits, _ticket)
AFTER_READING: tuple[GuardOfState, ...] = (_populations,)


def before_reading(attempt: Attempt) -> Ruling:
    """Return the first refusal, or else the demands that are not met."""
    return _together(attempt, (guard(attempt) for guard in BEFORE_READING))


def after_reading(attempt: Attempt, api: PingOneApi, before: Before) -> Ruling:
    """Return the first refusal, or else the demands that are not met. Raises PingOneErrors."""
    return _together(attempt, (guard(attempt, api, before) for guard in AFTER_READING))


def _together(attempt: Attempt, rulings: Iterable[Ruling]) -> Ruling:
    demanded: frozenset[Demand] = frozenset()
    for ruling in rulings:
        if ruling.refusal:
            return ruling
        demanded |= ruling.demands
    circumstances = attempt.circumstances
    left = demands.unmet(demanded, reason=circumstances.reason, signed_in_at=circumstances.signed_in_at)
    return Ruling(refusal=demands.problem_with(left), demands=left)
