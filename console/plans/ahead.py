"""What is still to come in a plan, with what was chosen at the start."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from console.plans.definition import ASKED, DELETES, SAME, ActionStep, Condition, Definition, MailStep, Step, WaitStep
from console.plans.on_behalf import TAKE_AWAY

Choices = Mapping[str, Mapping[str, str]]  # by the number of the step: the inputs that were asked


def is_chosen(number: int, step: Step, choices: Choices) -> bool:
    """Return whether a step is not left out from the start, because nothing is chosen for it."""
    if not isinstance(step, ActionStep):
        return True
    chosen = choices.get(str(number)) or {}
    if step.condition is Condition.ASKED and not chosen:
        return False
    return all(chosen.get(name) for name in step.asked)


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


def only_takes_away(steps: Iterable[ActionStep | MailStep]) -> bool:
    """Return whether these steps give nobody access: then they run late, however late."""
    return all(isinstance(step, MailStep) or step.action in TAKE_AWAY | {DELETES} for step in steps)


def deletes(steps: Iterable[ActionStep | MailStep]) -> bool:
    return any(isinstance(step, ActionStep) and step.action == DELETES for step in steps)


def completed(definition: Definition, choices: Choices) -> dict[str, dict[str, str]]:
    """Return the choices with those that are the same as an earlier step's."""
    found = {number: dict(one) for number, one in choices.items()}
    asked: dict[str, str] = {}
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
