"""What is still to come in a plan, with what was chosen at the start."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from console.plans.definition import (
    ASKED,
    DELETES,
    SAME,
    ActionStep,
    Condition,
    Definition,
    Kind,
    MailStep,
    Step,
    WaitStep,
)
from console.plans.on_behalf import TAKE_AWAY

# By the number of the step: the inputs that were asked or settled. The first of a "join" has those of its new user.
Choices = Mapping[str, Mapping[str, Any]]
PASSWORD = "password"  # noqa: S105 - a choice for the plan as a whole: somebody gives them a temporary password
CHOSEN = frozenset({Condition.ASKED, Condition.WAS_ACTIVE})  # known at the start


def is_chosen(number: int, step: Step, choices: Choices) -> bool:
    """Return whether a step is not left out from the start, because nothing is chosen for it."""
    chosen = choices.get(str(number)) or {}
    if step.condition in CHOSEN and not chosen:
        return False
    if step.condition is Condition.CHOOSES_PASSWORD and is_given_password(choices):
        return False
    return not isinstance(step, ActionStep) or all(chosen.get(name) for name in step.settled)


def is_given_password(choices: Choices) -> bool:
    """Return whether somebody gives the person a temporary password, instead of a way to choose one by email."""
    return bool(choices.get(PASSWORD))


def chosen_steps(definition: Definition, choices: Choices) -> Iterator[tuple[int, ActionStep]]:
    """Yield the actions that would run."""
    for number, step in definition.numbered():
        if isinstance(step, ActionStep) and is_chosen(number, step, choices):
            yield number, step


def until_next_wait(definition: Definition, number: int, choices: Choices) -> Iterator[ActionStep | MailStep]:
    """Yield what would run after the step with this number, until the next wait."""
    for later, step in definition.numbered()[number:]:
        if isinstance(step, WaitStep):
            return
        if is_chosen(later, step, choices):
            yield step


def is_anything_after(definition: Definition, number: int, choices: Choices) -> bool:
    """Return whether anything would run after this wait, at any time: otherwise nobody waits."""
    later = definition.numbered()[number:]
    return any(not isinstance(step, WaitStep) and is_chosen(of, step, choices) for of, step in later)


def would_run(definition: Definition, number: int, choices: Choices) -> bool:
    """Return whether a step is not left out by what was chosen: a wait is, if nothing comes after it."""
    step = definition.steps[number - 1]
    if isinstance(step, WaitStep):
        return is_anything_after(definition, number, choices)
    return is_chosen(number, step, choices)


def takes_away(kind: str, action: str) -> bool:
    """Return whether an action takes access away in a plan of this kind: a move does among leavers only."""
    return action in TAKE_AWAY and (action != "user.move" or kind == Kind.LEAVE)


def only_takes_away(kind: str, steps: Iterable[ActionStep | MailStep]) -> bool:
    """Return whether these steps give nobody access: then they run late, however late."""
    return all(isinstance(step, MailStep) or step.action == DELETES or takes_away(kind, step.action) for step in steps)


def deletes(steps: Iterable[ActionStep | MailStep]) -> bool:
    return any(isinstance(step, ActionStep) and step.action == DELETES for step in steps)


def completed(definition: Definition, choices: Choices) -> dict[str, dict[str, Any]]:
    """Return the choices with those that are the same as an earlier step's."""
    found = {number: dict(one) for number, one in choices.items()}
    asked: dict[str, Any] = {}
    for number, step in definition.numbered():
        if not isinstance(step, ActionStep):
            continue
        own = found.get(str(number), {})
        own |= {name: asked[name] for name, value in step.inputs.items() if value == SAME and asked.get(name)}
        asked |= {name: own[name] for name, value in step.inputs.items() if value == ASKED and own.get(name)}
        if own:
            found[str(number)] = own
    return found


def date_waits(definition: Definition) -> list[int]:
    """Return the numbers of the waits until a time that is asked."""
    return [number for number, step in definition.numbered() if isinstance(step, WaitStep) and step.asks_date]


def chosen_date(number: int, choices: Choices) -> datetime | None:
    """Return the chosen end of such a wait; None: nothing that could be one was chosen."""
    try:
        found = datetime.fromisoformat((choices.get(str(number)) or {})["at"])
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def asked_of(definition: Definition) -> Iterator[tuple[int, ActionStep, str]]:
    """Yield the inputs that a plan asks at the start: with the number of the step, and the name of the input."""
    for number, step in definition.numbered():
        if isinstance(step, ActionStep):
            yield from ((number, step, name) for name, value in step.inputs.items() if value == ASKED)
