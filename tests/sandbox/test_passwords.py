"""All operations on a password, and the states that forbid them."""

from collections.abc import Callable

import httpx
import pytest

from tests.support.sandbox_people import Person, assert_refused
from tests.support.sandbox_server import Sandbox, code_mailed_to

GOOD, BETTER = "Tr0ub4dor&3x", "C0rrect-horse!"
NewUser = Callable[..., Person]


def put(person: Person, operation: str, body: object) -> httpx.Response:
    return person.act(f"password.{operation}", body, at="password", method="PUT")


def post(person: Person, operation: str, body: object = None) -> httpx.Response:
    return person.act(f"password.{operation}", body, at="password")


def status(person: Person) -> str:
    return str(person.api.get(f"{person.path}/password").json()["status"])


@pytest.fixture
def person(new_user: NewUser) -> Person:
    """Return a user with the password GOOD."""
    somebody = new_user()
    assert put(somebody, "set", {"value": GOOD}).json()["status"] == "OK"
    return somebody


def test_password_state_never_contains_the_password(person: Person, ada: httpx.Client):
    body = ada.get(f"{person.path}/password", params={"expand": "passwordPolicy"})

    assert GOOD not in body.text
    assert body.json()["_embedded"]["passwordPolicy"]["id"] == body.json()["passwordPolicy"]["id"]
    assert body.json()["lastChangedAt"]


def test_password_check_counts_the_remaining_tries_and_locks_after_the_last(person: Person):
    for remaining in (4, 3, 2, 1, 0):
        detail = assert_refused(
            post(person, "check", {"password": "wrong"}), 400, "INVALID_DATA", "INVALID_VALUE", "password"
        )
        assert detail["innerError"]["failuresRemaining"] == remaining
    assert status(person) == "PASSWORD_LOCKED_OUT"
    assert_refused(post(person, "check", {"password": GOOD}), 400, "REQUEST_FAILED")

    assert post(person, "unlock").json()["status"] == "OK"

    assert post(person, "check", {"password": GOOD}).status_code == 200


def test_password_lock_expires_by_itself(person: Person, sandbox: Sandbox):
    for _ in range(5):
        post(person, "check", {"password": "wrong"})
    assert status(person) == "PASSWORD_LOCKED_OUT"

    sandbox.sql(
        "UPDATE sandbox_user SET password_unlock_at = '2026-01-01 00:00:00' WHERE id = ?", person.id.replace("-", "")
    )

    assert status(person) == "OK"
    assert post(person, "check", {"password": GOOD}).status_code == 200


def test_empty_password_is_an_empty_value(person: Person):
    assert_refused(post(person, "check", {"password": ""}), 400, "INVALID_DATA", "EMPTY_VALUE", "password")


def test_recovery_code_is_mailed_not_returned_and_works_once(person: Person, sandbox: Sandbox):
    sent = post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])

    assert sent.status_code == 200
    assert code not in sent.text
    assert post(person, "recover", {"recoveryCode": code.lower(), "newPassword": BETTER}).json()["status"] == "OK"
    assert post(person, "check", {"password": BETTER}).status_code == 200
    again = post(person, "recover", {"recoveryCode": code, "newPassword": GOOD})
    assert_refused(again, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")


def test_recovery_code_ends_after_five_wrong_tries(person: Person, sandbox: Sandbox):
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])
    for _ in range(5):
        wrong = post(person, "recover", {"recoveryCode": "WRONG123", "newPassword": BETTER})
        assert_refused(wrong, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")

    right = post(person, "recover", {"recoveryCode": code, "newPassword": BETTER})

    assert_refused(right, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")
    post(person, "sendRecoveryCode")
    fresh = code_mailed_to(sandbox, person.read()["email"])
    assert post(person, "recover", {"recoveryCode": fresh, "newPassword": BETTER}).status_code == 200


def test_recovery_code_lasts_five_minutes(person: Person, sandbox: Sandbox):
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])
    row = "WHERE id = ?"
    expiry = sandbox.sql(f"SELECT recovery_expires_at FROM sandbox_user {row}", person.id.replace("-", ""))  # noqa: S608
    assert expiry[0]["recovery_expires_at"]

    sandbox.sql(
        f"UPDATE sandbox_user SET recovery_expires_at = '2026-01-01' {row}",  # noqa: S608
        person.id.replace("-", ""),
    )

    late = post(person, "recover", {"recoveryCode": code, "newPassword": BETTER})
    assert_refused(late, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")


def test_recovery_lifts_the_account_lock(person: Person, sandbox: Sandbox):
    person.act("account.lock")
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])

    post(person, "recover", {"recoveryCode": code, "newPassword": BETTER})

    assert person.read()["account"]["status"] == "OK"


@pytest.mark.parametrize("username", ["dora.disabled", "nora.never", "paul.password", "emil.external"])
def test_recovery_code_is_refused_in_some_states(ada: httpx.Client, sandbox: Sandbox, username: str):
    person = Person(api=ada, id=sandbox.details["users"][username])

    assert_refused(post(person, "sendRecoveryCode"), 400, "REQUEST_FAILED")


def test_forced_change_keeps_the_old_password_until_the_change(person: Person, ada: httpx.Client):
    headers = {"Content-Type": "application/vnd.pingidentity.password.forceChange"}

    assert ada.post(f"{person.path}/password", headers=headers).json()["status"] == "MUST_CHANGE_PASSWORD"

    assert post(person, "check", {"password": GOOD}).status_code == 200


def test_forced_change_requires_a_password(new_user: NewUser):
    assert_refused(post(new_user(), "forceChange"), 400, "REQUEST_FAILED", "NO_PASSWORD", "password")


def test_reset_forces_a_change_if_an_administrator_does_it(person: Person):
    wrong = put(person, "reset", {"currentPassword": "wrong", "newPassword": BETTER})
    assert_refused(wrong, 400, "INVALID_DATA", "INVALID_VALUE", "currentPassword")
    assert put(person, "reset", {"currentPassword": GOOD, "newPassword": BETTER}).json()["status"] == "OK"

    assert put(person, "reset", {"newPassword": GOOD}).json()["status"] == "MUST_CHANGE_PASSWORD"


@pytest.mark.parametrize(
    ("password", "unmet"),
    [
        ("Sh0rt!", "length"),
        ("all-lower-case-1!", "minCharacters"),
        ("Aa1!Aa1!Aa1!", "minUniqueCharacters"),
        ("Passw0rd!", "excludesCommonlyUsed"),
    ],
)
def test_weak_password_is_refused_with_the_unmet_requirement(person: Person, password: str, unmet: str):
    detail = assert_refused(put(person, "set", {"value": password}), 400, "INVALID_DATA", "INVALID_VALUE", "value")

    assert unmet in detail["innerError"]


def test_password_containing_the_name_of_the_user_is_refused(new_user: NewUser):
    person = new_user(name={"given": "Zebulon"})

    detail = assert_refused(
        put(person, "set", {"value": "Zebulon-4711!"}), 400, "INVALID_DATA", "INVALID_VALUE", "value"
    )

    assert detail["innerError"] == {"excludesProfileData": True}


@pytest.mark.parametrize("body", [{"value": "weak", "bypassPolicy": True}, {"value": "{SSHA512}c2FsdA=="}])
def test_password_policy_can_be_bypassed(person: Person, body: dict[str, object]):
    assert put(person, "set", body).status_code == 200


def test_set_may_force_a_change(person: Person):
    assert put(person, "set", {"value": BETTER, "forceChange": True}).json()["status"] == "MUST_CHANGE_PASSWORD"
    assert_refused(put(person, "set", {}), 400, "INVALID_DATA", "REQUIRED_VALUE", "value")


def test_set_value_without_a_value_removes_the_password(person: Person):
    reply = put(person, "setValue", {})

    assert reply.json()["status"] == "NO_PASSWORD"
    assert "lastChangedAt" not in reply.json()
    assert put(person, "setValue", {"value": GOOD}).json()["status"] == "OK"
