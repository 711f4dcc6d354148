"""Consistency of the action catalogue with permissions, undo, tickets and the README."""

import re

import pytest
from django.conf import settings

from console.access import PERMISSION_LABELS, Permission
from console.actions.catalogue import ACTIONS, BY_KEY, Place
from console.actions.forms import ActionForm
from console.actions.names import Recorded
from console.audit.api_requests import ACTION as CALL_API
from console.models import Membership, TicketPolicy
from console.rights.permissions import ACTIONS_OF, ALL_ACTIONS
from console.rights.roles import BUILT_IN

EVERY_ACTION = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)


def test_action_keys_are_unique():
    assert len(BY_KEY) == len(ACTIONS)


def test_each_permission_has_a_label():
    assert set(PERMISSION_LABELS) == set(Permission)


@EVERY_ACTION
def test_action_states_what_it_does_and_does_not(action):
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", action.key)
    texts = [action.does, action.leaves, action.already, action.question]
    assert [text for text in map(str, texts) if text and not text.endswith((".", "?"))] == []
    assert not str(action.label).endswith(".")
    assert not str(action.done).endswith(".")


@EVERY_ACTION
@pytest.mark.parametrize("count", [1, 2])
def test_sentences_name_the_user_and_the_object(action, count):
    ids = {name: f"its {name}" for name in action.form.id_fields() if name != "population_id" or action.needs_user}
    recorded = Recorded(inputs=ids | {"nickname": "Work"}, result=count)

    for text in filter(None, (action.told, action.already, action.question)):
        sentence = str(action.sentence(text, user="Mara Lind", recorded=recorded))
        assert "Mara Lind" in sentence
        assert "{" not in sentence
    told = str(action.sentence(action.told, user="Mara Lind", recorded=recorded))
    assert all(name in told for name in ids.values())
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("key", "recorded", "told"),
    [
        ("group.remove", {"before": {"group": "VPN"}}, "Removed Mara Lind from VPN."),
        ("group.add", {"after": {"group": "VPN"}}, "Added Mara Lind to VPN."),
        (
            "user.move",
            {"after": {"population_id": "p2", "population_name": "Contractors"}},
            "Moved Mara Lind to Contractors.",
        ),
        ("user.move", {"after": {"population_id": "p1", "population_name": "Staff"}}, "Moved Mara Lind to p2."),
        ("user.move", {"after": {"population_id": "p2", "population_name": ""}}, "Moved Mara Lind to p2."),
        (
            "device.remove",
            {"before": {"paired": True, "device": "Text message +1 555", "nickname": "iPhone 15"}},
            "Removed the device iPhone 15 from Mara Lind.",
        ),
        (
            "device.remove",
            {"before": {"paired": True, "device": "Text message +1 555", "nickname": ""}},
            "Removed the device Text message +1 555 from Mara Lind.",
        ),
        (
            "device.unlock",
            {"before": {}, "after": {"paired": True, "device": "Passkey", "nickname": ""}},
            "Unlocked Mara Lind's device Passkey.",
        ),
        (
            "session.end",
            {"before": {"client": "", "from": "203.0.113.9"}},
            "Signed Mara Lind out of the session 203.0.113.9.",
        ),
        ("sessions.end-all", {"result": 3}, "Signed Mara Lind out of 3 sessions."),
    ],
)
def test_notice_names_the_object_as_recorded(key, recorded, told):
    action = BY_KEY[key]
    known = Recorded(**{"inputs": {"population_id": "p2"}} | recorded)

    assert str(action.sentence(action.told, user="Mara Lind", recorded=known)) == told


def test_action_names_are_unique():
    names = [str(action.name) for action in ACTIONS]

    assert len(set(names)) == len(names)
    assert not [name for name in names if name.endswith("…")]


@EVERY_ACTION
def test_org_admin_may_do_everything_and_auditor_nothing(action):
    assert BUILT_IN[Membership.Role.ORG_ADMIN].may(action.key)
    assert not BUILT_IN[Membership.Role.AUDITOR].may(action.key)


def test_permissions_list_the_actions_of_the_catalogue():
    for permission, keys in ACTIONS_OF.items():
        of_catalogue = tuple(action.key for action in ACTIONS if action.permission is permission)
        assert keys == of_catalogue or (permission, keys) == (Permission.CALL_API, (CALL_API,))
    assert {CALL_API, *BY_KEY} == ALL_ACTIONS


def test_helpdesk_agent_may_do_all_but_these_actions():
    agent = BUILT_IN[Membership.Role.HELPDESK_AGENT]

    assert {action.key for action in ACTIONS if not agent.may(action.key)} == {
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
        "password.replace",
        "mfa.disable",
        "mfa.bypass",
        "device.remove",
    }
    assert BY_KEY["user.unlock"].is_immediate
    assert BY_KEY["session.end"].is_immediate
    assert not BY_KEY["user.lock"].is_immediate
    assert not BY_KEY["user.deactivate"].is_immediate


def test_user_creation_is_the_only_action_off_the_user_page():
    assert [action.key for action in ACTIONS if action.place is Place.ELSEWHERE] == ["user.create"]


@pytest.mark.parametrize(
    ("requirement", "pattern", "ticket", "fits"),
    [
        ("optional", "", "", True),
        ("optional", "", "anything", True),
        ("required", "", "", False),
        ("required", "", "anything", True),
        ("pattern", "INC#####", "INC12345", True),
        ("pattern", "INC#####", "INC12345 and more", False),
        ("pattern", "INC#####", "", False),
    ],
)
def test_ticket_policy_accepts_or_refuses_a_ticket(requirement, pattern, ticket, fits):
    policy = TicketPolicy(requirement=requirement, pattern=pattern)

    assert bool(policy.problem_with(ticket)) is not fits


@EVERY_ACTION
def test_readme_lists_each_action_with_endpoint_and_permission(action):
    row = f"| `{action.key}` | {action.name} | `{action.endpoint}` | `{action.pingone_permission}` |"

    assert row in (settings.BASE_DIR / "README.md").read_text()
