"""A device in addition to the mailbox: which ones count, what their codes do, and nothing without one."""

from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from console.audit.entries import Circumstances
from console.models import AuditEntry, Organization, RecoveryAttempt, RecoveryPolicy
from console.perform.run import run
from console.recovery import attempts, devices, operations, throttle
from console.recovery.themself import ThemselfAccess
from pingone_integration.values import pingone_time
from tests.support.answers import ADA
from tests.support.performing import refused
from tests.support.recovering import DEVICE_CODE, LONG_AGO, NEW_PASSWORD, PersonAtPages, device

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

Step, Stop = RecoveryAttempt.Step, RecoveryAttempt.Stop


@pytest.fixture(autouse=True)
def _demanded(person: PersonAtPages, environment: Any) -> None:
    RecoveryPolicy.objects.update(demands_device=True)
    environment.devices = [device()]


def test_code_of_a_device_is_asked_for_after_that_of_the_mailbox(person, environment):
    person.prove()
    page = person.see()
    assert "Confirm with a device" in page
    assert "Text message to the number ending in 67" in page
    assert "701234567" not in page
    assert environment.asked_devices == []  # nothing is sent by looking

    person.ask_device()
    assert "The code is on its way." in person.see()
    assert environment.asked_devices == [str(UUID(int=0xD01))]
    person.post("device/code", code=f" {DEVICE_CODE[:3]} {DEVICE_CODE[3:]}")
    person.choose_password()

    assert "Your new password is set." in person.see()
    assert environment.set_passwords[0]["value"] == NEW_PASSWORD
    assert AuditEntry.objects.filter(action="recovery.device-proven", actor="user", subject_id=str(ADA)).exists()
    entry = AuditEntry.objects.filter(action="password.set-own", outcome="succeeded").get()
    assert entry.inputs["proof"] == "code by email, and a device"


@pytest.mark.parametrize("status", ["NO_PASSWORD", "", "SOMETHING_NEW"])
def test_without_a_password_that_works_a_device_is_always_asked_for(person, environment, status):
    RecoveryPolicy.objects.update(demands_device=False)
    environment.passwords[ADA] = {"status": status}
    person.prove()

    assert person.attempt.step == Step.DEVICE
    person.ask_device()
    person.post("device/code", code=DEVICE_CODE)
    assert "Unlock only" not in person.see()
    person.choose_password()
    assert person.attempt.step == Step.DONE


@pytest.mark.parametrize("status", ["OK", "PASSWORD_EXPIRED", "PASSWORD_LOCKED_OUT", "MUST_CHANGE_PASSWORD"])
def test_with_a_password_the_population_decides(person, environment, status):
    RecoveryPolicy.objects.update(demands_device=False)
    environment.passwords[ADA] = {"status": status, "lastChangedAt": LONG_AGO}
    person.prove()

    assert person.attempt.step == Step.PROVEN


NOT_COUNTED = {
    "an email address": device("EMAIL", email="ada@private.test", phone=None),
    "a text message to a mailbox": device("SMS", phone="46701234567@sms.acme.test"),
    "a push": device("MOBILE"),
    "a passkey": device("FIDO2"),
    "a security key": device("SECURITY_KEY"),
    "a new kind": device("TELEPATHY"),
    "never activated": device(status="ACTIVATION_REQUIRED"),
    "blocked": device(block={"status": "BLOCKED"}),
    "locked": device(lock={"status": "LOCKED"}),
    "paired an hour ago": device(createdAt=pingone_time(timezone.now() - timedelta(hours=1))),
    "paired nobody knows when": device(createdAt=None),
}


@pytest.mark.parametrize("kind", NOT_COUNTED)
def test_device_that_proves_nothing_more_is_not_offered(person, environment, kind):
    environment.devices = [NOT_COUNTED[kind] | {"id": str(UUID(int=0xD02))}]
    person.prove()
    first = person.attempt
    page = person.see()

    assert "Call the helpdesk" in page
    assert first.reference in page
    assert person.attempt.stop == Stop.NEEDS_DEVICE
    assert "Call the helpdesk" in person.see()  # and again after a reload
    person.ask_device(2)
    person.choose_password()
    assert environment.asked_devices == []
    assert environment.operations == []


@pytest.mark.parametrize("kind", ["SMS", "VOICE", "WHATSAPP", "TOTP", "OATH_TOKEN"])
@pytest.mark.parametrize("minds", [True, False])
def test_device_with_a_passcode_counts_whether_or_not_pingone_minds_the_name(person, environment, kind, minds):
    environment.devices, environment.minds_device = [device(kind)], minds
    person.prove()
    person.ask_device()
    assert ("Enter the code that it shows now." in person.see()) == (kind in {"TOTP", "OATH_TOKEN"})
    person.post("device/code", code=DEVICE_CODE)

    assert person.attempt.step == Step.PROVEN


def test_devices_that_look_alike_have_their_nickname(person, environment):
    environment.devices = [device("TOTP", 1, nickname="Old <i>"), device("TOTP", 2, nickname="New"), device("SMS", 3)]
    person.prove()

    page = person.see()
    assert "<bdi>Old &lt;i&gt;</bdi>" in page
    assert "<bdi>New</bdi>" in page


@pytest.mark.parametrize(
    "answer",
    [{}, {"status": "FAILED"}, {"status": "OTP_REQUIRED"}, {"status": "PUSH_CONFIRMATION_TIMED_OUT"}, {"status": None}],
)
def test_anything_but_a_clear_success_proves_nothing(person, environment, answer):
    environment.answers_check = answer
    person.prove()
    person.ask_device()
    response = person.post("device/code", code=DEVICE_CODE)

    assert response.status_code == 422
    assert person.attempt.step == Step.DEVICE


def test_wrong_codes_count_here_before_pingone_sees_them(person, environment):
    person.prove()
    person.ask_device()
    answers = [person.post("device/code", code="000000") for _ in range(5)]

    assert environment.checked_codes == ["000000"] * 3
    assert "This code is not right" in answers[0].content.decode()
    assert "Too many wrong codes of a device" in answers[2].content.decode()
    assert person.attempt.stop == Stop.DEVICE_CODES
    other = PersonAtPages(network="203.0.113.9")
    other.prove()
    other.ask_device()
    assert "Too many wrong codes of a device" in other.see()
    assert environment.asked_devices == [str(UUID(int=0xD01))]

    throttle.release(person.attempt.organization_id, ADA, frozenset())
    again = PersonAtPages(network="203.0.114.9")
    again.prove()
    again.ask_device()
    again.post("device/code", code=DEVICE_CODE)
    assert again.attempt.step == Step.PROVEN


def test_parallel_wrong_codes_of_a_device_are_three(person, environment):
    person.prove()
    person.ask_device()
    attempt = person.attempt

    def guess() -> None:
        devices.check(attempt, "000000")
        connection.close()

    threads = [Thread(target=guess) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(environment.checked_codes) == 3


def test_right_code_is_not_counted(person, environment):
    for host in range(4):
        once = PersonAtPages(network=f"203.0.{host}.9")
        once.prove()
        once.ask_device()
        once.post("device/code", code=DEVICE_CODE)
        assert once.attempt.step == Step.PROVEN


def test_device_is_asked_for_a_code_a_few_times_a_day(person, environment):
    person.prove()
    answers = [person.ask_device() for _ in range(throttle.DEVICE_ASKED.most + 1)]

    assert len(environment.asked_devices) == throttle.DEVICE_ASKED.most
    assert "This device cannot be asked for a code now." in answers[-1].content.decode()


def test_device_can_be_chosen_anew(person, environment):
    environment.devices = [device(), device("TOTP", 2)]
    person.prove()
    person.ask_device()
    person.post("device")
    assert "Confirm with a device" in person.see()
    person.ask_device(2)
    person.post("device/code", code=DEVICE_CODE)

    assert person.attempt.device_id == UUID(int=0xD02)
    assert person.attempt.step == Step.PROVEN


def test_device_demanded_since_the_code_ends_the_attempt(person, environment):
    RecoveryPolicy.objects.update(demands_device=False)
    person.prove()
    RecoveryPolicy.objects.update(demands_device=True)
    person.choose_password()

    assert environment.operations == []
    assert person.attempt.stop == Stop.CHANGED


def test_joined_attempt_asks_for_the_device_too(person, environment):
    person.start()
    again = PersonAtPages()
    again.start()
    again.post("code", code=person.code())

    assert again.attempt.step == Step.DEVICE


def test_database_refuses_a_proof_without_the_device(person, environment):
    person.prove()
    for step in (Step.PROVEN, Step.ACTING, Step.DONE):
        with pytest.raises(IntegrityError):
            RecoveryAttempt.objects.update(step=step)


def test_perform_itself_refuses_once_a_device_is_demanded(person, environment):
    RecoveryPolicy.objects.update(demands_device=False)
    person.prove()
    attempts.choose(person.attempt, "password")
    assert attempts.claim(person.attempt, "password", password_was_locked=True)
    RecoveryPolicy.objects.update(demands_device=True)

    result = run(ThemselfAccess(person.attempt), operations.set_password(person.attempt, NEW_PASSWORD), Circumstances())

    assert refused(result).reason == str(operations.CHANGED)
    assert environment.operations == []


def test_lock_down_asks_no_device(acme: Organization, person, environment):
    person.prove()
    Organization.objects.update(locked_down_at=timezone.now(), lock_down_reason="Intruder")
    person.ask_device()

    assert environment.asked_devices == []


@pytest.mark.parametrize("change", ["the proof is late", "the password changed"])
def test_device_is_not_asked_once_the_mailbox_proves_nothing(person, environment, change):
    person.prove()
    if "late" in change:
        RecoveryAttempt.objects.update(proven_at=timezone.now() - attempts.PROOF_LASTS)
    else:
        environment.password_of(ADA)["lastChangedAt"] = "2026-11-28T00:00:00.000Z"
    person.ask_device()
    person.post("device/code", code=DEVICE_CODE)

    assert environment.asked_devices == []
    assert "This recovery is over" in person.see()


@pytest.mark.parametrize("status", [403, 503])
def test_page_tells_that_devices_cannot_be_asked_now(person, environment, status):
    person.prove()
    environment.status["/devices"] = status
    assert "nothing was changed" in person.see()
    assert person.attempt.step == Step.DEVICE
