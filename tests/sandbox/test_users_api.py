"""Creating, reading, changing and deleting users."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import NOBODY, Person, act, assert_refused
from tests.support.sandbox_server import Sandbox

PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
NewUser = Callable[..., Person]


def new_name() -> str:
    return f"user-{uuid4()}"


def test_created_user_can_be_read_back(ada: httpx.Client):
    username = new_name()
    body = {"username": username, "name": {"given": "Ny", "family": "Person"}, "population": {"id": PARTNERS}}

    reply = ada.post("users", json=body)

    assert reply.status_code == 201
    created = reply.json()
    assert ada.get(f"users/{created['id']}").json() == created
    assert created["population"] == {"id": PARTNERS}
    assert created["name"] == body["name"]
    assert (created["enabled"], created["mfaEnabled"], created["emailVerified"]) == (True, False, False)
    assert ada.get(f"users/{created['id']}/password").json()["status"] == "NO_PASSWORD"


def test_default_population_is_used_if_none_is_sent(new_user: NewUser):
    assert new_user().read(expand="population")["_embedded"]["population"]["default"] is True


def test_unknown_and_read_only_attributes_are_silently_ignored(new_user: NewUser):
    sent = {"userName": "x", "given": "x", "name": {"first": "x"}, "emailVerified": True, "enabled": False}
    sent |= {"account": {"status": "LOCKED"}, "lifecycle": {"status": "VERIFICATION_REQUIRED"}, "faxNumber": "1"}

    user = new_user(**sent).read()

    assert not {"userName", "given", "name", "faxNumber"} & set(user)
    assert (user["enabled"], user["emailVerified"]) == (True, False)
    assert (user["account"]["status"], user["lifecycle"]["status"]) == ("OK", "ACCOUNT_OK")


@pytest.mark.parametrize("change", [str.upper, str.title, str])
def test_username_is_taken_in_any_case(ada: httpx.Client, new_user: NewUser, change: Callable[[str], str]):
    taken = new_user().read()["username"]

    response = ada.post("users", json={"username": change(taken)})

    assert_refused(response, 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "username")


def test_username_is_given_once_to_concurrent_requests(ada: httpx.Client):
    username = new_name()

    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: ada.post("users", json={"username": username}), range(12)))

    assert sorted(reply.status_code for reply in replies) == [201, *[400] * 11]


def test_username_may_be_taken_by_a_user_that_the_caller_cannot_see(petra: httpx.Client):
    response = petra.post("users", json={"username": "mara.lind", "population": {"id": PARTNERS}})

    assert_refused(response, 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "username")


@pytest.mark.parametrize(
    ("sent", "detail", "target"),
    [
        ({"username": None}, "REQUIRED_VALUE", "username"),
        ({"username": ""}, "EMPTY_VALUE", "username"),
        ({"username": 7}, "INVALID_VALUE", "username"),
        ({"username": "x" * 129}, "INVALID_VALUE", "username"),
        ({"username": "new\nline"}, "INVALID_VALUE", "username"),
        ({"email": "nonsense"}, "INVALID_VALUE", "email"),
        ({"name": "Mara"}, "INVALID_VALUE", "name"),
        ({"name": {"given": "x" * 257}}, "INVALID_VALUE", "name.given"),
        ({"name": {"given": "\x1b[31m"}}, "INVALID_VALUE", "name.given"),
        ({"name": {"family": "<b>"}}, "INVALID_VALUE", "name.family"),
        ({"locale": "sv_SE"}, "INVALID_VALUE", "locale"),
        ({"preferredLanguage": "en;q=2"}, "INVALID_VALUE", "preferredLanguage"),
        ({"timezone": "UTC"}, "INVALID_VALUE", "timezone"),
        ({"mobilePhone": "none"}, "INVALID_VALUE", "mobilePhone"),
        ({"primaryPhone": "1" * 33}, "INVALID_VALUE", "primaryPhone"),
        ({"photo": {"href": "javascript:alert(1)"}}, "INVALID_VALUE", "photo.href"),
        ({"photo": {"href": "http://["}}, "INVALID_VALUE", "photo.href"),
        ({"address": {"countryCode": "se"}}, "INVALID_VALUE", "address.countryCode"),
        ({"address": {"postalCode": "1" * 41}}, "INVALID_VALUE", "address.postalCode"),
        ({"externalId": "x" * 1025}, "INVALID_VALUE", "externalId"),
        ({"population": {"id": NOBODY}}, "INVALID_VALUE", "population.id"),
        ({"population": "Staff"}, "INVALID_VALUE", "population.id"),
        ({"costCenter": "eu-1"}, "INVALID_VALUE", "costCenter"),
        ({"employmentType": "owner"}, "INVALID_VALUE", "employmentType"),
        ({"employmentType": "trainee"}, "INVALID_VALUE", "employmentType"),
        ({"skills": "SQL"}, "INVALID_VALUE", "skills"),
        ({"skills": ["SQL", 7]}, "INVALID_VALUE", "skills"),
        ({"badgeNumber": "B-1001"}, "UNIQUENESS_VIOLATION", "badgeNumber"),
        ({"entitlements": {"text": "x" * 17_000}}, "SIZE_LIMIT_EXCEEDED", "user"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_value_is_named_by_its_target(ada: httpx.Client, sent: dict[str, Any], detail: str, target: str):
    response = ada.post("users", json={"username": new_name()} | sent)

    assert_refused(response, 400, "INVALID_DATA", detail, target)


@pytest.mark.parametrize(
    "sent",
    [
        {"username": "x" * 128},
        {"username": "Ω≈ç√ 名前 ёж"},
        {"name": {"given": "<script>alert(1)</script>", "family": "O'Brien-Núñez Jr."}},
        {"title": "=cmd|' /C calc'!A0 {{ 7*7 }} {% if x %}"},
        {"preferredLanguage": "en-gb;q=0.8, en;q=0.7"},
        {"address": {"streetAddress": "Line 1\nLine 2"}},
        {"skills": ["SQL", "First aid"], "entitlements": {"vpn": True}, "employmentType": "intern"},
    ],
    ids=lambda value: str(value)[:40],
)
def test_valid_values_are_stored_unchanged(ada: httpx.Client, sent: dict[str, Any]):
    reply = ada.post("users", json={"username": new_name()} | sent)

    assert reply.status_code == 201, reply.text
    assert {name: reply.json()[name] for name in sent} == sent
    assert ada.delete(f"users/{reply.json()['id']}").status_code == 204


def test_invalid_values_are_all_reported_at_once(ada: httpx.Client):
    reply = ada.post("users", json={"email": "x", "timezone": "UTC"}).json()

    assert {detail["target"] for detail in reply["details"]} == {"username", "email", "timezone"}


def test_patch_changes_only_the_sent_attributes_and_null_clears(new_user: NewUser, ada: httpx.Client):
    person = new_user(title="Analyst", nickname="Nick", name={"given": "A", "family": "B"})
    before = person.read()

    after = ada.patch(person.path, json={"title": "Engineer", "nickname": None, "unknown": "x"}).json()

    assert after["title"] == "Engineer"
    assert "nickname" not in after
    assert (after["name"], after["email"]) == (before["name"], before["email"])
    assert after["updatedAt"] > before["updatedAt"]
    assert person.read() == after


def test_patch_replaces_a_name_as_a_whole(new_user: NewUser, ada: httpx.Client):
    person = new_user(name={"given": "A", "family": "B"})

    assert ada.patch(person.path, json={"name": {"given": "C"}}).json()["name"] == {"given": "C"}


def test_put_clears_attributes_that_are_not_sent(new_user: NewUser, ada: httpx.Client):
    person = new_user(title="Analyst")
    username = person.read()["username"]

    after = ada.put(person.path, json={"username": username, "nickname": "Nick"}).json()

    assert after["nickname"] == "Nick"
    assert not {"title", "email"} & set(after)
    assert_refused(ada.put(person.path, json={"nickname": "x"}), 400, "INVALID_DATA", "REQUIRED_VALUE", "username")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_update_never_changes_state(new_user: NewUser, ada: httpx.Client, method: str):
    person = new_user()
    before = person.read()
    sent = {"username": before["username"], "enabled": False, "mfaEnabled": True, "population": {"id": PARTNERS}}

    after = ada.request(method, person.path, json=sent).json()

    for name in ("enabled", "mfaEnabled", "population"):
        assert after[name] == before[name]


def test_username_may_be_kept_but_not_taken_from_another_user(new_user: NewUser, ada: httpx.Client):
    person, other = new_user(), new_user()
    own, taken = person.read()["username"], other.read()["username"]

    assert ada.patch(person.path, json={"username": own.upper()}).status_code == 200
    assert_refused(
        ada.patch(person.path, json={"username": taken}), 400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "username"
    )


def test_refused_update_changes_nothing(new_user: NewUser, ada: httpx.Client):
    person = new_user(title="Analyst")
    before = person.read()

    assert ada.patch(person.path, json={"title": "Engineer", "timezone": "UTC"}).status_code == 400

    assert person.read() == before


def test_archived_value_may_be_kept(ada: httpx.Client, sandbox: Sandbox):
    archie = f"users/{sandbox.details['users']['archie.archived']}"

    assert ada.patch(archie, json={"employmentType": "trainee"}).status_code == 200


def test_new_address_is_no_longer_verified(new_user: NewUser, ada: httpx.Client, sandbox: Sandbox):
    person = new_user()
    sandbox.sql("UPDATE sandbox_user SET email_verified = 1 WHERE id = ?", person.id.replace("-", ""))
    assert person.read()["emailVerified"] is True

    assert ada.patch(person.path, json={"email": "new@acme.test"}).json()["emailVerified"] is False


def test_deleted_user_is_gone(new_user: NewUser, ada: httpx.Client):
    person = new_user()

    reply = ada.delete(person.path)

    assert (reply.status_code, reply.content) == (204, b"")
    assert_refused(ada.get(person.path), 404, "NOT_FOUND")
    assert_refused(ada.delete(person.path), 404, "NOT_FOUND")


def test_import_sets_password_and_lifecycle(ada: httpx.Client):
    body = {
        "username": new_name(),
        "emailVerified": True,
        "mfaEnabled": True,
        "password": {"value": "Imported-2026!", "forceChange": True},
        "lifecycle": {"status": "VERIFICATION_REQUIRED"},
    }

    reply = act(ada, "users", "user.import", body)

    assert reply.status_code == 201
    user = reply.json()
    assert (user["emailVerified"], user["mfaEnabled"]) == (True, True)
    assert user["lifecycle"] == {"status": "VERIFICATION_REQUIRED"}
    assert ada.get(f"users/{user['id']}/password").json()["status"] == "MUST_CHANGE_PASSWORD"
    assert "password" not in user
