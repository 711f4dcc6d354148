"""PingOne's own code, for servers without mail: one form, relayed by the worker, and the same for everybody."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.audit.entries import Circumstances
from console.models import AuditEntry, Organization, RecoveryAttempt, RecoveryPolicy, RecoverySettings
from console.perform.run import run
from console.recovery import attempts, codes, look_up, operations, throttle
from console.recovery.themself import RelayAccess
from tests.support.answers import ADA, BO, ada
from tests.support.outbox import sent_emails
from tests.support.recovering import LONG_AGO, NEW_PASSWORD, PINGONE_CODE, PersonAtPages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

Step, Stop = RecoveryAttempt.Step, RecoveryAttempt.Stop
NOT_RIGHT = "This did not work"


@pytest.fixture(autouse=True)
def _by_pingone(acme: Organization, person: PersonAtPages, environment: Any) -> None:
    RecoverySettings.objects.create(organization=acme, uses_pingone_code=True)
    environment.passwords[ADA] = {"status": "OK", "lastChangedAt": LONG_AGO}


def test_code_and_new_password_in_one_form_are_relayed_by_the_worker(person, environment):
    person.start()
    assert environment.codes_sent == 1
    assert sent_emails() == []
    page = person.see()
    assert "Enter the code and a new password" in page
    before = len(environment.requests)
    assert person.answer(worker=False).status_code == 302
    assert len(environment.requests) == before  # the page calls nobody
    row = RecoveryAttempt.objects.values().get()
    assert NEW_PASSWORD not in str(row)
    assert PINGONE_CODE not in str(row)
    assert "Trying the code" in person.see()
    look_up.run_due()
    assert "Trying the code" in person.see()  # for as long as for everybody
    RecoveryAttempt.objects.update(answered_at=timezone.now() - attempts.SHOWN_AFTER)

    assert "Your new password is set." in person.see()
    assert person.attempt.sealed_answer == ""
    assert environment.checked_codes == [PINGONE_CODE]
    assert environment.set_passwords == [{"value": NEW_PASSWORD}]
    assert environment.sessions == []
    entry = AuditEntry.objects.get(action="password.recover-own", outcome="succeeded")
    assert (entry.actor, entry.subject_id, entry.inputs["proof"]) == ("user", str(ADA), "PingOne's code by email")
    assert NEW_PASSWORD not in str(list(AuditEntry.objects.values()))
    assert PINGONE_CODE not in str(list(AuditEntry.objects.values()))
    [told] = sent_emails()
    assert "password" in told.subject.lower()


def made_protected(environment: Any) -> None:
    environment.roles.add(ADA)


WHO = {  # what is typed, what is true, why it stops
    "known": ("ada.berg", lambda _environment: None, ""),
    "unknown": ("no.body", lambda _environment: None, Stop.UNKNOWN),
    "unreadable": ("a" * 321, lambda _environment: None, Stop.INVALID),
    "protected": ("ada.berg", made_protected, Stop.PROTECTED),
    "with a locked password": (
        "ada.berg",
        lambda environment: environment.passwords[ADA].update(status="PASSWORD_LOCKED_OUT"),
        Stop.LOCKED,
    ),
    "with a locked account": ("ada.berg", lambda environment: environment.locks_account(), Stop.LOCKED),
    "without a password": (
        "ada.berg",
        lambda environment: environment.passwords.update({ADA: {"status": "NO_PASSWORD"}}),
        Stop.NEEDS_DEVICE,
    ),
    "where a device is asked for": (
        "ada.berg",
        lambda _environment: RecoveryPolicy.objects.update(demands_device=True),
        Stop.NEEDS_DEVICE,
    ),
    "with a private address": (
        "ada.berg",
        lambda environment: (
            RecoveryPolicy.objects.update(proof_attribute="private"),
            environment.users.update({ADA: ada(private="ada@private.test")}),
        ),
        Stop.NO_ADDRESS,
    ),
    "external": (
        "ada.berg",
        lambda environment: environment.users.update({ADA: ada(identityProvider={"id": str(BO), "type": "GOOGLE"})}),
        Stop.ELSEWHERE,
    ),
}


@pytest.mark.parametrize("who", WHO)
def test_everybody_sees_the_same_pages_at_the_same_cost(person, environment, who):
    typed, made, stop = WHO[who]
    made(environment)
    seen = []
    counts = []
    for text in (typed, "no.body.else"):
        one = PersonAtPages(network="192.0.2.7" if text == typed else "203.0.113.9")
        one.start(text)
        pages = [one.see()]
        with CaptureQueriesContext(connection) as queries:
            answer = one.answer("WRONG-123", worker=False)
        counts.append(len(queries))
        pages.append(f"{answer.status_code} {answer['Location']}")
        pages.append(one.see())
        look_up.run_due()
        pages.append(one.see())
        reference = RecoveryAttempt.objects.order_by("-started_at")[0].reference
        RecoveryAttempt.objects.update(answered_at=timezone.now() - attempts.SHOWN_AFTER)
        pages.append(one.see())
        assert NOT_RIGHT in pages[-1]
        seen.append([_plain(page).replace(reference, "") for page in pages])

    assert seen[0] == seen[1]
    assert counts[0] == counts[1]
    assert RecoveryAttempt.objects.get(network="192.0.2.0/24").stop == stop
    assert environment.checked_codes == (["WRONG-123"] if stop == "" else [])
    assert environment.codes_sent == (1 if stop == "" else 0)


def _plain(page: str) -> str:
    """Return the page without the tokens that differ in every answer."""
    return re.sub(r"[\w+/=-]{20,}", "", page)


def test_wrong_codes_of_a_person_are_three_a_day_over_all_attempts(person, environment):
    for host in range(3):
        once = PersonAtPages(network=f"203.0.{host}.9")
        once.start()
        for guess in range(2):
            once.answer(f"WRONG{guess}")

    assert len(environment.checked_codes) == 3
    person.start()
    person.answer()
    assert NOT_RIGHT in person.see()
    assert environment.set_passwords == []

    throttle.release(person.attempt.organization_id, ADA, frozenset())
    person.answer()
    assert "Your new password is set." in person.see()


def test_right_code_with_a_refused_password_is_not_counted(person, environment):
    environment.refuses_password = {}
    person.start()
    for _ in range(4):
        person.answer()
    assert len(environment.checked_codes) == 4
    environment.refuses_password = None
    person.answer()

    assert "Your new password is set." in person.see()


@pytest.mark.parametrize("change", ["locked", "account", "address", "protected", "off"])
def test_answer_is_not_relayed_once_something_has_changed(person, environment, change):
    person.start()
    if change == "locked":
        environment.passwords[ADA]["status"] = "PASSWORD_LOCKED_OUT"
    if change == "account":
        environment.locks_account()
    if change == "address":
        environment.users[ADA] = ada(email="thief@mail.test")
    if change == "protected":
        environment.roles.add(ADA)
    if change == "off":
        RecoveryPolicy.objects.update(is_on=False)
    person.answer()

    assert environment.checked_codes == []
    assert environment.set_passwords == []


def test_answer_that_comes_before_the_look_up_waits_for_it(person, environment):
    person.start(worker=False)
    person.answer()

    assert environment.codes_sent == 1
    assert environment.checked_codes == [PINGONE_CODE]  # of an earlier code, say
    assert "Your new password is set." in person.see()


def test_tries_of_one_attempt_are_five_and_its_code_lasts_five_minutes(person, environment):
    person.start("no.body")
    for _ in range(6):
        person.answer("WRONG")
    assert person.attempt.tries == 5
    assert "This code is over" in person.see()
    once = PersonAtPages(network="203.0.113.9")
    once.start()
    expires_at = once.attempt.code_expires_at
    assert expires_at
    assert expires_at - timezone.now() < timedelta(minutes=5, seconds=30)


def test_second_answer_waits_for_the_first(person, environment):
    person.start()
    person.answer(worker=False)
    person.answer("WRONG", worker=False)
    look_up.run_due()

    assert environment.checked_codes == [PINGONE_CODE]


def test_code_of_ours_proves_nothing_here(person, environment):
    person.start()
    person.post("code", code=codes.code_of(person.attempt))
    assert not codes.check(person.attempt, codes.code_of(person.attempt))

    assert person.attempt.step == Step.CODE


def test_send_again_lets_pingone_send_another_code(person, environment):
    person.start()
    RecoveryAttempt.objects.update(asked_at=timezone.now() - timedelta(seconds=61))
    person.post("code/again")
    look_up.run_due()

    assert environment.codes_sent == 2


def test_relay_reaches_one_user_and_one_action_while_an_answer_waits(person, environment):
    person.start()
    operation = operations.recover(person.attempt, PINGONE_CODE, NEW_PASSWORD)
    with pytest.raises(PermissionDenied):
        run(RelayAccess(person.attempt), operation, Circumstances())
    person.answer(worker=False)
    access = RelayAccess(person.attempt)
    for other in (
        operations.set_password(person.attempt, NEW_PASSWORD),
        operations.OwnOperation(action=operations.RECOVER, user_id=BO, inputs={}, attempt=person.attempt),
        operations.OwnOperation(action=operations.RECOVER, user_id=uuid4(), inputs={}, attempt=person.attempt),
    ):
        with pytest.raises(PermissionDenied):
            run(access, other, Circumstances())
    assert environment.operations == ["password.sendRecoveryCode+json"]


def test_wrong_passwords_are_told_before_anything_is_relayed(person, environment):
    person.start()
    response = person.post("answer", code=PINGONE_CODE, new_password="one", again="other")

    assert "The two passwords are different." in response.content.decode()
    assert person.attempt.sealed_answer == ""
