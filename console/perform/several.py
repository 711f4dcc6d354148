"""Several actions on one user, one after the other."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid5

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.outcome import Refused, Result, error_of
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.perform.user_operation import perform
from pingone_integration.errors import ConnectionFailure, RateLimited, Unavailable

NOT_PERMITTED = _("You are not allowed to do this.")
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
        result: Result | None = None
        if not silent:
            try:
                typed = {**circumstances.typed, **{name: [str(value)] for name, value in step.inputs.items()}}
                this = replace(circumstances, submission=own, typed=typed)
                result = perform(access, step.action, user_id, step.inputs, this)
            except PermissionDenied:  # a right that was taken away in between
                if not results:
                    raise
                result = Refused(reason=str(NOT_PERMITTED), entry=None)
            silent = isinstance(error_of(result), ConnectionFailure | RateLimited | Unavailable)
        results.append((step, result))
    return results
