"""The state of an account: enabled, locked, moved, verified."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from console.demo.mails import ConsoleMail, deliver
from tests.support.sandbox_people import Person, assert_refused
from tests.support.sandbox_server import Sandbox, code_mailed_to

STAFF = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
NewUser = Callable[..., Person]


def test_enabled_can_be_set_repeatedly(new_user: NewUser, ada: httpx.Client):
    person = new_user()
    for enabled in (False, False, True, True):
        reply = ada.put(f"{person.path}/enabled", json={"enabled": enabled})

        assert (reply.status_code, reply.json()["enabled"]) == (200, enabled)
        user = person.read()
        assert (user["enabled"], user["account"]) == (enabled, {"canAuthenticate": enabled, "status": "OK"})
        assert ada.get(f"{person.path}/enabled").json()["enabled"] is enabled


@pytest.mark.parametrize("body", [{}, {"enabled": "false"}, {"enabled": None}])
def test_enabled_is_true_or_false(new_user: NewUser, ada: httpx.Client, body: dict[str, object]):
    response = ada.put(f"{new_user().path}/enabled", json=body)

    assert_refused(response, 400, "INVALID_DATA", "INVALID_VALUE", "enabled")


def test_enabled_can_be_filtered_by(new_user: NewUser, ada: httpx.Client):
    person = new_user()
    username = person.read()["username"]
    ada.put(f"{person.path}/enabled", json={"enabled": False})

    for value, found in (("false", 1), ('"false"', 1), ("true", 0), ('"true"', 0)):
        condition = f'username eq "{username}" and enabled eq {value}'
        assert ada.get("users", params={"filter": condition}).json()["size"] == found


def test_lock_ends_by_unlocking(new_user: NewUser):
    person = new_user()

    locked = person.act("account.lock", {"unlockAt": "2031-05-06T07:08:09.000Z"})
    unlocked = person.act("account.unlock")

    assert (locked.status_code, unlocked.status_code) == (200, 200)
    account = locked.json()["account"]
    assert (account["status"], account["canAuthenticate"]) == ("LOCKED", False)
    assert account["unlockAt"] == "2031-05-06T07:08:09.000Z"
    assert account["lockedAt"]
    assert unlocked.json()["account"] == {"canAuthenticate": True, "status": "OK"} == person.read()["account"]


def test_end_of_a_lock_is_answered_in_utc(new_user: NewUser):
    locked = new_user().act("account.lock", {"unlockAt": "2031-05-06T09:08:09.000+02:00"})

    assert locked.json()["account"]["unlockAt"] == "2031-05-06T07:08:09.000Z"


@pytest.mark.parametrize("body", [None, {}, {"unlockAt": "2020-01-01T00:00:00Z"}])
def test_lock_without_a_future_end_is_lifted_only_by_an_administrator(new_user: NewUser, body: object):
    account = new_user().act("account.lock", body).json()["account"]

    assert account["status"] == "LOCKED"
    assert not {"unlockAt", "secondsUntilUnlock"} & set(account)


def test_lock_expires_by_itself(new_user: NewUser, sandbox: Sandbox):
    person = new_user()
    person.act("account.lock", {"unlockAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})
    assert 3500 < person.read()["account"]["secondsUntilUnlock"] <= 3600

    sandbox.sql("UPDATE sandbox_user SET unlock_at = '2026-01-01 00:00:00' WHERE id = ?", person.id.replace("-", ""))

    assert person.read()["account"] == {"canAuthenticate": True, "status": "OK"}


@pytest.mark.parametrize("unlock_at", ["tomorrow", "2031-01-01", "2031-01-01T00:00:00", 7])
def test_lock_refuses_an_end_that_is_not_a_date_with_time_and_zone(new_user: NewUser, unlock_at: object):
    response = new_user().act("account.lock", {"unlockAt": unlock_at})

    assert_refused(response, 400, "INVALID_DATA", "INVALID_VALUE", "unlockAt")


def test_unlocking_requires_its_media_type(new_user: NewUser, ada: httpx.Client):
    person = new_user()

    for headers in ({}, {"Content-Type": "application/json"}, {"Content-Type": "application/vnd.pingidentity.x+json"}):
        assert_refused(ada.post(person.path, headers=headers), 415, "INVALID_REQUEST")
    assert person.act("account.unlock").status_code == 200


def test_move_ends_the_memberships_in_groups_of_the_old_population(
    new_user: NewUser, ada: httpx.Client, rosa: httpx.Client
):
    person = new_user(population={"id": PARTNERS})
    groups = {group["name"]: group["id"] for group in rosa.get("groups").json()["_embedded"]["groups"]}
    for name in ("Partner portal", "VPN"):
        assert ada.post(f"{person.path}/memberOfGroups", json={"id": groups[name]}).status_code == 201

    reply = ada.put(f"{person.path}/population", json={"id": STAFF})

    assert (reply.status_code, reply.json()["id"]) == (200, STAFF)
    assert ada.get(f"{person.path}/population").json()["id"] == STAFF
    direct = person.read(include="memberOfGroupNames")["memberOfGroupNames"]
    assert "VPN" in direct
    assert "Partner portal" not in direct


def test_account_is_verified_with_the_mailed_code(new_user: NewUser, sandbox: Sandbox):
    person = new_user()
    sent = person.act("user.sendVerificationCode")
    code = code_mailed_to(sandbox, person.read()["email"])

    assert sent.json()["lifecycle"]["status"] == "VERIFICATION_REQUIRED"
    assert code not in sent.text
    wrong = person.act("user.verify", {"verificationCode": "WRONG123"})
    assert_refused(wrong, 400, "INVALID_DATA", "INVALID_VALUE", "verificationCode")
    verified = person.act("user.verify", {"verificationCode": code.lower()}).json()
    assert (verified["lifecycle"]["status"], verified["emailVerified"]) == ("ACCOUNT_OK", True)


def test_email_verification_leaves_the_account_alone(new_user: NewUser, sandbox: Sandbox):
    person = new_user()
    for _ in range(2):
        sent = person.act("user.emailVerification.send", {"notificationType": "admin"}, at="emailVerification")
    code = code_mailed_to(sandbox, person.read()["email"])

    assert sent.status_code == 200
    assert code not in sent.text
    assert person.read()["lifecycle"]["status"] == "ACCOUNT_OK"
    checked = person.act("user.emailVerification.verify", {"verificationCode": code}, at="emailVerification")
    assert checked.json()["emailVerified"] is True
    assert person.read()["emailVerified"] is True
    again = person.act("user.emailVerification.verify", {"verificationCode": code}, at="emailVerification")
    assert_refused(again, 400, "INVALID_DATA", "INVALID_VALUE", "verificationCode")


def test_codes_cannot_be_sent_without_an_address(ada: httpx.Client, sandbox: Sandbox):
    noah = Person(api=ada, id=sandbox.details["users"]["noah.nomail"])

    assert_refused(noah.act("user.sendVerificationCode"), 400, "REQUEST_FAILED")
    assert_refused(noah.act("user.emailVerification.send", at="emailVerification"), 400, "REQUEST_FAILED")
    assert_refused(noah.act("password.sendRecoveryCode", at="password"), 400, "REQUEST_FAILED")


def test_outbox_shows_the_mail(new_user: NewUser, sandbox: Sandbox, http: httpx.Client):
    person = new_user()
    person.act("user.sendVerificationCode")
    address = person.read()["email"]

    page = http.get(f"{sandbox.url}/sandbox/outbox/", params={"to": address})

    assert page.status_code == 200
    assert code_mailed_to(sandbox, address) in page.text


def test_mailbox_takes_emails_of_others_and_shows_their_links(sandbox: Sandbox, http: httpx.Client):
    outbox = f"{sandbox.url}/sandbox/outbox/"
    to = f"t{uuid4().hex[:10]}@acme.test"
    sent = {"to": to, "subject": "Acme: <b>News</b>", "body": "Hello,\n<script>\nhttp://localhost:8000/not-me/abc/\n"}

    assert http.post(outbox, json=sent).status_code == 201

    page = http.get(outbox, params={"to": to}).text
    assert '<a href="http://localhost:8000/not-me/abc/"' in page
    assert "&lt;b&gt;News" in page
    assert "<script>" not in page
    assert [http.post(outbox, data=sent).status_code, http.post(outbox, json=["x"]).status_code] == [400, 400]


def test_demo_puts_the_emails_of_the_console_into_the_mailbox(sandbox: Sandbox, http: httpx.Client):
    mail = ConsoleMail(to=f"t{uuid4().hex[:10]}@acme.test", subject="Your account", body="It was changed.")

    assert deliver(mail, f"{sandbox.url}/sandbox/outbox/")

    assert "It was changed." in http.get(f"{sandbox.url}/sandbox/outbox/", params={"to": mail.to}).text


def test_first_page_tells_a_newcomer_how_to_connect(sandbox: Sandbox, http: httpx.Client):
    page = http.get(sandbox.url)

    assert page.status_code == 200
    for told in (
        sandbox.url,
        sandbox.details["client_id"],
        "ada.admin",
        "leo.locked",
        sandbox.details["user_password"],
    ):
        assert told in page.text
    assert "script" not in page.headers["Content-Security-Policy"]
