"""Environments and their parts: populations, schema, policies, roles and the audit trail."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import NOBODY, Person, assert_refused
from tests.support.sandbox_server import Sandbox

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
STAFF = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
LONG_AGO, FAR_AHEAD = "2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"
RANGE = f'recordedAt gt "{LONG_AGO}" and recordedAt lt "{FAR_AHEAD}"'
NewUser = Callable[..., Person]


def names(response: httpx.Response, collection: str) -> list[str]:
    assert response.status_code == 200, response.text
    return [one["name"] for one in response.json()["_embedded"][collection]]


@pytest.mark.parametrize(
    ("username", "seen"),
    [
        ("ada.admin", ["Acme production"]),
        ("petra.partners", ["Acme production"]),
        ("enno.environment", ["Acme production"]),
        ("ivan.identity", ["Administrators"]),
    ],
)
def test_environments_are_listed_if_the_administrator_has_a_role(
    api_of: Callable[..., httpx.Client], username: str, seen: list[str]
):
    assert names(api_of(username).get(".."), "environments") == seen


def test_environments_are_filtered(ada: httpx.Client, sandbox: Sandbox):
    def found(condition: str) -> httpx.Response:
        return ada.get("..", params={"filter": condition})

    managed, organization = sandbox.details["managed_environment_id"], sandbox.details["organization_id"]
    assert names(found(f'id eq "{managed}" and organization.id eq "{organization}"'), "environments")
    assert names(found('name sw "Nothing"'), "environments") == []
    for wrong in ('name eq "Acme"', f'id eq "{managed}" or name sw "A"', 'type eq "SANDBOX"'):
        assert_refused(found(wrong), 400, "INVALID_DATA", "INVALID_FILTER", "filter")


def test_missing_environment_is_404_and_an_environment_without_a_role_403(ada: httpx.Client, sandbox: Sandbox):
    assert ada.get(f"../{sandbox.details['managed_environment_id']}").json()["name"] == "Acme production"
    assert_refused(ada.get(f"../{NOBODY}"), 404, "NOT_FOUND")
    foreign = ada.get(f"../{sandbox.details['second_environment_id']}")
    assert_refused(foreign, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")


def test_no_address_is_excepted_from_the_limit_per_address(rosa: httpx.Client):
    assert rosa.get("rateLimitIpConfigs").json()["_embedded"]["rateLimitIpConfigs"] == []


def test_capabilities_include_the_rate_limits(rosa: httpx.Client):
    assert rosa.get("capabilities").json()["licenseQuantities"]["rlgAuditRps"] == {"limit": 10}


def test_populations_are_listed_with_their_counts(rosa: httpx.Client, petra: httpx.Client):
    listed = rosa.get("populations").json()["_embedded"]["populations"]

    assert [one["name"] for one in listed] == ["Customers", "Partners", "Staff"]
    assert [one["name"] for one in listed if one["default"]] == ["Staff"]
    assert all(one["userCount"] > 0 for one in listed)
    assert names(petra.get("populations"), "populations") == ["Partners"]
    assert_refused(petra.get(f"populations/{STAFF}"), 404, "NOT_FOUND")
    assert names(rosa.get("populations", params={"filter": 'name sw "Pa"'}), "populations") == ["Partners"]
    assert names(rosa.get("populations", params={"filter": f'id eq "{STAFF}"'}), "populations") == ["Staff"]


def test_population_is_created_changed_and_deleted(ada: httpx.Client):
    name = f"population-{uuid4()}"
    created = ada.post("populations", json={"name": name, "description": "Some"})
    path = f"populations/{created.json()['id']}"

    assert (created.status_code, created.json()["userCount"]) == (201, 0)
    again = ada.post("populations", json={"name": name})
    assert_refused(again, 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "name")
    assert "description" not in ada.put(path, json={"name": f"{name} 2"}).json()
    assert ada.delete(path).status_code == 204
    assert_refused(ada.delete(path), 404, "NOT_FOUND")
    assert_refused(ada.delete(f"populations/{PARTNERS}"), 400, "INVALID_DATA", "CONSTRAINT_VIOLATION", "id")
    assert_refused(ada.post("populations", json={}), 400, "INVALID_DATA", "REQUIRED_VALUE", "name")


def test_schema_includes_the_custom_attributes(rosa: httpx.Client):
    schema = rosa.get("schemas").json()["_embedded"]["schemas"][0]
    listed = rosa.get(f"schemas/{schema['id']}/attributes").json()["_embedded"]["attributes"]
    attributes = {one["name"]: one for one in listed}

    assert schema["name"] == "User"
    assert attributes["username"]["schemaType"] == "CORE"
    assert {one["name"] for one in attributes["name"]["subAttributes"]} >= {"given", "family"}
    assert attributes["costCenter"]["regexValidation"]["requirements"]
    assert attributes["employmentType"]["enumeratedValues"][-1]["archived"] is True
    assert (attributes["skills"]["multiValued"], attributes["entitlements"]["type"]) == (True, "JSON")
    assert attributes["faxNumber"]["enabled"] is False
    one = rosa.get(f"schemas/{schema['id']}/attributes/{attributes['skills']['id']}")
    assert one.json() == attributes["skills"]
    assert_refused(rosa.get(f"schemas/{NOBODY}/attributes"), 404, "NOT_FOUND")


def test_password_policies_can_be_read(rosa: httpx.Client):
    policy = rosa.get("passwordPolicies").json()["_embedded"]["passwordPolicies"][0]

    assert policy["lockout"]["failureCount"] == 5
    assert rosa.get(f"passwordPolicies/{policy['id']}").json() == policy
    assert_refused(rosa.get(f"passwordPolicies/{NOBODY}"), 404, "NOT_FOUND")


def test_roles_are_listed_with_their_permissions(rosa: httpx.Client):
    built_in = rosa.get("../../roles").json()["_embedded"]["roles"]
    reader = next(role for role in built_in if role["name"] == "Identity Data Read Only")

    assert "dir:read:user" in {permission["id"] for permission in reader["permissions"]}
    assert rosa.get(f"../../roles/{reader['id']}").json() == reader
    assert {role["id"] for role in built_in} <= {role["id"] for role in rosa.get("roles").json()["_embedded"]["roles"]}
    assert names(rosa.get("roles", params={"filter": 'type eq "CUSTOM"'}), "roles") == []


def test_role_is_assigned_and_removed(ivan: httpx.Client, sandbox: Sandbox):
    nils = next(one["id"] for one in sandbox.details["administrators"] if one["username"] == "nils.norole")
    roles = {role["name"]: role["id"] for role in ivan.get("roles").json()["_embedded"]["roles"]}
    scope = {"id": sandbox.details["environment_id"], "type": "ENVIRONMENT"}
    path = f"users/{nils}/roleAssignments"

    def grant(name: str, **changes: Any) -> httpx.Response:
        return ivan.post(path, json={"role": {"id": roles[name]}, "scope": scope | changes})

    granted = grant("Help Desk Admin")

    assert granted.status_code == 201
    assert ivan.get(path).json()["_embedded"]["roleAssignments"] == [granted.json()]
    assert_refused(grant("Help Desk Admin"), 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "role")
    assert_refused(grant("Environment Admin"), 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    elsewhere = grant("Help Desk Admin", id=sandbox.details["second_environment_id"])
    assert_refused(elsewhere, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    organization = grant("Identity Data Admin", id=sandbox.details["organization_id"], type="ORGANIZATION")
    assert_refused(organization, 400, "INVALID_DATA", "INVALID_VALUE", "scope.type")
    assert_refused(grant("Help Desk Admin", id=NOBODY), 400, "INVALID_DATA", "INVALID_VALUE", "scope.id")
    assert ivan.delete(f"{path}/{granted.json()['id']}").status_code == 204
    assert ivan.get(path).json()["_embedded"]["roleAssignments"] == []


def test_only_static_groups_have_administrator_roles(ivan: httpx.Client, sandbox: Sandbox):
    roles = {role["name"]: role["id"] for role in ivan.get("roles").json()["_embedded"]["roles"]}
    scope = {"id": sandbox.details["environment_id"], "type": "ENVIRONMENT"}
    body = {"role": {"id": roles["Help Desk Admin"]}, "scope": scope}
    by_filter = {"userFilter": 'title eq "Agent"'}
    static, dynamic = (
        ivan.post("groups", json={"name": f"group-{uuid4()}"} | more).json()["id"] for more in ({}, by_filter)
    )

    refused = ivan.post(f"groups/{dynamic}/roleAssignments", json=body)
    assert_refused(refused, 400, "INVALID_DATA", "CONSTRAINT_VIOLATION", "group")
    assert ivan.post(f"groups/{static}/roleAssignments", json=body).status_code == 201
    turned = ivan.put(f"groups/{static}", json={"name": f"group-{uuid4()}"} | by_filter)
    assert_refused(turned, 400, "INVALID_DATA", "INVALID_VALUE", "userFilter")
    assert {ivan.delete(f"groups/{group}").status_code for group in (static, dynamic)} == {204}


def test_groups_with_roles_show_them(rosa: httpx.Client):
    listed = rosa.get("groups", params={"filter": 'name eq "Service desk"'}).json()["_embedded"]["groups"]

    assignments = rosa.get(f"groups/{listed[0]['id']}/roleAssignments").json()["_embedded"]["roleAssignments"]

    assert len(assignments) == 1
    assert assignments[0]["readOnly"] is True


def test_activities_of_a_write_name_actor_and_resource(new_user: NewUser, ada: httpx.Client, sandbox: Sandbox):
    person = new_user()
    ada.put(f"{person.path}/enabled", json={"enabled": False})
    lock = person.act("account.lock")

    def events(condition: str) -> list[dict[str, Any]]:
        body = ada.get("activities", params={"filter": f"{RANGE} and {condition}"}).json()
        return list(body["_embedded"]["activities"])

    found = events(f'resources.id eq "{person.id}"')
    assert [event["action"]["type"] for event in found] == ["USER.LOCKED", "USER.UPDATED", "USER.CREATED"]
    assert found[0]["actors"]["user"]["name"] == "ada.admin"
    assert found[0]["correlationId"] == lock.headers["Correlation-Id"]
    assert events(f'correlationId eq "{lock.headers["Correlation-Id"]}"') == [found[0]]
    assert ada.get(f"activities/{found[0]['id']}").json() == found[0]
    actor = next(one["id"] for one in sandbox.details["administrators"] if one["username"] == "ada.admin")
    assert found[0] in events(f'actors.user.id eq "{actor}" and resources.population.id eq "{STAFF}"')


def test_activities_do_not_include_a_refused_write(new_user: NewUser, ada: httpx.Client):
    person = new_user()

    assert ada.patch(person.path, json={"timezone": "UTC"}).status_code == 400

    body = ada.get("activities", params={"filter": f'{RANGE} and resources.id eq "{person.id}"'}).json()
    assert body["size"] == 1


@pytest.mark.parametrize(
    "condition",
    [
        "",
        f'resources.id eq "{MARA}"',
        f'recordedAt gt "{LONG_AGO}"',
        f'recordedAt gt "{LONG_AGO}" and createdAt ge "{LONG_AGO}"',
        f'{RANGE} or resources.id eq "{MARA}"',
        f'{RANGE} and resources.id eq "{MARA}" and action.type eq "USER.LOCKED"',
        f'{RANGE} and resources.id eq "{MARA}" and resources.population.id eq "{STAFF}"',
        f'{RANGE} and result.status eq "SUCCESS"',
        f'{RANGE} and resources.id sw "{MARA}"',
    ],
)
def test_activities_require_a_date_range_and_a_single_subject(ada: httpx.Client, condition: str):
    response = ada.get("activities", params={"filter": condition})

    assert_refused(response, 400, "INVALID_DATA", "INVALID_FILTER", "filter")


def test_activities_are_read_by_post_and_in_pages(ada: httpx.Client):
    seeded = "2026-11-21T00:00:00Z"  # before any test changed Mara
    condition = f'recordedat ge "{LONG_AGO}" and createdAt le "{seeded}" and resources.id eq "{MARA}"'
    first = ada.post("activities", json={"filter": condition, "limit": 2}).json()
    cursor = httpx.URL(first["_links"]["next"]["href"]).params["cursor"]
    second = ada.post("activities", json={"filter": condition, "limit": 2, "offset": cursor}).json()

    actions = [one["action"]["type"] for body in (first, second) for one in body["_embedded"]["activities"]]
    assert actions == ["USER.UPDATED", "USER.UNLOCKED", "USER.LOCKED", "USER.CREATED"]
    followed = ada.get(first["_links"]["next"]["href"]).json()["_embedded"]["activities"]
    assert followed == second["_embedded"]["activities"], "the link alone leads on, as in every list"
