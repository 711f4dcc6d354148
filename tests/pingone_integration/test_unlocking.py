"""A refused unlock and its reason: the kind of lock that holds."""

from uuid import UUID

import pytest

from pingone_integration import unlocking
from pingone_integration.errors import Unavailable, UnlockFailure
from tests.support.answers import ADA, BO, ada, error, listing

Reason = UnlockFailure.Reason
LOCKED = {"canAuthenticate": False, "status": "LOCKED"}
GOOGLE = {"id": str(BO), "type": "GOOGLE"}
DEVICE = UUID("a1d0f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")


def refused(pingone, user, password="OK", device_lock="UNLOCKED"):
    """Mock PingOne to refuse unlocking the account of this user, with this password state and device lock."""
    pingone._assert_all_called = False
    pingone.post(f"/users/{ADA}").respond(415, json=error("INVALID_REQUEST"))
    pingone.get(f"/users/{ADA}").respond(json=user)
    pingone.get(f"/users/{ADA}/password").respond(json={"status": password})
    device = {"id": str(DEVICE), "type": "SMS", "status": "ACTIVE", "lock": {"status": device_lock}}
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", device))


@pytest.mark.parametrize(
    ("user", "password", "device_lock", "reason", "cause"),
    [
        (ada(enabled=False), "PASSWORD_LOCKED_OUT", "LOCKED", Reason.DISABLED, "is deactivated"),
        (ada(account=LOCKED), "OK", "UNLOCKED", Reason.REFUSED, "The account is locked. The license"),
        (ada(), "PASSWORD_LOCKED_OUT", "LOCKED", Reason.PASSWORD, "not locked, but the password is"),
        (ada(), "NO_PASSWORD", "LOCKED", Reason.NO_PASSWORD, "They have no password."),
        (ada(), "OK", "LOCKED", Reason.DEVICE, "not locked, but an MFA device is"),
        (ada(), "EXTERNAL", "LOCKED", Reason.DEVICE, "not locked, but an MFA device is"),
        (ada(), "EXTERNAL", "UNLOCKED", Reason.ELSEWHERE, "managed outside PingOne"),
        (ada(identityProvider=GOOGLE), "PASSWORD_LOCKED_OUT", "UNLOCKED", Reason.ELSEWHERE, "managed outside PingOne"),
        (ada(), "OK", "UNLOCKED", Reason.NOTHING_LOCKED, "Nothing is locked"),
        (ada(), "MUST_CHANGE_PASSWORD", "UNLOCKED", Reason.NOTHING_LOCKED, "Nothing is locked"),
        (ada(), "SOMETHING_NEW", "UNLOCKED", None, UnlockFailure.cause),
        (ada(account=None), "OK", "UNLOCKED", None, UnlockFailure.cause),
    ],
    ids=[
        "deactivated",
        "account",
        "password",
        "no password",
        "device",
        "device of a user with an external password",
        "external password",
        "external identity provider",
        "nothing locked",
        "nothing locked, new password due",
        "unknown password status",
        "unknown account status",
    ],
)
def test_refused_unlock_names_the_kind_of_lock(api, pingone, user, password, device_lock, reason, cause):
    refused(pingone, user, password, device_lock)

    with pytest.raises(UnlockFailure) as raised:
        unlocking.unlock_account(api, ADA)

    assert str(cause) in str(raised.value.cause)
    assert raised.value.reason == reason
    assert raised.value.trace.status == 415


def test_refused_unlock_of_an_unreadable_user_has_the_general_cause(api, pingone):
    refused(pingone, ada())
    pingone.get(f"/users/{ADA}").respond(500)

    with pytest.raises(UnlockFailure) as raised:
        unlocking.unlock_account(api, ADA)

    assert raised.value.cause == UnlockFailure.cause


def unlock_device(api, user_id):
    unlocking.unlock_device(api, user_id, device_id=DEVICE)


@pytest.mark.parametrize(
    ("unlock", "path"),
    [(unlocking.unlock_password, f"/users/{ADA}/password"), (unlock_device, f"/users/{ADA}/devices/{DEVICE}")],
    ids=["password", "device"],
)
@pytest.mark.parametrize(
    ("changes", "reason", "cause"),
    [
        ({"enabled": False}, Reason.DISABLED, "is deactivated"),
        ({"account": LOCKED}, Reason.ACCOUNT, "The account is locked."),
    ],
    ids=["deactivated", "account locked"],
)
def test_refused_unlock_of_a_password_or_device_names_the_greater_obstacle(
    api, pingone, unlock, path, changes, reason, cause
):
    refused(pingone, ada(**changes), "PASSWORD_LOCKED_OUT", "LOCKED")
    pingone.post(path).respond(400, json=error("REQUEST_FAILED"))

    with pytest.raises(UnlockFailure) as raised:
        unlock(api, ADA)

    assert raised.value.reason == reason
    assert cause in str(raised.value.cause)


@pytest.mark.parametrize(
    ("unlock", "path", "password", "cause"),
    [
        (
            unlocking.unlock_password,
            f"/users/{ADA}/password",
            "PASSWORD_LOCKED_OUT",
            "The password is locked. The license",
        ),
        (unlock_device, f"/users/{ADA}/devices/{DEVICE}", "OK", "An MFA device is locked. The license"),
    ],
    ids=["password", "device"],
)
def test_refused_unlock_of_the_lock_that_holds_does_not_recommend_itself(api, pingone, unlock, path, password, cause):
    refused(pingone, ada(), password, "LOCKED")
    pingone.post(path).respond(400, json=error("REQUEST_FAILED"))

    with pytest.raises(UnlockFailure) as raised:
        unlock(api, ADA)

    assert raised.value.reason == Reason.REFUSED
    assert cause in str(raised.value.cause)
    assert "instead" not in str(raised.value.resolution)


def test_unlock_without_an_answer_is_not_a_refusal(api, pingone):
    pingone.post(f"/users/{ADA}").respond(503)

    with pytest.raises(Unavailable):
        unlocking.unlock_account(api, ADA)
