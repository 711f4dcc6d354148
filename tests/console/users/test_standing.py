"""The verdict on why a user cannot sign in, as a table."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from console.actions.catalogue import BY_KEY
from console.users import standing
from console.users.standing import CASES, Answer, Gap, Known, Standing, standing_of, time_in_words
from pingone_integration.devices import Device, device_of
from pingone_integration.mfa import Bypass, MfaState
from pingone_integration.passwords import PasswordState
from pingone_integration.users import User, user_of
from tests.support.answers import BO, ada

NOW = datetime(2026, 11, 27, 13, 53, tzinfo=UTC)
SOON = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
LATER = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
PAST = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)

UNREAD, FAILED = Gap.UNREAD, Gap.FAILED
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.fixture(autouse=True)
def _in_utc() -> Any:
    with timezone.override(UTC):
        yield


def password(status: str, unlock_at: datetime | None = None) -> PasswordState:
    return PasswordState(
        status=status, last_changed_at=None, seconds_until_unlock=None, unlock_at=unlock_at, policy_name=""
    )


def device(**changes: Any) -> Device:
    found = device_of({"id": str(BO), "type": "SMS", "status": "ACTIVE"} | changes)
    assert found is not None
    return found


def mfa(*devices: Device, until: datetime | None = None) -> MfaState:
    return MfaState(devices=devices, bypass=Bypass(until=until))


OK, WORKING = password("OK"), mfa(device())
LOCKED_DEVICE, BLOCKED = device(lock={"status": "LOCKED"}), device(block={"status": "BLOCKED"})
NOT_ACTIVATED = device(status="ACTIVATION_REQUIRED")
LOCKED_UNTIL = {"account": {"status": "LOCKED", "unlockAt": SOON.isoformat()}}
ABSENT = object()
NEVER = {"lastSignOn": ABSENT}
LISTED = {"_embedded": {"password": {"status": "PASSWORD_LOCKED_OUT"}}}


def user_with(changes: dict[str, Any]) -> User:
    user = user_of({key: value for key, value in (ada() | changes).items() if value is not ABSENT})
    assert user is not None
    return user


def of(changes: dict[str, Any], password: Any, mfa: Any) -> Standing:
    return standing_of(Known(user=user_with(changes), password=password, mfa=mfa, now=NOW))


TABLE = [
    # user, password, MFA: answer, word, sentence, what helps
    ("in order", {}, OK, WORKING, YES, "Active", "They can sign in.", ()),
    ("without MFA", {"mfaEnabled": False}, OK, UNREAD, YES, "Active", "They can sign in.", ()),
    ("never signed in", NEVER, OK, WORKING, YES, "Active", "They can sign in. They have not signed in yet.", ()),
    (
        "a sign-in that is null", {"lastSignOn": None}, OK, WORKING, YES, "Active",
        "They can sign in. PingOne does not say whether they ever signed in.", (),
    ),
    (
        "a user alone", {}, UNREAD, UNREAD, UNKNOWN, "Active",
        "No lock on the account. Password and MFA not read yet.", (),
    ),
    (
        "a user alone, never signed in", NEVER, UNREAD, UNREAD, UNKNOWN, "Active",
        "No lock on the account. Password and MFA not read yet.", (),
    ),
    (
        "a user alone without MFA", {"mfaEnabled": False}, UNREAD, UNREAD, UNKNOWN, "Active",
        "No lock on the account. Password not read yet.", (),
    ),
    ("the password read", {}, OK, UNREAD, UNKNOWN, "Active", "No lock on the account. MFA not read yet.", ()),
    ("MFA read", {}, UNREAD, WORKING, UNKNOWN, "Active", "No lock on the account. Password not read yet.", ()),
    (
        "a password refused", {}, FAILED, UNREAD, UNKNOWN, "Active",
        "No lock on the account. MFA not read yet. Password could not be read.", (),
    ),
    (
        "both refused", {}, FAILED, FAILED, UNKNOWN, "Active",
        "No lock on the account. Password and MFA could not be read.", (),
    ),
    (
        "deactivated", {"enabled": False}, UNREAD, UNREAD, NO, "Deactivated",
        "Deactivated. They cannot sign in until someone activates them.", ("user.activate",),
    ),
    (
        "deactivated and locked", {"enabled": False, **LOCKED_UNTIL}, OK, WORKING, NO, "Deactivated",
        "Deactivated. They cannot sign in until someone activates them.", ("user.activate", "user.unlock"),
    ),
    (
        "locked until", LOCKED_UNTIL, UNREAD, UNREAD, NO, "Locked",
        "Locked. It unlocks in 12 minutes, at 14:05.", ("user.unlock",),
    ),
    (
        "locked", {"account": {"status": "LOCKED"}}, OK, WORKING, NO, "Locked",
        "Locked. It stays locked until someone unlocks it.", ("user.unlock",),
    ),
    (
        "a lock that has run out", {"account": {"status": "LOCKED", "unlockAt": PAST.isoformat()}}, OK, WORKING, NO,
        "Locked", "Locked. It should unlock any moment now.", ("user.unlock",),
    ),
    (
        "not verified", {"lifecycle": {"status": "VERIFICATION_REQUIRED"}}, OK, WORKING, NO, "Not verified",
        "Not verified. They cannot sign in until they enter the code that PingOne emailed them.", (),
    ),
    (
        "password locked until", {}, password("PASSWORD_LOCKED_OUT", SOON), UNREAD, NO, "Password locked",
        "Password locked after too many wrong passwords. It unlocks in 12 minutes, at 14:05.",
        ("password.unlock", "password.set-temporary"),
    ),
    (
        "password locked", {}, password("PASSWORD_LOCKED_OUT"), WORKING, NO, "Password locked",
        "Password locked after too many wrong passwords. It stays locked until someone unlocks it.",
        ("password.unlock", "password.set-temporary"),
    ),
    (
        "password locked, as listed", LISTED, UNREAD, UNREAD, NO, "Password locked",
        "Password locked after too many wrong passwords.", ("password.unlock", "password.set-temporary"),
    ),
    (
        "account and password locked", LOCKED_UNTIL, password("PASSWORD_LOCKED_OUT"), WORKING, NO, "Locked",
        "Locked. It unlocks in 12 minutes, at 14:05.", ("user.unlock", "password.unlock", "password.set-temporary"),
    ),
    (
        "no password", {}, password("NO_PASSWORD"), WORKING, NO, "No password",
        "They have no password.", ("password.set-temporary",),
    ),
    (
        "password expired", {}, password("PASSWORD_EXPIRED"), WORKING, YES, "Password expired",
        "They can sign in. The password expired: they have to choose a new one when they sign in.",
        ("password.send-recovery-code", "password.set-temporary"),
    ),
    (
        "password expired, MFA unread", {}, password("PASSWORD_EXPIRED"), UNREAD, UNKNOWN, "Password expired",
        "The password expired: they have to choose a new one when they sign in. MFA not read yet.",
        ("password.send-recovery-code", "password.set-temporary"),
    ),
    (
        "nowhere to send a code", {"email": ""}, password("PASSWORD_EXPIRED"), WORKING, YES, "Password expired",
        "They can sign in. The password expired: they have to choose a new one when they sign in.",
        ("password.set-temporary",),
    ),
    (
        "must change the password", {}, password("MUST_CHANGE_PASSWORD"), WORKING, YES, "Must change password",
        "They can sign in. They have to choose a new password when they sign in.",
        ("password.send-recovery-code", "password.set-temporary"),
    ),
    (
        "a password elsewhere", {}, password("EXTERNAL"), WORKING, UNKNOWN, "Active",
        "Their password is in another directory. Check it there.", (),
    ),
    (
        "a password in a new state", {}, password("NEW"), WORKING, UNKNOWN, "Active",
        "PingOne does not say whether the password works.", (),
    ),
    (
        "a password without a state", {}, password(""), WORKING, UNKNOWN, "Active",
        "PingOne does not say whether the password works.", (),
    ),
    (
        "MFA locked", {}, OK, mfa(LOCKED_DEVICE, NOT_ACTIVATED), NO, "MFA locked",
        "MFA locked. No device works, and at least one is locked after failed attempts.",
        ("device.unlock", "mfa.bypass"),
    ),
    ("one of two devices locked", {}, OK, mfa(LOCKED_DEVICE, device()), YES, "Active", "They can sign in.", ()),
    (
        "no device", {}, OK, mfa(), NO, "No MFA device",
        "MFA is on, but they have no device for it. They cannot sign in where MFA is required.",
        ("mfa.bypass", "mfa.disable"),
    ),
    (
        "no device that works", {}, OK, mfa(BLOCKED, NOT_ACTIVATED), NO, "No working MFA device",
        "MFA is on, but no device works: each is blocked or was never activated.", ("mfa.bypass", "mfa.disable"),
    ),
    ("no device, but no MFA", {"mfaEnabled": False}, OK, mfa(), YES, "Active", "They can sign in.", ()),
    (
        "a bypass instead of a device", {}, OK, mfa(LOCKED_DEVICE, until=LATER), YES, "Active",
        "They can sign in. MFA bypass is running: they need no second factor. It ends in about 3 hours, at 17:00.", (),
    ),
    (
        "a bypass that is over", {}, OK, mfa(until=PAST), NO, "No MFA device",
        "MFA is on, but they have no device for it. They cannot sign in where MFA is required.",
        ("mfa.bypass", "mfa.disable"),
    ),
    (
        "no device and an unread bypass", {}, OK, MfaState(devices=(), bypass=None), UNKNOWN, "Active",
        "No MFA device works, and the MFA bypass could not be read.", ("mfa.bypass",),
    ),
    (
        "a device and an unread bypass", {}, OK, MfaState(devices=(device(),), bypass=None), YES, "Active",
        "They can sign in.", (),
    ),
    (
        "another provider", {"identityProvider": {"type": "SAML"}}, password("NO_PASSWORD"), WORKING, UNKNOWN,
        "Active", "They sign in through SAML. Check the password there.", (),
    ),
    (
        "another provider, unread", {"identityProvider": {"type": "SAML"}}, UNREAD, UNREAD, UNKNOWN, "Active",
        "They sign in through SAML. Check the password there. MFA not read yet.", (),
    ),
    (
        "enabled is null", {"enabled": None}, OK, WORKING, UNKNOWN, "Unknown",
        "PingOne does not say whether they are deactivated.", (),
    ),
    (
        "a lock is null", {"account": None}, OK, WORKING, UNKNOWN, "Unknown",
        "PingOne does not say whether the account is locked.", (),
    ),
    (
        "a lifecycle is new", {"lifecycle": {"status": "NEW"}}, OK, WORKING, UNKNOWN, "Unknown",
        "PingOne does not say whether the account is verified.", (),
    ),
    (
        "MFA is null", {"mfaEnabled": None}, OK, WORKING, UNKNOWN, "Active",
        "PingOne does not say whether MFA is on.", (),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "read_password", "read_mfa", "expected"),
    [pytest.param(*row[1:4], row[4:], id=row[0]) for row in TABLE],
)
def test_verdict_is_as_in_the_table(changes, read_password, read_mfa, expected):
    verdict = of(changes, read_password, read_mfa)

    assert (verdict.answer, verdict.word, verdict.sentence, verdict.helps) == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_every_case_decides_a_row_of_the_table(monkeypatch, case):
    monkeypatch.setattr(standing, "CASES", tuple(other for other in CASES if other is not case))

    def told(row: Any) -> Any:
        try:
            verdict = of(*row[1:4])
            sentence = verdict.sentence
        except StopIteration:  # no case matches
            return None
        return (verdict.answer, verdict.word, sentence, verdict.helps)

    assert [row[0] for row in TABLE if told(row) != row[4:]]


def test_suggested_actions_are_in_the_catalogue():
    assert {key for case in CASES for key in case.helps} <= BY_KEY.keys()


USERS = [*product((True, False, None), ("OK", "LOCKED", None), ("ACCOUNT_OK", "VERIFICATION_REQUIRED", None))]
PASSWORDS: tuple[PasswordState | Gap, ...] = (
    *map(password, ("OK", "NO_PASSWORD", "PASSWORD_EXPIRED", "PASSWORD_LOCKED_OUT", "MUST_CHANGE_PASSWORD", "NEW")),
    UNREAD,
    FAILED,
)
MFAS: tuple[MfaState | Gap, ...] = (
    WORKING,
    mfa(),
    mfa(LOCKED_DEVICE),
    mfa(BLOCKED, until=LATER),
    MfaState(devices=(), bypass=None),
    UNREAD,
)


@pytest.mark.parametrize(("enabled", "lock", "lifecycle"), USERS)
def test_verdict_never_claims_more_than_is_known(enabled, lock, lifecycle):
    kept_out = {str(case.word) for case in CASES if case.answer is NO}
    for on, provider in product((True, False, None), ("PING_ONE", "SAML")):
        user = user_with(
            {
                "enabled": enabled,
                "account": {"status": lock},
                "lifecycle": {"status": lifecycle},
                "mfaEnabled": on,
                "identityProvider": {"type": provider},
            }
        )
        sure = enabled and lock == "OK" and lifecycle == "ACCOUNT_OK" and on is not None and provider == "PING_ONE"
        for read_password, read_mfa in product(PASSWORDS, MFAS):
            verdict = standing_of(Known(user=user, password=read_password, mfa=read_mfa, now=NOW))
            word, sentence = str(verdict.word), str(verdict.sentence)
            assert (verdict.answer is NO) == (word in kept_out)
            if verdict.answer is YES:
                assert sure
                assert isinstance(read_password, PasswordState)
                assert isinstance(read_mfa, MfaState) or not on
            if enabled is False or lock == "LOCKED":
                assert verdict.answer is NO
            assert sentence.endswith(".")
            assert sentence not in [str(fact) for fact in verdict.facts]
            assert verdict.is_active == (word == "Active")


def test_verdict_lists_further_facts_and_can_be_copied():
    verdict = of({"enabled": False, **LOCKED_UNTIL}, OK, mfa(LOCKED_DEVICE, device()))

    assert verdict.facts == (
        "Locked. It unlocks in 12 minutes, at 14:05.",
        "The password works.",
        "MFA is on, with 1 working device.",
    )
    assert str(verdict.text).splitlines() == [verdict.sentence, *verdict.facts]


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 27, 13, 53, 20, tzinfo=UTC), "in 1 minute, at 13:53"),
        (datetime(2026, 11, 27, 14, 52, tzinfo=UTC), "in 59 minutes, at 14:52"),
        (datetime(2026, 11, 27, 14, 53, tzinfo=UTC), "in about 1 hour, at 14:53"),
        (datetime(2026, 11, 27, 23, 30, tzinfo=UTC), "in about 10 hours, at 23:30"),
        (datetime(2026, 11, 28, 9, 30, tzinfo=UTC), "tomorrow at 09:30"),
        (datetime(2031, 1, 3, 9, 30, tzinfo=UTC), "on 3 Jan 2031 at 09:30"),
    ],
)
def test_times_are_shown_in_words(at, said):
    assert time_in_words(at, NOW) == said
