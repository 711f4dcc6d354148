"""The manager and the usernames as a way to an account: whoever may not name the manager changes nobody's."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache

from console.access import enter_org
from console.models import Membership, Operator, Organization
from console.plans.usernames import Person, suggest
from console.rights.roles import BUILT_IN
from tests.support.answers import ADA, listing
from tests.support.performing import refused, run
from tests.support.small_environment import SmallEnvironment, browser, call_api, command, press

FIELD: Any = {"custom.manager": "thief"}
PAGE = "/o/acme/settings/directory/"


@pytest.fixture(autouse=True)
def _managed(acme: Organization, environment: SmallEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Acme have an attribute that names the manager, and Ada one."""
    cache.clear()
    Organization.objects.filter(pk=acme.pk).update(manager_attribute="manager")
    environment.users[ADA] |= {"manager": "boss"}
    found = environment._found
    attribute = {"name": "manager", "type": "STRING", "schemaType": "CUSTOM", "enabled": True}
    more = {
        "/schemas": listing("schemas", {"id": str(ADA), "name": "User"}),
        f"/schemas/{ADA}/attributes": listing("attributes", attribute),
    }
    monkeypatch.setattr(environment, "_found", lambda path: more.get(path) or found(path))


def test_agent_changes_no_manager_whatever_the_way(helpdesk: Operator, environment: SmallEnvironment) -> None:
    agent = browser(helpdesk)

    for is_fragment in (False, True):
        assert "Your role cannot edit" in press(agent, "user.update", htmx=is_fragment, **FIELD)
    new_user = {"submission": str(uuid4()), "username": "eve", "population_id": str(uuid4())} | FIELD
    assert "Your role cannot edit" in agent.post("/o/acme/users/new/", new_user).content.decode()
    assert command(helpdesk, "user.update", "--user", str(ADA), "--manager", "thief")
    change = {"changes": {"manager": "thief"}, "seen": {}, "seen_at": None}
    assert "Your role cannot edit: manager" in str(
        refused(run(enter_org(helpdesk, "acme"), "user.update", inputs=change)).reason
    )
    for method, body in (("PATCH", {"manager": "thief"}), ("PATCH", {"manager": None}), ("PUT", {"username": "ada"})):
        shown = call_api(agent, method, f"users/{ADA}", body)
        assert "Your role cannot edit" in shown or "Only org admins may change" in shown, body
    assert environment.writes == []
    assert environment.users[ADA]["manager"] == "boss"


def test_org_admin_changes_a_manager_who_then_proves_nothing(
    org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    press(browser(org_admin), "user.update", **FIELD)
    assert environment.users[ADA]["manager"] == "thief"

    told = press(browser(helpdesk), "password.send-recovery-code", htmx=True)

    assert "changed the contacts of Ada Berg here less than 72 hours ago" in told


def test_only_org_admins_name_the_attribute(
    acme: Organization, globex: Organization, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    """A role with the right to manage policies does not suffice: the setting decides who reads a user's news."""
    chosen = {"manager_attribute": "", "manager_by": "email", "username_pattern": "{given}"}
    acme.role_overrides = {"helpdesk_agent": BUILT_IN["org_admin"].stored()}
    acme.save(update_fields=["role_overrides"])
    assert Membership.objects.get(operator=helpdesk).role == "helpdesk_agent"

    agent = browser(helpdesk)

    assert agent.get("/o/acme/settings/policies/").status_code == 200
    assert (agent.get(PAGE).status_code, agent.post(PAGE, chosen).status_code) == (403, 403)
    assert agent.post(PAGE.replace("acme", "globex"), chosen).status_code == 404
    acme.refresh_from_db()
    assert (acme.manager_attribute, acme.username_pattern) == ("manager", "")


def test_hostile_name_writes_no_filter(acme: Organization, org_admin: Operator, environment: SmallEnvironment) -> None:
    acme.username_pattern = "{given}.{family}"
    hostile = Person('x" or username sw "', "{given}\x00<b>\u202e")

    (suggestion,) = suggest(acme, enter_org(org_admin, "acme").pingone(), [hostile])

    assert suggestion.username == "xorusernamesw.givenb"
    sought = environment.requests[-1].url.params["filter"]
    values = [json.loads(one.removeprefix("username eq ")) for one in sought.split(" or ")]
    assert values[0] == suggestion.username
