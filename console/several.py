"""Several actions on one user, one after the other: each on record by itself, and none undoes another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from console import perform
from console.access import OrgAccess
from console.audit import AlreadySubmitted, Circumstances, Outcome
from console.catalogue import Action
from console.perform import Refused
from pingone_integration.errors import ConnectionFailure, PingOneError, RateLimited, Unavailable

MOST = 20  # at once: somebody waits for the answer


@dataclass(frozen=True, kw_only=True)
class Step:
    """One action to run, and how it is called where its outcome is told."""

    action: Action
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a step."""

    step: Step
    problem: str = ""  # why not; empty: it is done
    kind: str = ""  # of PingOne's error, where it is one


def run_each(access: OrgAccess, user_id: UUID, steps: Iterable[Step], circumstances: Circumstances) -> list[Result]:
    """Run all steps, whichever fail; once PingOne does not answer, the rest is not tried.

    The same submission again runs none of them again. Raises PermissionDenied, and Http404, as `perform`.
    """
    results: list[Result] = []
    silent = False
    for step in steps:
        own = uuid5(circumstances.submission, f"{step.action.key} {sorted(step.inputs.items())}")
        problem, kind = "", ""
        if silent:
            problem = "Not tried, since PingOne did not answer before."
        else:
            try:
                perform.perform(access, step.action, user_id, step.inputs, replace(circumstances, submission=own))
            except Refused as refused:
                problem = str(refused)
            except AlreadySubmitted as sent:
                if sent.entry.outcome != Outcome.SUCCEEDED:
                    problem = "This was sent before, and did not succeed."
            except PingOneError as error:
                silent = isinstance(error, ConnectionFailure | RateLimited | Unavailable)
                unknown = "" if error.outcome_known else " It may have happened or not."
                said = " ".join(detail.message for detail in error.details if detail.message)
                kind, problem = error.kind, f"{error.title}.{unknown}" + (f" PingOne says: {said}" if said else "")
        results.append(Result(step=step, problem=problem, kind=kind))
    return results
