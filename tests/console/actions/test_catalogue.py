"""Consistency of the action catalogue with permissions, undo, tickets and the README."""

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


def test_action_keys_are_unique():
    assert len(BY_KEY) == len(ACTIONS)


def test_each_permission_has_a_label():
    assert set(PERMISSION_LABELS) == set(Permission)


@EVERY_ACTION
def test_action_states_what_it_does_and_does_not(action):
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", action.key)
    for sentence in (action.does, action.leaves, *([action.question] if action.question else [])):
        assert sentence.endswith((".", "?"))
    assert not action.label.endswith(".")
    assert not action.done.endswith(".")
    assert action.question == "" or "{name}" in action.question


def test_action_names_are_unique():
    names = [action.name for action in ACTIONS]

    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("…")]


@EVERY_ACTION
def test_org_admin_may_do_everything_and_auditor_nothing(action):
    assert action.permission in ROLE_PERMISSIONS[Membership.Role.ORG_ADMIN]
    assert action.permission not in ROLE_PERMISSIONS[Membership.Role.AUDITOR]


def test_helpdesk_agent_may_do_all_but_these_actions():
    allowed = ROLE_PERMISSIONS[Membership.Role.HELPDESK_AGENT]

    assert {action.key for action in ACTIONS if action.permission not in allowed} == {
        "user.create",
        "user.move",
        "user.delete",
        "mfa.enable",
        "mfa.disable",
    }


@EVERY_ACTION
def test_undo_names_an_action_that_can_be_undone(action):
    if action.undo:
        inverse = BY_KEY[action.undo.action]
        assert inverse.undo is not None
        assert inverse.undo.action == action.key


@EVERY_ACTION
def test_action_with_a_visible_effect_has_an_already_text(action):
    assert bool(action.already) == (action.effect is not None)


@EVERY_ACTION
def test_secret_inputs_are_fields_of_the_form(action):
    assert issubclass(action.form, ActionForm)
    assert action.secret_inputs <= action.form.base_fields.keys()
    assert (action.options or {}).keys() <= action.form.base_fields.keys()


def test_risky_actions_ask_for_confirmation():
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


def test_user_creation_is_the_only_action_off_the_user_page():
    assert [action.key for action in ACTIONS if action.place is Place.ELSEWHERE] == ["user.create"]


@pytest.mark.parametrize("pattern", [r"INC\d+", r"CHG\d{7}|INC\d{7}", r"[A-Z]+-\d+", r"HELP \(\d+\)"])
def test_ticket_pattern_with_usual_syntax_is_accepted(pattern):
    validate_ticket_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"\d+\d+\d+\d+", "[", "a**"])
def test_ticket_pattern_that_is_slow_or_invalid_is_refused(pattern):
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
def test_ticket_policy_accepts_or_refuses_a_ticket(requirement, pattern, ticket, fits):
    policy = TicketPolicy(requirement=requirement, pattern=pattern)

    assert bool(policy.problem_with(ticket)) is not fits


@EVERY_ACTION
def test_readme_lists_each_action_with_endpoint_and_permission(action):
    row = f"| `{action.key}` | {action.name} | `{action.endpoint}` | `{action.pingone_permission}` |"

    assert row in (settings.BASE_DIR / "README.md").read_text()
