"""The one examination of a plan that comes from a person: typed into the editor, imported, or from the command line."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.access import OrgAccess
from console.plans import fields
from console.plans.definition import ActionStep, Definition, InvalidPlan, Problem, read
from console.plans.editing import references
from console.users.remembered import known_attributes


def examined(access: OrgAccess, said: Any, *, told: Mapping[str, str] | None = None) -> Definition:
    """Return the plan: its steps are known, its inputs pass the actions' own forms, and its IDs exist here.

    `told`: names that came with it, by ID. Raises InvalidPlan, with everything that is wrong.
    """
    definition = read(said)
    if found := list(_problems(access, definition, told or {})):
        raise InvalidPlan(found)
    return definition


def _problems(access: OrgAccess, definition: Definition, told: Mapping[str, str]) -> Iterable[Problem]:
    actions = [step.of_catalogue for step in definition.steps if isinstance(step, ActionStep)]
    attributes = known_attributes(access) if any(action.form.looks_at_schema for action in actions) else ()
    yield from fields.problems_in(definition, access.org, attributes)
    yield from references.problems_in(definition, references.looked_up(access, definition), told)
