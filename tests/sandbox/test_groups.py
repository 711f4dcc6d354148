"""Groups, their members, and groups inside groups."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import NOBODY, Person, assert_refused, usernames
from tests.support.sandbox_server import Sandbox

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
NewUser = Callable[..., Person]


@pytest.fixture(scope="session")
def groups(rosa: httpx.Client) -> dict[str, str]:
    """Return the IDs of the seeded groups by name."""
    listed = rosa.get("groups", params={"limit": 1000}).json()["_embedded"]["groups"]
    return {group["name"]: group["id"] for group in listed}


def new_group(api: httpx.Client, **body: Any) -> str:
    reply = api.post("groups", json={"name": f"group-{uuid4()}"} | body)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def join(person: Person, group_id: str) -> httpx.Response:
    return person.api.post(f"{person.path}/memberOfGroups", json={"id": group_id})


def types(person: Person) -> dict[str, str]:
    listed = person.api.get(f"{person.path}/memberOfGroups", params={"limit": 1000}).json()
    return {one["id"]: one["type"] for one in listed["_embedded"]["groupMemberships"]}


def test_group_is_created_read_replaced_and_deleted(ada: httpx.Client):
    group_id = new_group(ada, description="Some", externalId="x-1", customData={"floor": 3})
    path = f"groups/{group_id}"
    group = ada.get(path).json()
    assert (group["displayName"], group["directMemberCounts"]) == (group["name"], {"users": 0})
    assert (group["description"], group["externalId"], group["customData"]) == ("Some", "x-1", {"floor": 3})

    replaced = ada.put(path, json={"name": f"{group['name']} again"}).json()

    assert replaced["name"] == f"{group['name']} again"
    assert not {"description", "externalId", "customData"} & set(replaced)
    assert ada.delete(path).status_code == 204
    assert_refused(ada.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("sent", "detail", "target"),
    [
        ({"name": None}, "REQUIRED_VALUE", "name"),
        ({"name": "Field engineers"}, "UNIQUENESS_VIOLATION", "name"),
        ({"name": "Partner portal"}, "UNIQUENESS_VIOLATION", "name"),
        ({"userFilter": "nonsense"}, "INVALID_FILTER", "filter"),
        ({"userFilter": 'createdAt eq "x"'}, "INVALID_FILTER", "filter"),
        ({"customData": "text"}, "INVALID_VALUE", "customData"),
        ({"population": {"id": NOBODY}}, "INVALID_VALUE", "population.id"),
    ],
    ids=str,
)
def test_bad_group_is_refused(ada: httpx.Client, sent: dict[str, Any], detail: str, target: str):
    response = ada.post("groups", json={"name": f"group-{uuid4()}"} | sent)

    assert_refused(response, 400, "INVALID_DATA", detail, target)


def test_groups_are_filtered_by_id_name_and_beginning_of_a_name(rosa: httpx.Client, groups: dict[str, str]):
    def names(condition: str) -> list[str]:
        listed = rosa.get("groups", params={"filter": condition}).json()["_embedded"]["groups"]
        return [group["name"] for group in listed]

    assert names('name eq "VPN"') == ["VPN"]
    assert names(f'id eq "{groups["VPN"]}"') == ["VPN"]
    assert names('name sw "field"') == ["Field engineers"]
    assert names(f'population.id eq "{PARTNERS}"') == ["Partner portal"]
    assert names('id eq "not-an-id"') == []
    response = rosa.get("groups", params={"filter": 'description eq "x"'})
    assert_refused(response, 400, "INVALID_DATA", "INVALID_FILTER", "filter")


def test_groups_are_listed_in_pages(rosa: httpx.Client, groups: dict[str, str]):
    body = rosa.get("groups", params={"limit": 10}).json()
    found = [group["id"] for group in body["_embedded"]["groups"]]
    while "next" in body["_links"]:
        body = rosa.get(body["_links"]["next"]["href"]).json()
        found += [group["id"] for group in body["_embedded"]["groups"]]

    assert len(found) == len(set(found)) >= len(groups)
    assert "prev" in body["_links"]


def test_user_joins_and_leaves_a_group(new_user: NewUser, ada: httpx.Client):
    person, group_id = new_user(), new_group(ada)

    joined = join(person, group_id)

    assert (joined.status_code, joined.json()["id"], joined.json()["type"]) == (201, group_id, "DIRECT")
    path = f"{person.path}/memberOfGroups/{group_id}"
    expanded = ada.get(path, params={"expand": "group"}).json()
    assert expanded["_embedded"]["group"]["directMemberCounts"] == {"users": 1}
    assert person.read(include="memberOfGroupIDs")["memberOfGroupIDs"] == [group_id]
    assert ada.delete(path).status_code == 204
    assert_refused(ada.delete(path), 404, "NOT_FOUND")
    assert_refused(ada.get(path), 404, "NOT_FOUND")


def test_membership_is_refused_for_each_reason(new_user: NewUser, ada: httpx.Client, groups: dict[str, str]):
    person, group_id = new_user(), new_group(ada)
    join(person, group_id)

    assert_refused(join(person, group_id), 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "id")
    assert_refused(join(person, groups["Partner portal"]), 400, "INVALID_DATA", "CONSTRAINT_VIOLATION", "id")
    assert_refused(join(person, groups["From the directory"]), 400, "REQUEST_FAILED")
    assert_refused(join(person, NOBODY), 404, "NOT_FOUND")
    assert_refused(join(person, "not-an-id"), 400, "INVALID_DATA", "INVALID_VALUE", "id")


def test_user_is_never_in_two_groups_of_the_same_name(new_user: NewUser, ada: httpx.Client, sandbox: Sandbox):
    name, person = f"group-{uuid4()}", new_user(population={"id": PARTNERS})
    first = new_group(ada, name=name, population={"id": PARTNERS})
    staff = next(one for one in ada.get("populations").json()["_embedded"]["populations"] if one["name"] == "Staff")
    second = new_group(ada, name=name, population={"id": staff["id"]})
    sandbox.sql("UPDATE sandbox_group SET population_id = NULL WHERE id = ?", second.replace("-", ""))
    join(person, first)

    assert_refused(join(person, second), 400, "INVALID_DATA", "CONSTRAINT_VIOLATION", "id")


def test_group_filter_makes_indirect_members_that_cannot_be_removed(new_user: NewUser, ada: httpx.Client):
    title = f"title-{uuid4()}"
    group_id = new_group(ada, userFilter=f'title eq "{title}"')
    person = new_user(title=title)

    assert types(person)[group_id] == "INDIRECT"
    assert_refused(ada.delete(f"{person.path}/memberOfGroups/{group_id}"), 400, "REQUEST_FAILED")
    assert group_id in person.read(include="memberOfGroupIDs")["memberOfGroupIDs"]
    ada.patch(person.path, json={"title": None})
    assert group_id not in types(person)


def test_direct_member_stays_direct_if_the_filter_matches_too(new_user: NewUser, ada: httpx.Client):
    title = f"title-{uuid4()}"
    group_id = new_group(ada, userFilter=f'title eq "{title}"')
    person = new_user(title=title)

    assert join(person, group_id).status_code == 201

    assert types(person)[group_id] == "DIRECT"


def test_members_of_an_inner_group_are_members_of_the_outer_group(new_user: NewUser, ada: httpx.Client):
    person, inner, middle, outer = new_user(), *(new_group(ada) for _ in range(3))
    for member, container in ((inner, middle), (middle, outer)):
        nested = ada.post(f"groups/{member}/memberOfGroups", json={"id": container})
        assert (nested.status_code, nested.json()["id"]) == (201, container)
    join(person, inner)

    assert types(person) == {inner: "DIRECT", middle: "INDIRECT", outer: "INDIRECT"}
    found = ada.get("users", params={"filter": f'memberOfGroups[id eq "{outer}"]'})
    assert usernames(found) == [person.read()["username"]]
    counted = ada.get(f"groups/{outer}", params={"include": "totalMemberCounts"}).json()
    assert (counted["directMemberCounts"], counted["totalMemberCounts"]) == ({"users": 0}, {"users": 1})
    assert ada.delete(f"groups/{middle}/memberOfGroups/{outer}").status_code == 204
    assert outer not in types(person)


def test_group_cannot_contain_itself(ada: httpx.Client):
    inner, outer = new_group(ada), new_group(ada)
    ada.post(f"groups/{inner}/memberOfGroups", json={"id": outer})

    for member, container in ((inner, inner), (outer, inner)):
        response = ada.post(f"groups/{member}/memberOfGroups", json={"id": container})
        assert_refused(response, 400, "INVALID_DATA", "CONSTRAINT_VIOLATION", "id")
    again = ada.post(f"groups/{inner}/memberOfGroups", json={"id": outer})
    assert_refused(again, 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "id")


def test_group_filters_that_refer_to_each_other_terminate(ada: httpx.Client):
    first = new_group(ada)
    second = new_group(ada, userFilter=f'memberOfGroups[id eq "{first}"]')
    body = {"name": f"group-{uuid4()}", "userFilter": f'memberOfGroups[id eq "{second}"]'}
    assert ada.put(f"groups/{first}", json=body).status_code == 200

    assert usernames(ada.get("users", params={"filter": f'memberOfGroups[id eq "{second}"]'})) == []


def test_memberships_are_listed_by_type_and_in_pages(rosa: httpx.Client):
    path = f"users/{MARA}/memberOfGroups"

    def listed(**query: Any) -> set[str]:
        body = rosa.get(path, params=query).json()
        return {one["name"] for one in body["_embedded"]["groupMemberships"]}

    direct, indirect = listed(filter='type eq "DIRECT"'), listed(filter='type eq "INDIRECT"')
    assert {"Field engineers", "VPN"} <= direct
    assert {"Engineering", "The Linds"} <= indirect
    assert not direct & indirect
    first = rosa.get(path, params={"limit": 2}).json()
    second = rosa.get(first["_links"]["next"]["href"]).json()
    assert first["count"] == len(direct | indirect)
    assert not {one["id"] for one in first["_embedded"]["groupMemberships"]} & {
        one["id"] for one in second["_embedded"]["groupMemberships"]
    }


def test_administrators_cannot_join_a_group_that_gives_them_a_role(ivan: httpx.Client, sandbox: Sandbox):
    ids = {one["username"]: one["id"] for one in sandbox.details["administrators"]}
    team = next(group for group in ivan.get("groups").json()["_embedded"]["groups"] if group["name"] == "Identity team")

    own = ivan.post(f"users/{ids['ivan.identity']}/memberOfGroups", json={"id": team["id"]})
    other = ivan.post(f"users/{ids['nils.norole']}/memberOfGroups", json={"id": team["id"]})

    assert_refused(own, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    assert other.status_code == 201
    with sandbox.api(sandbox.token("nils.norole")) as nils:
        assert nils.get(f"users/{MARA}").status_code == 200, "a role held through a group counts"
    assert ivan.delete(f"users/{ids['nils.norole']}/memberOfGroups/{team['id']}").status_code == 204


def test_members_of_a_nested_group_have_the_roles_of_the_group_around_it(ivan: httpx.Client, sandbox: Sandbox):
    nils = next(one["id"] for one in sandbox.details["administrators"] if one["username"] == "nils.norole")
    team = next(group for group in ivan.get("groups").json()["_embedded"]["groups"] if group["name"] == "Identity team")
    inner, between = new_group(ivan), new_group(ivan)
    ivan.post(f"users/{nils}/memberOfGroups", json={"id": inner})
    ivan.post(f"groups/{inner}/memberOfGroups", json={"id": between})
    with sandbox.api(sandbox.token("nils.norole", for_everybody=True)) as api:
        assert api.get(f"users/{MARA}").status_code == 403

        assert ivan.post(f"groups/{between}/memberOfGroups", json={"id": team["id"]}).status_code == 201

        assert api.get(f"users/{MARA}").status_code == 200
        listed = ivan.get(f"users/{nils}", params={"include": "memberOfGroupIDs"}).json()["memberOfGroupIDs"]
        assert {inner, between, team["id"]} <= set(listed)
    for group in (inner, between):
        assert ivan.delete(f"groups/{group}").status_code == 204


def test_population_administrator_changes_only_groups_of_the_population(petra: httpx.Client, groups: dict[str, str]):
    assert_refused(petra.post("groups", json={"name": "x"}), 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    vpn = petra.put(f"groups/{groups['VPN']}", json={"name": "x"})
    assert_refused(vpn, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    own = new_group(petra, population={"id": PARTNERS})
    assert petra.delete(f"groups/{own}").status_code == 204
