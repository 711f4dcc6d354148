"""Listing users: filters, pages, pagination cursors and counts."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import NOBODY, Person, assert_refused, usernames

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
STAFF = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
FIELD_ENGINEERS = "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910"


def find(api: httpx.Client, condition: str, **query: Any) -> list[str]:
    return usernames(api.get("users", params={"filter": condition, "limit": 1000, **query}))


def cursor_of(body: dict[str, Any], link: str = "next") -> str:
    return str(parse_qs(urlsplit(body["_links"][link]["href"]).query)["cursor"][0])


def everyone(api: httpx.Client, limit: int, condition: str = "") -> list[str]:
    """Return the usernames of all pages, following the next links."""
    query: dict[str, Any] = {"limit": limit} | ({"filter": condition} if condition else {})
    body = api.get("users", params=query).raise_for_status().json()
    found = [user["username"] for user in body["_embedded"]["users"]]
    while "next" in body["_links"]:
        body = api.get(body["_links"]["next"]["href"]).raise_for_status().json()
        found += [user["username"] for user in body["_embedded"]["users"]]
    return found


@pytest.mark.parametrize(
    "condition",
    [
        'username eq "mara.lind"',
        'username eq "MARA.lind"',
        'username sw "Mara.L" and email sw "mara"',
        'email ew "A.LIND@acme.test" and name.given eq "Mara"',
        'name.family eq "lind" and name.given co "AR" and accountId eq "AC-1001"',
        'mobilePhone eq "+46.701234567"',
        'externalId eq "hr-1001"',
        'nickname eq "Mimi"',
        'address.locality eq "lund" and address.postalCode eq "222 23"',
        'costCenter eq "EU-1234" and skills eq "First aid"',
        'skills sw "First" and badgeNumber sw "B-10"',
        f'memberOfGroups[id eq "{FIELD_ENGINEERS}"]',
        f'memberOfGroups[id eq "{FIELD_ENGINEERS}"] and population.id eq "{STAFF}" and enabled eq true',
        'username eq "mara.lind" and enabled eq "true"',
        '(username eq "nobody" OR username eq "mara.lind") AND enabled eq true',
        'username eq "mara.lind" or username eq "leo.locked" and enabled eq false',
    ],
)
def test_filter_matches_only_mara(rosa: httpx.Client, condition: str):
    assert find(rosa, condition) == ["mara.lind"]


@pytest.mark.parametrize(
    "condition",
    [
        'username eq "mara.lin"',
        'username eq ""',
        'externalId sw ""',
        'username eq "mara.lind" and enabled eq false',
        f'memberOfGroups[id eq "{NOBODY}"]',
        'memberOfGroups[id eq "not-an-id"]',
        'population.id eq "not-an-id"',
        'name.given co "m_r%"',
        'title eq "\\"\\\\"',
    ],
)
def test_filter_without_a_match_returns_an_empty_list(rosa: httpx.Client, condition: str):
    body = rosa.get("users", params={"filter": condition}).json()

    assert body["_embedded"]["users"] == []
    assert (body["count"], body["size"]) == (0, 0)
    assert "next" not in body["_links"]


@pytest.mark.parametrize(
    "condition",
    [
        "username",
        'username eq "open',
        'username ne "x"',
        "username pr",
        'not (username eq "x")',
        'createdAt gt "2026-01-01T00:00:00Z"',
        'identityProvider.type eq "GOOGLE"',
        'account.status eq "LOCKED"',
        'startDate eq "2026-01-01"',
        'endDate eq "2026-01-01"',
        'population.id sw "0"',
        'username ew "x"',
        'Username eq "x"',
        'username eq "x" and',
        'memberOfGroups[name eq "x"]',
        'memberOfGroups eq "x"',
        'faxNumber eq "x"',
        'entitlements eq "x"',
        'username eq "\\x"',
        "(" * 500,
        "' OR 1=1 --",
    ],
)
def test_filter_that_pingone_does_not_support_is_invalid(rosa: httpx.Client, condition: str):
    assert_refused(rosa.get("users", params={"filter": condition}), 400, "INVALID_DATA", "INVALID_FILTER", "filter")


def test_unknown_attribute_in_a_filter_is_answered_with_the_known_attributes(rosa: httpx.Client):
    detail = assert_refused(
        rosa.get("users", params={"filter": 'foo eq "x"'}), 400, "INVALID_DATA", "INVALID_FILTER", "filter"
    )

    assert {"username", "name.given", "costCenter"} <= set(detail["innerError"]["supportedAttributes"])


def test_filter_strings_may_contain_escaped_quotes_and_backslashes(rosa: httpx.Client, new_user: Callable[..., Person]):
    odd = 'say "hi" \\ and (or)'
    person = new_user(title=odd)

    escaped = odd.replace("\\", "\\\\").replace('"', '\\"')
    assert find(rosa, f'title eq "{escaped}"') == [person.read()["username"]]


def test_filter_binds_and_tighter_than_or(rosa: httpx.Client):
    found = find(rosa, 'username eq "dora.disabled" or username eq "mara.lind" and enabled eq false')

    assert found == ["dora.disabled"]


def test_quick_search_lists_each_user_once(rosa: httpx.Client):
    condition = 'username sw "ma" or email sw "ma" or name.given sw "ma" or name.family sw "ma"'
    whole = find(rosa, condition)

    assert "mara.lind" in whole
    assert len(whole) == len(set(whole)) > 3
    assert everyone(rosa, 3, condition) == whole


@pytest.mark.parametrize(
    "condition",
    ["", "enabled eq true", f'population.id eq "{PARTNERS}"', 'name.family sw "l"', 'name.given co "a"'],
)
def test_pages_joined_together_are_the_whole_list(rosa: httpx.Client, condition: str):
    whole = everyone(rosa, 1000, condition)

    assert len(whole) > 5
    assert everyone(rosa, 4, condition) == whole


def test_prev_links_lead_all_the_way_back(rosa: httpx.Client):
    condition = 'username sw "m" or name.family sw "l"'
    query: dict[str, Any] = {"limit": 4, "filter": condition}
    bodies = [rosa.get("users", params=query).json()]
    while "next" in bodies[-1]["_links"]:
        bodies.append(rosa.get(bodies[-1]["_links"]["next"]["href"]).json())
    assert "prev" not in bodies[0]["_links"]

    back = bodies[-1]
    for earlier in reversed(bodies[:-1]):
        back = rosa.get(back["_links"]["prev"]["href"]).json()
        assert [user["id"] for user in back["_embedded"]["users"]] == [
            user["id"] for user in earlier["_embedded"]["users"]
        ]
        assert "next" in back["_links"]
    assert "prev" not in back["_links"]


def test_cursor_is_valid_only_for_its_token_and_list(rosa: httpx.Client, ada: httpx.Client):
    body = rosa.get("users", params={"limit": 2}).json()
    cursor = cursor_of(body)

    refused = [
        ada.get("users", params={"limit": 2, "cursor": cursor}),
        rosa.get("users", params={"limit": 2, "cursor": cursor, "filter": "enabled eq true"}),
        rosa.get("users", params={"limit": 2, "cursor": cursor[:-1] + "x"}),
        rosa.get("users", params={"limit": 2, "cursor": "made-up"}),
    ]
    for response in refused:
        assert_refused(response, 400, "INVALID_DATA", "INVALID_VALUE", "cursor")
    assert rosa.get("users", params={"limit": 5, "cursor": cursor}).json()["size"] == 5


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "9" * 30])
def test_limit_is_a_positive_integer(rosa: httpx.Client, limit: str):
    response = rosa.get("users", params={"limit": limit})

    assert_refused(response, 400, "INVALID_DATA", "INVALID_PARAMETER", "limit")


def test_deleted_user_does_not_break_the_next_page(ada: httpx.Client, new_user: Callable[..., Person]):
    prefix = f"page-{uuid4()}"
    people = [new_user(username=f"{prefix}-{number}") for number in range(4)]
    condition = f'username sw "{prefix}"'
    body = ada.get("users", params={"limit": 2, "filter": condition}).json()
    assert ada.delete(people[1].path).status_code == 204

    rest = ada.get(body["_links"]["next"]["href"])

    assert usernames(rest) == [f"{prefix}-2", f"{prefix}-3"]


def test_listed_users_include_their_password_state_and_on_request_their_population(rosa: httpx.Client):
    query = {"filter": 'username eq "mara.lind"', "expand": "population"}

    mara = rosa.get("users", params=query).json()["_embedded"]["users"][0]

    assert mara["id"] == MARA
    assert mara["_embedded"]["password"]["status"] == "OK"
    assert mara["_embedded"]["population"]["name"] == "Staff"
    assert "memberOfGroupIDs" not in mara


def test_population_administrator_sees_only_users_of_the_population(petra: httpx.Client, rosa: httpx.Client):
    own = everyone(petra, 5)

    assert set(own) == set(find(rosa, f'population.id eq "{PARTNERS}"'))
    assert find(petra, 'username eq "mara.lind" or username eq "pia.partner"') == ["pia.partner"]
    assert_refused(petra.get(f"users/{MARA}"), 404, "NOT_FOUND")


def test_members_of_a_group_include_filter_and_nesting(rosa: httpx.Client):
    groups = {group["name"]: group["id"] for group in rosa.get("groups").json()["_embedded"]["groups"]}

    engineers = find(rosa, f'memberOfGroups[id eq "{groups["Engineering"]}"]')
    linds = find(rosa, f'memberOfGroups[id eq "{groups["The Linds"]}"]')
    swedes = find(rosa, f'memberOfGroups[id eq "{groups["Swedish staff"]}"] and username sw "m"')

    assert set(engineers) == {"mara.lind", "leo.locked"}
    assert "mara.lind" in linds
    assert set(linds) == set(find(rosa, 'name.family eq "Lind"'))
    assert "mara.lind" in swedes
