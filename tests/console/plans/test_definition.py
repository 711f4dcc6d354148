"""Plans as data: what their JSON may say, and the message for what it may not."""

import json

import pytest

from console.plans.definition import MOST_STEPS, InvalidPlan, read, read_text
from console.plans.shipped_plans import shipped

DEACTIVATE = {"action": "user.deactivate"}


def plan(*steps, **more):
    return {"id": "leaver", "name": "Leaver", "kind": "leave", "steps": list(steps)} | more


def problems(said):
    with pytest.raises(InvalidPlan) as invalid:
        read(said)
    return [(problem.step, str(problem.told)) for problem in invalid.value.problems]


@pytest.mark.parametrize("slug", shipped())
def test_shipped_plan_is_read_and_written_without_loss(slug):
    definition = shipped()[slug]

    assert definition.id == slug
    assert read_text(json.dumps(definition.as_json())) == definition


NO_WAIT = "A wait is 1 to 365 days, or until an hour such as 18:00, or until a date that is asked."
WRONG_STEPS = {
    "no action": ({"action": "user.explode"}, "There is no action “user.explode”."),
    "no kind": ({"do": "user.deactivate"}, "A step is an action, an email or a wait."),
    "text": ("user.deactivate", "A step is an action, an email or a wait."),
    "other key": (DEACTIVATE | {"then": "x"}, "A step has no then here."),
    "condition": (DEACTIVATE | {"if": "1 == 1"}, "There is no condition “1 == 1”."),
    "list as condition": (DEACTIVATE | {"if": []}, "There is no condition “[]”."),
    "field": (
        {"action": "user.deactivate", "inputs": {"group_id": "{all}"}},
        "“Deactivate” has no field group_id.",
    ),
    "ticket": ({"action": "user.deactivate", "inputs": {"ticket": "1"}}, "“Deactivate” has no field ticket."),
    "confirmation": ({"action": "user.delete", "inputs": {"username": "x"}}, "“Delete user” has no field username."),
    "number": (
        {"action": "group.add", "inputs": {"group_id": 1}},
        "The inputs of an action are texts by the names of its fields.",
    ),
    "choice": (
        {"action": "user.move", "inputs": {"population_id": "{all}"}},
        "population_id cannot be {all}.",
    ),
    "placeholder": (
        {"action": "device.rename", "inputs": {"device_id": "{all}", "nickname": "{password}"}},
        "There is no placeholder {password}.",
    ),
    "attribute": (
        {"mail": "person", "subject": "{given.__class__}", "text": "x"},
        "There is no placeholder {given.__class__}.",
    ),
    "open brace": ({"mail": "person", "subject": "x", "text": "{given"}, "There is no placeholder {given."),
    "address": (
        {"mail": "a@b.test, c@d.test", "subject": "x", "text": "x"},
        "An email goes to “person”, to “manager” or to an address.",
    ),
    "header": (
        {"mail": "person", "subject": "x\nBcc: a@b.test", "text": "x"},
        "The subject is one line of at most 200 characters.",
    ),
    "date": (
        {"wait": {"date": "2027-01-01T08:00"}},
        NO_WAIT,
    ),
    "same": (
        {"action": "group.remove", "inputs": {"group_id": "{same}"}},
        "No earlier step asks for what is {same}.",
    ),
    "days": (
        {"wait": {"days": 0}},
        NO_WAIT,
    ),
    "truth": (
        {"wait": {"days": True}},
        NO_WAIT,
    ),
    "hour": (
        {"wait": {"until": "24:00"}},
        NO_WAIT,
    ),
}


@pytest.mark.parametrize(("step", "told"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_wrong_step_is_refused_with_its_number(step, told):
    assert problems(plan(DEACTIVATE, step)) == [(2, f"Step 2: {told}")]


WRONG_PLANS = {
    "no object": ([], "A plan is a JSON object."),
    "id": (plan(DEACTIVATE, id="../x"), "The ID of a plan has small letters, digits and hyphens, at most 50."),
    "name": (plan(DEACTIVATE, name="a\nb"), "The name of a plan is one line of at most 80 characters."),
    "kind": (plan(DEACTIVATE, kind="x"), "The kind of a plan is one of: join, leave, change, return."),
    "empty": (plan(), "A plan has steps."),
    "long": (plan(*[DEACTIVATE] * (MOST_STEPS + 1)), f"A plan has at most {MOST_STEPS} steps."),
    "deleted first": (
        plan({"action": "user.delete"}, DEACTIVATE),
        "Step 1: Nothing can follow after the user is deleted.",
    ),
    "wait last": (plan(DEACTIVATE, {"wait": {"days": 3}}), "Step 2: A plan does not end with a wait."),
    "no creation": (
        plan(DEACTIVATE, kind="join"),
        "Step 1: A plan of the kind “join”, and no other, begins by creating the user.",
    ),
}


@pytest.mark.parametrize(("said", "told"), WRONG_PLANS.values(), ids=WRONG_PLANS)
def test_wrong_plan_is_refused(said, told):
    assert [words for _, words in problems(said)] == [told]


def test_all_problems_of_a_plan_are_told_at_once():
    found = problems(plan({"action": "x"}, DEACTIVATE, {"wait": {}}))

    assert [number for number, _ in found] == [1, 3]


@pytest.mark.parametrize("text", ["{", "[" * 90_000, "x" * 200_000, '{"id": NaN}'], ids=["cut", "deep", "long", "nan"])
def test_hostile_json_is_refused(text):
    with pytest.raises(InvalidPlan):
        read_text(text)
