"""The approval of a second person, for every way in: where it is demanded, asked for, and used up."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from console.access import Acting, OrgAccess
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand
from console.actions.outcome import Refused
from console.approvals import requests
from console.approvals.effects import Effects, Kind
from console.approvals.requests import NotUsable
from console.approvals.rules import rules_of
from console.approvals.unapproved import ASKED, NOT_DEMANDED
from console.audit.entries import Circumstances
from console.models import ApprovalRequest
from console.perform.operation import Before, Operation
from pingone_integration.texts import Text

_CALL = _("Call API")


@dataclass(frozen=True, kw_only=True)
class Approved:
    """Whether an operation is approved: by a request to use up now, or by that of the job or plan around it."""

    is_given: bool = False
    request: ApprovalRequest | None = None
    problem: Text = ""  # an approval that is there, but of no use


def is_demanded(access: Acting, operation: Operation) -> bool:
    """Return whether the organization's rules ask for it. What users do themselves, and plans on behalf, is not asked.

    A plan on the organization's behalf was approved when it was started, if it had to be.
    """
    keys = operation.affected.amounts_to | {operation.key}
    writes = operation.asks_for_ticket
    return writes and access.actor.operator is not None and rules_of(access.org).demand(keys)


def of_protected(access: Acting) -> frozenset[Demand]:
    """Return what the rules ask for with protected accounts."""
    asks = access.actor.operator is not None and rules_of(access.org).protected
    return frozenset({Demand.APPROVAL}) if asks else frozenset()


def approved(
    access: Acting, operation: Operation, circumstances: Circumstances, before: Before, *, protects: bool
) -> Approved:
    """Return whether there is an approval for exactly this. A fitting one is used up when the operation starts."""
    try:
        if circumstances.under:
            return Approved(is_given=requests.covering(access, circumstances.under, operation.key))
        found = requests.find(access, effects_of(operation, before, protects=protects))
    except NotUsable as lost:
        return Approved(problem=lost.reason)
    return Approved(is_given=found is not None, request=found)


def ask(
    access: Acting,
    operation: Operation,
    circumstances: Circumstances,
    before: Before,
    *,
    is_demanded: bool,
    protects: bool,
) -> Refused:
    """Ask a second person instead of running the operation."""
    if not is_demanded or not isinstance(access, OrgAccess):
        return Refused(reason=str(NOT_DEMANDED), entry=None)
    try:
        request = requests.ask(access, effects_of(operation, before, protects=protects), circumstances)
    except NotUsable as refusal:
        return Refused(reason=str(refusal.reason), entry=None, demands=frozenset({Demand.APPROVAL}))
    return Refused(reason=str(ASKED), entry=None, demands=frozenset({Demand.APPROVAL}), asked=request.pk)


def effects_of(operation: Operation, before: Before, *, protects: bool) -> Effects:
    user, action = before.user, BY_KEY.get(operation.key)
    target = operation.recorded_inputs().get("population_id")
    into = {str(target)} if target else set()
    population = user.population_id if user else None
    of_user = {str(population or "")} if user else set()
    who: dict[str, Any] = {"username": user.username, "email": user.email, "population": population} if user else {}
    return Effects(
        kind=Kind.ACTION,
        name=action.name if action else _CALL,
        needs=((operation.key, str(operation.permission)),),
        subject=before.subject,
        emails=(user.email,) if user else (),
        populations=frozenset(of_user | into),
        fields=frozenset(operation.written_fields),
        protects=protects,
        inputs=operation.recorded_inputs(),
        before=before.values,
        after=operation.foreseen(),
        bound={"inputs": operation.whole_inputs(), "user": who},
    )
