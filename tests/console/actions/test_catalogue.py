"""The catalogue is whole: what one entry names, another has."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from console.access import PERMISSION_LABELS, ROLE_PERMISSIONS, Permission
from console.actions.catalogue import ACTIONS, BY_KEY, Place
from console.actions.forms import ActionForm
from console.models import Membership, TicketPolicy
from console.models.tickets import validate_ticket_pattern

EVERY_ACTION = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)


def test_each_key_is_there_once():
    assert len(BY_KEY) == len(ACTIONS)


def test_each_permission_can_be_named():
    assert set(PERMISSION_LABELS) == set(Permission)


@EVERY_ACTION
def test_an_action_says_what_it_does_and_what_not(action):
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", action.key)
    for sentence in (action.does, action.leaves, *([action.question] if action.question else [])):
        assert sentence.endswith((".", "?"))
    assert not action.label.endswith(".")
    assert not action.done.endswith(".")
    assert action.question == "" or "{name}" in action.question


def test_each_action_has_a_name_of_its_own_wherever_it_stands():
    names = [action.name for action in ACTIONS]

    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("…")]


@EVERY_ACTION
def test_an_org_admin_may_do_everything_and_an_auditor_nothing(action):
    assert action.permission in ROLE_PERMISSIONS[Membership.Role.ORG_ADMIN]
    assert action.permission not in ROLE_PERMISSIONS[Membership.Role.AUDITOR]


def test_a_helpdesk_agent_does_the_daily_work_and_nothing_that_cannot_be_mended():
    allowed = ROLE_PERMISSIONS[Membership.Role.HELPDESK_AGENT]

    assert {action.key for action in ACTIONS if action.permission not in allowed} == {
        "user.create",
        "user.move",
        "user.delete",
        "mfa.enable",
        "mfa.disable",
    }


@EVERY_ACTION
def test_undo_names_an_action_that_can_be_undone_in_turn(action):
    if action.undo:
        inverse = BY_KEY[action.undo.action]
        assert inverse.undo is not None
        assert inverse.undo.action == action.key


@EVERY_ACTION
def test_an_action_whose_effect_can_be_seen_says_that_it_was_so_already(action):
    assert bool(action.already) == (action.effect is not None)


@EVERY_ACTION
def test_a_secret_input_is_an_input(action):
    assert issubclass(action.form, ActionForm)
    assert action.secret_inputs <= action.form.base_fields.keys()
    assert (action.options or {}).keys() <= action.form.base_fields.keys()


def test_risky_actions_ask_and_others_that_need_no_input_do_it_at_once():
    assert {action.key for action in ACTIONS if action.is_risky} == {
        "user.deactivate",
        "user.delete",
        "password.set-temporary",
        "mfa.disable",
        "device.remove",
    }
    assert BY_KEY["user.unlock"].is_immediate
    assert BY_KEY["session.end"].is_immediate
    assert not BY_KEY["user.lock"].is_immediate
    assert not BY_KEY["user.deactivate"].is_immediate


def test_only_what_has_no_user_yet_stands_elsewhere():
    assert [action.key for action in ACTIONS if action.place is Place.ELSEWHERE] == ["user.create"]


@pytest.mark.parametrize("pattern", [r"INC\d+", r"CHG\d{7}|INC\d{7}", r"[A-Z]+-\d+", r"HELP \(\d+\)"])
def test_a_ticket_pattern_may_be_as_rich_as_tickets_are(pattern):
    validate_ticket_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"\d+\d+\d+\d+", "[", "a**"])
def test_a_ticket_pattern_that_could_run_for_long_or_not_at_all_is_refused(pattern):
    with pytest.raises(ValidationError):
        validate_ticket_pattern(pattern)


@pytest.mark.parametrize(
    ("requirement", "pattern", "ticket", "fits"),
    [
        ("optional", "", "", True),
        ("optional", "", "anything", True),
        ("required", "", "", False),
        ("required", "", "anything", True),
        ("pattern", r"INC\d+", "INC12345", True),
        ("pattern", r"INC\d+", "INC12345 and more", False),
        ("pattern", r"INC\d+", "", False),
    ],
)
def test_a_policy_says_which_tickets_do(requirement, pattern, ticket, fits):
    policy = TicketPolicy(requirement=requirement, pattern=pattern)

    assert bool(policy.problem_with(ticket)) is not fits


@EVERY_ACTION
def test_the_readme_says_what_an_action_calls_and_needs(action):
    row = f"| `{action.key}` | {action.name} | `{action.endpoint}` | `{action.pingone_permission}` |"

    assert row in (settings.BASE_DIR / "README.md").read_text()
