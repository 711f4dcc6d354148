"""The request of each change to a user, and PingOne's surprises in the answer."""

import json
import re
import string
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import httpx
import pytest

from pingone_integration import devices, groups, mfa, passwords, sessions, users
from pingone_integration.errors import Duplicate, MissingPermission, NotFound, RefusedByState, Unavailable
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, error, listing

DEVICE = UUID("a1d00000-0000-4000-8000-000000000001")
SESSION = UUID("465b0000-0000-4000-8000-000000000001")
OTHER_SESSION = UUID("465b0000-0000-4000-8000-000000000002")
SOON = datetime(2026, 12, 1, 9, 30, tzinfo=timezone(timedelta(hours=1)))
VENDOR = "application/vnd.pingidentity."
JSON = "application/json"
SIGNS = "~!@#$%^&*()-_=+[]{}|;:,.<>/?"


@pytest.mark.parametrize(
    ("call", "method", "path", "media_type", "body"),
    [
        (lambda api: users.activate(api, ADA), "PUT", "/enabled", JSON, {"enabled": True}),
        (lambda api: users.deactivate(api, ADA), "PUT", "/enabled", JSON, {"enabled": False}),
        (lambda api: users.unlock(api, ADA), "POST", "", f"{VENDOR}account.unlock+json", None),
        (
            lambda api: users.lock(api, ADA, until=SOON),
            "POST",
            "",
            f"{VENDOR}account.lock+json",
            {"unlockAt": "2026-12-01T08:30:00.000Z"},
        ),
        (lambda api: users.move(api, ADA, population_id=STAFF), "PUT", "/population", JSON, {"id": str(STAFF)}),
        (
            lambda api: users.send_email_verification(api, ADA),
            "POST",
            "/emailVerification",
            f"{VENDOR}user.emailVerification.send+json",
            {"notificationType": "user"},
        ),
        (lambda api: users.delete(api, ADA), "DELETE", "", None, None),
        (lambda api: groups.add(api, ADA, group_id=ENGINEERS), "POST", "/memberOfGroups", JSON, {"id": str(ENGINEERS)}),
        (lambda api: groups.remove(api, ADA, group_id=ENGINEERS), "DELETE", f"/memberOfGroups/{ENGINEERS}", None, None),
        (
            lambda api: passwords.send_recovery_code(api, ADA),
            "POST",
            "/password",
            f"{VENDOR}password.sendRecoveryCode+json",
            None,
        ),
        (lambda api: passwords.force_change(api, ADA), "POST", "/password", f"{VENDOR}password.forceChange", None),
        (lambda api: passwords.unlock(api, ADA), "POST", "/password", f"{VENDOR}password.unlock+json", None),
        (lambda api: mfa.enable(api, ADA), "PUT", "/mfaEnabled", JSON, {"mfaEnabled": True}),
        (lambda api: mfa.disable(api, ADA), "PUT", "/mfaEnabled", JSON, {"mfaEnabled": False}),
        (
            lambda api: mfa.bypass(api, ADA, until=SOON),
            "PUT",
            "/bypassMFA",
            JSON,
            {"bypassMFAEnabledUntil": "2026-12-01T08:30:00.000Z"},
        ),
        (lambda api: devices.remove(api, ADA, device_id=DEVICE), "DELETE", f"/devices/{DEVICE}", None, None),
        (
            lambda api: devices.rename(api, ADA, device_id=DEVICE, nickname="Work"),
            "PUT",
            f"/devices/{DEVICE}/nickname",
            JSON,
            {"nickname": "Work"},
        ),
        (
            lambda api: devices.unlock(api, ADA, device_id=DEVICE),
            "POST",
            f"/devices/{DEVICE}",
            f"{VENDOR}device.unlock+json",
            None,
        ),
        (lambda api: sessions.end(api, ADA, session_id=SESSION), "DELETE", f"/sessions/{SESSION}", None, None),
    ],
)
def test_change_is_a_single_request_with_its_own_media_type(api, pingone, call, method, path, media_type, body):
    wire = pingone.request(method, f"/users/{ADA}{path}").respond(204 if method == "DELETE" else 200, json={})

    call(api)

    assert wire.call_count == 1
    request = wire.calls.last.request
    assert request.headers.get("Content-Type") == media_type
    assert (json.loads(request.content) if request.content else None) == body


def test_temporary_password_is_generated_and_must_be_changed(api, pingone):
    wire = pingone.put(f"/users/{ADA}/password").respond(200, json={"status": "MUST_CHANGE_PASSWORD"})

    password = passwords.set_temporary(api, ADA)

    request = wire.calls.last.request
    assert request.headers["Content-Type"] == f"{VENDOR}password.set+json"
    assert json.loads(request.content) == {"value": password, "forceChange": True}


def test_generated_passwords_differ_and_can_be_read_out():
    generated = {passwords.generate() for _ in range(200)}

    assert len(generated) == 200
    for password in generated:
        assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]
        assert not set(password) & set("0O1lIo")
        assert any(character.islower() for character in password)
        assert any(character.isupper() for character in password)
        assert any(character.isdigit() for character in password)


POLICIES = {
    "not shown": {},
    "standard": {
        "length": {"min": 8, "max": 255},
        "minCharacters": {string.ascii_uppercase: 1, string.ascii_lowercase: 1, string.digits: 1, SIGNS: 1},
        "minUniqueCharacters": 5,
        "maxRepeatedCharacters": 2,
    },
    "short": {"length": {"min": 6, "max": 10}, "minCharacters": {string.digits: 3, SIGNS: 2}, "minUniqueCharacters": 9},
    "long": {"length": {"min": 100}, "minUniqueCharacters": 40, "maxRepeatedCharacters": 1},
    "own signs": {"minCharacters": {"{}": 2, "äöü": 1}, "maxRepeatedCharacters": 1},
    "as texts": {"length": {"min": "12", "max": None}, "minCharacters": {string.digits: None, "": 3}},
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_random_password_meets_the_policy_and_nobody_sees_it(api, pingone, policy):
    """Thirty at once: a rule that is met by luck alone fails."""
    pingone.get(f"/users/{ADA}/password").respond(json={"_embedded": {"passwordPolicy": policy}})
    wire = pingone.put(f"/users/{ADA}/password").respond(200, json={"status": "MUST_CHANGE_PASSWORD"})

    for _round in range(30):
        passwords.replace(api, ADA)

    sent = [json.loads(call.request.content) for call in wire.calls]
    assert {tuple(body) for body in sent} == {("value", "forceChange")}
    assert len({body["value"] for body in sent}) == 30
    for body in sent:
        password = body["value"]
        length = policy.get("length", {})
        assert int(length.get("min") or 24) <= len(password) <= (length.get("max") or 100)
        for alphabet, least in policy.get("minCharacters", {}).items():
            assert not alphabet or sum(one in alphabet for one in password) >= (least or 1)
        assert len(set(password)) >= policy.get("minUniqueCharacters", 0)
        assert not re.search(rf"(.)\1{{{policy.get('maxRepeatedCharacters', 100)}}}", password)
        assert not passwords.is_encoded(password)
        if not policy:
            assert all(any(one in kind for one in password) for kind in (string.ascii_letters, string.digits, SIGNS))


def test_random_password_is_set_where_the_policy_may_not_be_read(api, pingone):
    pingone.get(f"/users/{ADA}/password").respond(403, json=error("ACCESS_FAILED"))
    wire = pingone.put(f"/users/{ADA}/password").respond(200, json={"status": "MUST_CHANGE_PASSWORD"})

    passwords.replace(api, ADA)

    assert json.loads(wire.calls.last.request.content)["forceChange"] is True


def test_existing_membership_counts_as_added(api, pingone):
    pingone.post(f"/users/{ADA}/memberOfGroups").respond(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "id"))
    pingone.get(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "type": "DIRECT"})

    groups.add(api, ADA, group_id=ENGINEERS)


@pytest.mark.parametrize("found", [httpx.Response(404), httpx.Response(200, json={"id": str(ENGINEERS)})])
def test_duplicate_without_a_direct_membership_stays_an_error(api, pingone, found):
    pingone.post(f"/users/{ADA}/memberOfGroups").respond(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "id"))
    pingone.get(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").mock(return_value=found)

    with pytest.raises(Duplicate):
        groups.add(api, ADA, group_id=ENGINEERS)


def test_unlock_of_the_wrong_kind_is_refused_by_state(api, pingone):
    pingone.post(f"/users/{ADA}").respond(415, json=error("INVALID_REQUEST"))

    with pytest.raises(RefusedByState):
        users.unlock(api, ADA)


def test_ending_all_sessions_skips_a_session_that_is_gone(api, pingone):
    pingone.get(f"/users/{ADA}/sessions").respond(
        json=listing("sessions", {"id": str(SESSION)}, {"id": str(OTHER_SESSION)})
    )
    pingone.delete(f"/users/{ADA}/sessions/{SESSION}").respond(404, json=error("NOT_FOUND"))
    pingone.delete(f"/users/{ADA}/sessions/{OTHER_SESSION}").respond(204)

    assert sessions.end_all(api, ADA) == 1


@pytest.mark.parametrize(("first", "known"), [(204, False), (404, True)])
def test_ending_all_sessions_has_an_unknown_outcome_if_it_fails_halfway(api, pingone, first, known):
    pingone.get(f"/users/{ADA}/sessions").respond(
        json=listing("sessions", {"id": str(SESSION)}, {"id": str(OTHER_SESSION)})
    )
    pingone.delete(f"/users/{ADA}/sessions/{SESSION}").respond(first)
    pingone.delete(f"/users/{ADA}/sessions/{OTHER_SESSION}").respond(403, json=error("ACCESS_FAILED"))

    with pytest.raises(MissingPermission) as raised:
        sessions.end_all(api, ADA)

    assert raised.value.outcome_known is known


def test_write_whose_answer_is_lost_is_not_repeated(api, pingone):
    wire = pingone.put(f"/users/{ADA}/enabled").mock(side_effect=httpx.ReadTimeout("too late"))

    with pytest.raises(Unavailable) as raised:
        users.deactivate(api, ADA)

    assert wire.call_count == 1
    assert not raised.value.outcome_known


def test_mfa_bypass_has_its_end(api, pingone):
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={"bypassMFAEnabledUntil": "2099-12-01T08:30:00.000Z"})

    assert mfa.bypass_state(api, ADA).until == datetime(2099, 12, 1, 8, 30, tzinfo=UTC)


def test_mfa_bypass_that_is_off_has_no_end(api, pingone):
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={"_links": {}})

    assert mfa.bypass_state(api, ADA).until is None


def test_device_is_read(api, pingone):
    pingone.get(f"/users/{ADA}/devices/{DEVICE}").respond(json={"id": str(DEVICE), "type": "TOTP", "nickname": "Old"})

    assert (devices.get(api, ADA, DEVICE).kind, devices.get(api, ADA, DEVICE).nickname) == ("Authenticator app", "Old")


def test_deleted_user_cannot_be_deleted_again(api, pingone):
    pingone.delete(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    with pytest.raises(NotFound):
        users.delete(api, ADA)


def test_answer_to_a_write_may_be_a_whole_user(api, pingone):
    pingone.post(f"/users/{ADA}").respond(json=ada())

    users.unlock(api, ADA)


RUNNING = {"bypassMFAEnabledUntil": "2099-12-01T08:30:00.000Z"}
NOT_THE_WAY = [
    httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "bypassMFAEnabledUntil")),
    httpx.Response(400, json=error("REQUEST_FAILED")),
    httpx.Response(404, json=error("NOT_FOUND")),
    httpx.Response(405, json=error("INVALID_REQUEST")),
    httpx.Response(403, html="<h1>Forbidden</h1>"),  # a gateway that does not know the path
]


@pytest.mark.parametrize("gone", [{}, {"bypassMFAEnabledUntil": "2026-01-01T00:00:00.000Z"}], ids=["absent", "past"])
def test_mfa_bypass_ends_by_an_end_in_the_past(api, pingone, gone):
    wire = pingone.put(f"/users/{ADA}/bypassMFA").respond(json={})
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json=gone)

    mfa.end_bypass(api, ADA)

    sent = json.loads(wire.calls.last.request.content)["bypassMFAEnabledUntil"]
    assert datetime.fromisoformat(sent) < datetime.now(UTC)


@pytest.mark.parametrize("refusal", NOT_THE_WAY, ids=lambda refusal: str(refusal.status_code))
def test_mfa_bypass_is_deleted_if_pingone_refuses_an_end_in_the_past(api, pingone, refusal):
    pingone.put(f"/users/{ADA}/bypassMFA").mock(return_value=refusal)
    wire = pingone.delete(f"/users/{ADA}/bypassMFA").respond(204)

    mfa.end_bypass(api, ADA)

    assert wire.called


def test_mfa_bypass_is_deleted_if_it_runs_in_spite_of_an_end_in_the_past(api, pingone):
    pingone.put(f"/users/{ADA}/bypassMFA").respond(json={})
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json=RUNNING)
    wire = pingone.delete(f"/users/{ADA}/bypassMFA").respond(204)

    mfa.end_bypass(api, ADA)

    assert wire.called


def test_mfa_bypass_whose_end_cannot_be_read_is_not_ended_again(api, pingone):
    pingone.put(f"/users/{ADA}/bypassMFA").respond(json={})
    pingone.get(f"/users/{ADA}/bypassMFA").respond(503)

    mfa.end_bypass(api, ADA)


@pytest.mark.parametrize("refusal", NOT_THE_WAY, ids=lambda refusal: str(refusal.status_code))
def test_mfa_bypass_that_pingone_does_not_end_says_so(api, pingone, refusal):
    pingone.put(f"/users/{ADA}/bypassMFA").mock(return_value=refusal)
    pingone.delete(f"/users/{ADA}/bypassMFA").mock(return_value=refusal)

    with pytest.raises(RefusedByState) as raised:
        mfa.end_bypass(api, ADA)

    assert str(raised.value.title) == "PingOne did not end the MFA bypass"


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (httpx.Response(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")), MissingPermission),
        (httpx.Response(500, json=error("UNEXPECTED_ERROR")), Unavailable),
    ],
)
def test_mfa_bypass_is_ended_in_one_way_only_after_a_failure(api, pingone, answer, raised):
    pingone.put(f"/users/{ADA}/bypassMFA").mock(return_value=answer)

    with pytest.raises(raised):
        mfa.end_bypass(api, ADA)
