"""Several actions on one user, one after the other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.outcome import Result, error_of
from console.audit.entries import Circumstances
from console.perform.user_operation import perform
from pingone_integration.errors import ConnectionFailure, RateLimited, Unavailable
from pingone_integration.texts import Text

MOST_AT_ONCE = 20  # actions on one user: an operator waits for the answer


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of several actions on a user, and its name beside its outcome."""

    action: Action
    name: Text
    inputs: Mapping[str, Any] = field(default_factory=dict)


def perform_each(
    access: OrgAccess, user_id: UUID, steps: Iterable[Step], circumstances: Circumstances
) -> list[tuple[Step, Result | None]]:
    """Run all steps, even if some fail. Once PingOne does not answer, the remaining results are None (not tried).

    The same submission never runs a step again. Raises as `run`.
    """
    results: list[tuple[Step, Result | None]] = []
    silent = False
    for step in steps:
        own = uuid5(circumstances.submission, f"{step.action.key} {sorted(step.inputs.items())}")
        result = None
        if not silent:
            result = perform(access, step.action, user_id, step.inputs, replace(circumstances, submission=own))
            silent = isinstance(error_of(result), ConnectionFailure | RateLimited | Unavailable)
        results.append((step, result))
    return results
