"""What is settled when a plan starts, besides what is typed: what templates say, or what another run has changed.

It becomes part of the run's choices, so that a template that is changed or deleted later changes no run.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.models import UserTemplate
from console.plans.definition import (
    FIELDS,
    GAINED,
    LOST,
    OF_A_RUN,
    OF_TEMPLATES,
    TEMPLATE,
    ActionStep,
    Condition,
    Definition,
)

Group = Mapping[str, str]  # "id" and "name"
Values = Mapping[str, Mapping[str, Any]]  # by the choice, such as {gained}: values by the name of the input


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the settled values come from."""

    values: Values
    was_active: bool = False  # the run that is brought back deactivated them
    groups: frozenset[str] = frozenset()  # IDs of every group that it speaks of

    def choices(self, definition: Definition) -> dict[str, dict[str, Any]]:
        """Return the settled inputs by the number of the step. What there is nothing for is absent."""
        found: dict[str, dict[str, Any]] = {}
        for number, step in definition.numbered():
            if not isinstance(step, ActionStep):
                continue
            if step.condition is Condition.WAS_ACTIVE and self.was_active:
                found.setdefault(str(number), {})["chosen"] = "on"
            for name, choice in step.inputs.items():
                if value := self.values.get(choice, {}).get(name):
                    found.setdefault(str(number), {})[name] = value
        return found


NO_SOURCE = Source(values={})


def of_templates(old: UserTemplate | None, new: UserTemplate) -> Source:
    """Return what moving from one template to another means. `old` None: somebody new."""
    before, after = _by_id(old.groups if old else ()), _by_id(new.groups)
    return Source(
        values={
            GAINED: {"group_id": [one for key, one in after.items() if key not in before]},
            LOST: {"group_id": [one for key, one in before.items() if key not in after]},
            TEMPLATE: {
                FIELDS: new.fields,
                "population_id": str(new.population_id or ""),
                "population_name": new.population_name,
            },
        },
        groups=frozenset(before) | frozenset(after),
    )


def asks_templates(definition: Definition) -> bool:
    return _uses(definition, OF_TEMPLATES)


def asks_old_template(definition: Definition) -> bool:
    return _uses(definition, frozenset({LOST}))


def brings_back(definition: Definition) -> bool:
    return _uses(definition, OF_A_RUN) or any(
        isinstance(step, ActionStep) and step.condition is Condition.WAS_ACTIVE for step in definition.steps
    )


def _uses(definition: Definition, choices: frozenset[str]) -> bool:
    every = (step.inputs.values() for step in definition.steps if isinstance(step, ActionStep))
    return any(not choices.isdisjoint(values) for values in every)


def _by_id(groups: Iterable[Group]) -> dict[str, Group]:
    return {one["id"]: one for one in groups}
