"""Protected accounts at the sandbox: the worker's table, and actions on administrators and groups that give roles."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.cache import cache
from django.core.management import call_command

from console.access import enter_org
from console.actions.outcome import Done, Refused
from console.models import KnownGroup, Operator, Organization
from tests.support.people import make_operator
from tests.support.performing import run
from tests.support.presses import Person, new_name, new_person, org_admin_at
from tests.support.sandbox_server import Sandbox


@pytest.fixture
def org_admin(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    cache.clear()
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return org_admin_at(sandbox)


@pytest.fixture
def person(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    return new_person(sandbox, administrator)


def test_members_of_a_group_nested_in_one_with_roles_are_protected(
    org_admin: Operator, person: Person, administrator: httpx.Client
):
    acme = Organization.objects.get()
    agent = enter_org(make_operator("agent@acme.test", acme, "helpdesk_agent"), "acme")
    desk = administrator.post("groups", json={"name": new_name()}).raise_for_status().json()["id"]
    roles = administrator.get("roles").raise_for_status().json()["_embedded"]["roles"]
    role = next(one["id"] for one in roles if one["name"] == "Help Desk Admin")
    scope = {"id": str(acme.connection.managed_environment_id), "type": "ENVIRONMENT"}
    granted = {"role": {"id": role}, "scope": scope}
    administrator.post(f"groups/{desk}/roleAssignments", json=granted).raise_for_status()
    inner = administrator.post("groups", json={"name": new_name()}).raise_for_status().json()["id"]
    assert isinstance(run(agent, "user.deactivate", person.id), Done)

    administrator.post(f"groups/{inner}/memberOfGroups", json={"id": desk}).raise_for_status()
    joining = run(agent, "group.add", person.id, inputs={"group_id": UUID(inner)})
    assert isinstance(joining, Refused)
    assert "gives PingOne administrator roles" in str(joining.reason)
    person.send("POST", "/memberOfGroups", id=inner)
    assert isinstance(run(agent, "user.activate", person.id), Refused)

    call_command("sync_role_groups", "acme")
    giving = {str(one) for one in KnownGroup.objects.filter(gives_roles=True).values_list("group_id", flat=True)}
    assert {desk, inner} <= giving
    refused = run(agent, "user.activate", person.id)
    assert isinstance(refused, Refused)
    assert "is a PingOne administrator through the group" in str(refused.reason)
    for group in (inner, desk):
        administrator.delete(f"groups/{group}").raise_for_status()
