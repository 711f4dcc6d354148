"""All operations on a password, and the states that forbid them."""

import base64
import hashlib
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import Person, act, assert_refused
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


def test_count_of_wrong_passwords_begins_again_after_a_lockout(person: Person, sandbox: Sandbox):
    for _ in range(5):
        post(person, "check", {"password": "wrong"})
    sandbox.sql(
        "UPDATE sandbox_user SET password_unlock_at = '2026-01-01 00:00:00' WHERE id = ?", person.id.replace("-", "")
    )

    detail = assert_refused(
        post(person, "check", {"password": "wrong"}), 400, "INVALID_DATA", "INVALID_VALUE", "password"
    )

    assert detail["innerError"]["failuresRemaining"] == 4
    assert status(person) == "OK"


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


def test_fifth_wrong_recovery_code_ends_the_code_and_locks_the_password(person: Person, sandbox: Sandbox):
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])
    for remaining in (4, 3, 2, 1, 0):
        assert status(person) == "OK"
        wrong = post(person, "recover", {"recoveryCode": "WRONG123", "newPassword": BETTER})
        detail = assert_refused(wrong, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")
        assert detail["innerError"]["failuresRemaining"] == remaining

    assert status(person) == "PASSWORD_LOCKED_OUT"
    right = post(person, "recover", {"recoveryCode": code, "newPassword": BETTER})
    assert_refused(right, 400, "INVALID_DATA", "INVALID_VALUE", "recoveryCode")
    assert_refused(post(person, "sendRecoveryCode"), 400, "REQUEST_FAILED")
    post(person, "unlock")
    post(person, "sendRecoveryCode")
    fresh = code_mailed_to(sandbox, person.read()["email"])
    assert post(person, "recover", {"recoveryCode": fresh, "newPassword": BETTER}).status_code == 200


def test_new_recovery_code_resets_the_count_of_wrong_codes(person: Person):
    for _ in range(2):
        post(person, "sendRecoveryCode")
        for _ in range(4):
            post(person, "recover", {"recoveryCode": "WRONG123", "newPassword": BETTER})

    assert status(person) == "OK"


def test_recovery_code_sent_before_the_lockout_lifts_it(person: Person, sandbox: Sandbox):
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])
    for _ in range(5):
        post(person, "check", {"password": "wrong"})
    assert status(person) == "PASSWORD_LOCKED_OUT"

    assert post(person, "recover", {"recoveryCode": code, "newPassword": BETTER}).json()["status"] == "OK"


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


def test_recovery_code_is_sent_to_a_locked_account_but_does_not_lift_its_lock(person: Person, sandbox: Sandbox):
    person.act("account.lock")
    assert post(person, "sendRecoveryCode").status_code == 200
    code = code_mailed_to(sandbox, person.read()["email"])

    refused = post(person, "recover", {"recoveryCode": code, "newPassword": BETTER})

    assert_refused(refused, 400, "REQUEST_FAILED")
    assert person.read()["account"]["status"] == "LOCKED"
    person.act("account.unlock")
    assert post(person, "recover", {"recoveryCode": code, "newPassword": BETTER}).status_code == 200


def test_deactivated_user_cannot_recover(person: Person, sandbox: Sandbox, ada: httpx.Client):
    post(person, "sendRecoveryCode")
    code = code_mailed_to(sandbox, person.read()["email"])
    ada.put(f"{person.path}/enabled", json={"enabled": False})

    assert_refused(post(person, "recover", {"recoveryCode": code, "newPassword": BETTER}), 400, "REQUEST_FAILED")


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


def encoded(scheme: str, algorithm: str, password: str) -> str:
    salt = b"the salt"
    digest = hashlib.new(algorithm, password.encode() + salt).digest()
    return f"{{{scheme}}}{base64.b64encode(digest + salt).decode()}"


def test_password_policy_can_be_bypassed(person: Person):
    assert put(person, "set", {"value": "weak", "bypassPolicy": True}).status_code == 200


SCHEMES = [("SSHA", "sha1"), ("SSHA256", "sha256"), ("SSHA384", "sha384"), ("SSHA512", "sha512")]


@pytest.mark.parametrize("operation", ["set", "setValue"])
@pytest.mark.parametrize(("scheme", "algorithm"), SCHEMES)
def test_encoded_password_is_the_password_it_encodes(person: Person, operation: str, scheme: str, algorithm: str):
    value = encoded(scheme, algorithm, "weak")

    assert put(person, operation, {"value": value}).json()["status"] == "OK"

    assert post(person, "check", {"password": "weak"}).status_code == 200
    assert post(person, "check", {"password": value}).status_code == 400, "nobody signs in with the digest"


def test_imported_encoded_password_is_the_password_it_encodes(ada: httpx.Client):
    username = f"user-{uuid4()}"
    sent = {"username": username, "password": {"value": encoded("SSHA512", "sha512", "weak")}}
    person = Person(api=ada, id=act(ada, "users", "user.import", sent).json()["id"])

    assert post(person, "check", {"password": "weak"}).status_code == 200


@pytest.mark.parametrize("value", ["{SSHA512}c2FsdA==", "{SSHA512}no base64!", "{ROT13}c2FsdA=="])
def test_unreadable_encoding_is_refused(person: Person, value: str):
    assert_refused(put(person, "set", {"value": value}), 400, "INVALID_DATA", "INVALID_VALUE", "value")


def test_set_may_force_a_change(person: Person):
    assert put(person, "set", {"value": BETTER, "forceChange": True}).json()["status"] == "MUST_CHANGE_PASSWORD"
    assert_refused(put(person, "set", {}), 400, "INVALID_DATA", "REQUIRED_VALUE", "value")


def test_set_value_without_a_value_removes_the_password(person: Person):
    reply = put(person, "setValue", {})

    assert reply.json()["status"] == "NO_PASSWORD"
    assert "lastChangedAt" not in reply.json()
    assert put(person, "setValue", {"value": GOOD}).json()["status"] == "OK"


@pytest.mark.parametrize(
    ("rule", "value", "told"),
    [("password-minimum-age", BETTER, {"minAgeDays": 1}), ("password-history", GOOD, {"history": {"count": 1}})],
)
def test_age_and_history_are_applied_by_set_once_switched_on(
    person: Person, sandbox: Sandbox, rule: str, value: str, told: dict[str, object]
):
    assert put(person, "set", {"value": GOOD}).status_code == 200
    sandbox.change(rule)
    try:
        refused = put(person, "set", {"value": value})
        assert assert_refused(refused, 400, "INVALID_DATA", "INVALID_VALUE", "value")["innerError"] == told
        assert put(person, "set", {"value": value, "bypassPolicy": True}).status_code == 200
    finally:
        sandbox.mend()
    assert put(person, "set", {"value": value}).status_code == 200
