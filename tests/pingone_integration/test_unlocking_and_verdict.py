"""A refused unlock is explained in agreement with the verdict on the same user."""

import pytest
from django.utils import timezone

from console.users.standing import Answer, Known, standing_of
from pingone_integration import devices, passwords, unlocking, users
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import UnlockFailure
from pingone_integration.mfa import Bypass, MfaState
from tests.support.answers import ADA, BO, ada, error, listing

Reason = UnlockFailure.Reason
LOCKED = {"canAuthenticate": False, "status": "LOCKED"}
GOOGLE = {"id": str(BO), "type": "GOOGLE"}
NO, YES, UNKNOWN = Answer.NO, Answer.YES, Answer.UNKNOWN

# State: changes to the user, password status, device lock. Reason of the refusal; answer and first case of the verdict;
# the action that the verdict recommends first, which the explanation must not contradict.
STATES = {
    "account locked": ({"account": LOCKED}, "OK", None, Reason.REFUSED, NO, "account-locked", "user.unlock"),
    "account and password locked": (
        {"account": LOCKED},
        "PASSWORD_LOCKED_OUT",
        None,
        Reason.REFUSED,
        NO,
        "account-locked",
        "user.unlock",
    ),
    "password locked": ({}, "PASSWORD_LOCKED_OUT", None, Reason.PASSWORD, NO, "password-locked", "password.unlock"),
    "password and device locked": (
        {},
        "PASSWORD_LOCKED_OUT",
        "LOCKED",
        Reason.PASSWORD,
        NO,
        "password-locked",
        "password.unlock",
    ),
    "device locked": ({}, "OK", "LOCKED", Reason.DEVICE, NO, "mfa-locked", "device.unlock"),
    "deactivated": ({"enabled": False}, "OK", None, Reason.DISABLED, NO, "deactivated", "user.activate"),
    "deactivated and locked": (
        {"enabled": False, "account": LOCKED},
        "PASSWORD_LOCKED_OUT",
        "LOCKED",
        Reason.DISABLED,
        NO,
        "deactivated",
        "user.activate",
    ),
    "no password": ({}, "NO_PASSWORD", None, Reason.NO_PASSWORD, NO, "no-password", "password.set-temporary"),
    "external password": ({}, "EXTERNAL", None, Reason.ELSEWHERE, UNKNOWN, "external-password", None),
    "external identity provider": (
        {"identityProvider": GOOGLE},
        "PASSWORD_LOCKED_OUT",
        None,
        Reason.ELSEWHERE,
        UNKNOWN,
        "external-provider",
        None,
    ),
    "not locked": ({}, "OK", None, Reason.NOTHING_LOCKED, YES, "", None),
    "not locked, new password due": (
        {},
        "MUST_CHANGE_PASSWORD",
        None,
        Reason.NOTHING_LOCKED,
        YES,
        "must-change-password",
        "password.send-recovery-code",
    ),
}
# What each explanation says, and words that must not appear because the verdict would contradict them.
SAYS = {
    Reason.REFUSED: (("account is locked",), ("not locked", "Nothing is locked")),
    Reason.PASSWORD: (("account is not locked", "the password is", "Unlock the password"), ("Nothing is locked",)),
    Reason.DEVICE: (("account is not locked", "MFA device is", "Unlock the MFA device"), ("Nothing is locked",)),
    Reason.DISABLED: (("is deactivated", "Activate the user"), ("is locked",)),
    Reason.NO_PASSWORD: (("have no password", "temporary password"), ("is locked",)),
    Reason.ELSEWHERE: (("Nothing is locked in PingOne", "outside PingOne"), ("Unlock",)),
    Reason.NOTHING_LOCKED: (("Nothing is locked", "check the user's status"), ("Unlock",)),
}


@pytest.mark.parametrize(
    ("changes", "password", "device_lock", "reason", "answer", "key", "action"),
    [pytest.param(*row, id=name) for name, row in STATES.items()],
)
def test_refused_unlock_agrees_with_the_verdict(
    api, pingone, changes, password, device_lock, reason, answer, key, action
):
    user, lock = ada(**changes), {"status": device_lock} if device_lock else {}
    device = {"id": str(BO), "type": "SMS", "status": "ACTIVE", "lock": lock}
    known = users.user_of(user)
    assert known
    pingone._assert_all_called = False
    pingone.post(f"/users/{ADA}").respond(415, json=error("INVALID_REQUEST"))
    pingone.get(f"/users/{ADA}").respond(json=user)
    pingone.get(f"/users/{ADA}/password").respond(json={"status": password})
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", device))

    with pytest.raises(UnlockFailure) as refused:
        unlocking.unlock_account(api, ADA)
    verdict = standing_of(
        Known(
            user=known,
            password=passwords.state_of({"status": password}),
            mfa=MfaState(
                devices=items_of(listing("devices", device), "devices", devices.device_of), bypass=Bypass(until=None)
            ),
            now=timezone.now(),
        )
    )

    assert refused.value.reason == reason
    assert (verdict.answer, verdict.key) == (answer, key)
    assert next(iter(verdict.helps), None) == action
    said = f"{refused.value.cause} {refused.value.resolution}"
    present, absent = SAYS[reason]
    assert all(words in said for words in present)
    assert not any(words in said for words in absent)


def test_every_reason_of_a_refused_unlock_is_compared():
    compared = {reason for _, _, _, reason, *_ in STATES.values()}

    assert compared == SAYS.keys() == set(Reason) - {Reason.ACCOUNT}  # which another unlock runs into
