"""Several actions on one user, one after the other."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid5

from console.access import OrgAccess
from console.actions.outcome import Result, error_of
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.perform.user_operation import perform
from pingone_integration.errors import ConnectionFailure, RateLimited, Unavailable

MOST_AT_ONCE = 20  # actions on one user: an operator waits for the answer


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
