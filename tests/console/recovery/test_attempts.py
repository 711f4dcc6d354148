"""The attempt as a state machine: its code, its steps, and what ends it."""

from datetime import timedelta
from threading import Thread
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.models import Organization, OutgoingEmail, RecoveryAttempt, RecoveryPolicy, WorkerProcess
from console.perform.run import run
from console.recovery import attempts, codes, look_up, operations, throttle
from console.recovery.themself import ACTIONS, ThemselfAccess
from tests.support.answers import ADA, BO, ada, bo
from tests.support.outbox import sent_emails
from tests.support.performing import refused
from tests.support.recovering import NEW_PASSWORD, PersonAtPages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

Step, Stop = RecoveryAttempt.Step, RecoveryAttempt.Stop


def later(**by: float) -> None:
    """Let time pass for all attempts and emails."""
    for row in RecoveryAttempt.objects.all():
        for name in ("started_at", "asked_at", "code_expires_at", "proven_at", "looked_at", "ended_at", "wanted_at"):
            if value := getattr(row, name):
                setattr(row, name, value - timedelta(**by))
        row.save()


def test_code_is_eight_letters_without_look_alikes_and_each_attempt_has_its_own() -> None:
    found = {codes.code_of(RecoveryAttempt()) for _ in range(200)}

    assert len(found) == 200
    assert {len(code) for code in found} == {9}
    assert set("".join(found)) <= set(codes.LETTERS) | {"-"}
    assert set("01OIL").isdisjoint(codes.LETTERS)


@pytest.mark.parametrize(
    "written", [str, str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\u2009"]
)
def test_code_is_right_in_any_case_with_spaces_and_dashes(person, environment, written):
    person.start()

    assert person.post("code", code=written(person.code())).status_code == 302
    assert person.attempt.step == Step.PROVEN
    assert person.attempt.user_id == ADA


def test_code_is_over_after_five_tries_even_the_right_one(person, environment):
    person.start()
    for _ in range(5):
        assert person.post("code", code="AAAA-AAAA").status_code == 422

    assert person.post("code", code=person.code()).status_code == 422
    assert person.attempt.step == Step.CODE
    assert "This code is over" in person.see()


def test_code_is_over_after_ten_minutes(person, environment):
    """From the half minute in which it was sent."""
    person.start()
    later(minutes=10)
    assert "This code is over" not in person.see()
    later(seconds=30)

    person.post("code", code=person.code())
    assert person.attempt.step == Step.CODE
    assert "This code is over" in person.see()


@pytest.mark.parametrize("seen_by", ["ada.berg", "no.body"])
def test_decoy_ends_as_a_code_does(person, environment, seen_by):
    person.start(seen_by)
    answers = [person.post("code", code=f"AAAA-AAA{number}") for number in range(2, 9)]

    assert [answer.status_code for answer in answers] == [422] * 7
    assert "This code is over" in answers[-1].content.decode()


def test_code_of_a_decoy_proves_nothing(person, environment):
    person.start("no.body")

    assert not codes.check(person.attempt, codes.code_of(person.attempt))
    assert person.attempt.user_id is None


def test_parallel_wrong_codes_are_five_tries(person, environment):
    person.start()
    attempt, compared = person.attempt, []

    def guess() -> None:
        codes.check(attempt, "AAAA-AAAA")
        compared.append(1)
        connection.close()

    threads = [Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(compared) == 8
    assert person.attempt.tries == 5


def test_send_again_mails_the_same_code_after_a_minute_twice(person, environment):
    person.start()
    first = person.code()
    for passed, mails in ((0, 1), (61, 2), (61, 3), (61, 3)):
        later(seconds=passed)
        person.post("code/again")
        look_up.run_due()
        assert len(sent_emails()) == mails
    assert person.code() == first
    assert "Send again" not in person.see()
    person.post("code", code=first)
    assert person.attempt.step == Step.PROVEN


def test_later_attempt_voids_no_earlier_one_until_a_code_is_used(person, environment):
    person.start()
    first = person.code()
    other = PersonAtPages(network="203.0.113.9")
    other.start()
    second = other.code()
    assert second != first

    person.post("code", code=first)
    other.post("code", code=second)

    stops = dict(RecoveryAttempt.objects.values_list("network", "stop"))
    assert stops == {"198.51.100.0/24": "", "203.0.113.0/24": Stop.SUPERSEDED}
    assert "This recovery is over" in other.see()


def test_equal_attempts_of_one_browser_share_one_mail(person, environment):
    person.start()
    again = PersonAtPages()
    again.start()

    assert len(sent_emails()) == 1
    again.post("code", code=person.code())
    assert again.attempt.step == Step.PROVEN


def test_closed_tab_resumes_at_the_code_and_at_the_choice(person, environment):
    person.start()
    assert "Enter the code" in person.see()
    person.post("code", code=person.code())

    assert "What do you need?" in person.see()
    person.post("choice", choice="password")
    assert "New password once more" in person.see()


def test_another_way_starts_anew(person, environment):
    person.start()
    person.post("restart")

    assert "Username or email address" in person.see()
    assert person.attempt.stop == Stop.RESTARTED


CHANGES = {
    "address": lambda environment: environment.users.update({ADA: ada(email="new@acme.test")}),
    "population": lambda environment: environment.users.update(
        {ADA: ada(population={"id": str(uuid4())}, _embedded={})}
    ),
    "deactivated": lambda environment: environment.users.update({ADA: ada(enabled=False)}),
    "password": lambda environment: environment.password_of(ADA).update(lastChangedAt="2026-11-28T00:00:00.000Z"),
    "deleted": lambda environment: environment.users.pop(ADA),
    "recovery off": lambda _environment: RecoveryPolicy.objects.update(is_on=False),
    "lock down": lambda _environment: Organization.objects.update(locked_down_at=timezone.now()),
    "administrator": lambda environment: environment.roles.add(ADA),
    "another provider": lambda environment: environment.users.update(
        {ADA: ada(identityProvider={"id": str(BO), "type": "GOOGLE"})}
    ),
    "a device demanded": lambda _environment: RecoveryPolicy.objects.update(demands_device=True),
    "another attribute": lambda _environment: RecoveryPolicy.objects.update(proof_attribute="privateEmail"),
    "no longer verified": lambda environment: environment.users.update({ADA: ada(emailVerified=False)}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("step", ["before the code", "before the choice", "before the password"])
def test_code_dies_when_the_account_changes(person, environment, change, step):
    person.start()
    code = person.code()
    if step == "before the code":
        CHANGES[change](environment)
    person.post("code", code=code)
    if step == "before the choice":
        CHANGES[change](environment)
    person.post("choice", choice="password")
    if step == "before the password":
        CHANGES[change](environment)
    person.post("password", new_password=NEW_PASSWORD, again=NEW_PASSWORD)

    assert environment.operations == []
    assert person.attempt.done == []


def test_perform_itself_refuses_once_the_account_has_changed(person, environment):
    """Not only the page looks: between its look and the work, something may change."""
    person.prove()
    attempts.choose(person.attempt, "password")
    assert attempts.claim(person.attempt, "password", password_was_locked=True)
    environment.users[ADA] = ada(email="new@acme.test")

    result = run(ThemselfAccess(person.attempt), operations.set_password(person.attempt, NEW_PASSWORD), Circumstances())

    assert refused(result).reason == str(operations.CHANGED)
    assert environment.operations == []


def test_access_of_a_user_reaches_nobody_else_and_nothing_else(person, environment):
    environment.users[BO] = bo()
    person.prove()
    attempts.choose(person.attempt, "password")
    attempts.claim(person.attempt, "password", password_was_locked=True)
    access = ThemselfAccess(person.attempt)

    def own(key: str, user_id: UUID) -> operations.OwnOperation:
        return operations.OwnOperation(
            action=BY_KEY.get(key, operations.SET_PASSWORD), user_id=user_id, inputs={}, attempt=person.attempt
        )

    others = [own(key, BO) for key in ACTIONS] + [own(key, ADA) for key in BY_KEY if key not in ACTIONS]
    for operation in others:
        with pytest.raises(PermissionDenied):
            run(access, operation, Circumstances())
    assert environment.operations == []


@pytest.mark.parametrize("step", [step for step in Step if step != Step.ACTING])
def test_access_of_a_user_ends_with_the_work(person, environment, step):
    person.prove()
    RecoveryAttempt.objects.update(step=step, choice="password")

    with pytest.raises(PermissionDenied):
        run(ThemselfAccess(person.attempt), operations.set_password(person.attempt, NEW_PASSWORD), Circumstances())
    assert environment.operations == []


def test_database_refuses_a_proven_user_who_was_sent_no_code(person, environment):
    person.start()

    with pytest.raises(IntegrityError), transaction.atomic():
        RecoveryAttempt.objects.update(user_id=BO)


def test_proof_is_over_after_a_quarter_of_an_hour(person, environment):
    person.prove()
    later(minutes=15)

    person.choose_password()
    assert environment.operations == []
    assert "This recovery is over" in person.see()


def test_work_is_done_once_for_two_requests(person, environment):
    person.prove()
    person.post("choice", choice="password")
    attempt = person.attempt

    assert attempts.claim(attempt, "password", password_was_locked=True)
    assert not attempts.claim(attempt, "password", password_was_locked=True)


def test_page_says_when_no_worker_runs(person, environment):
    WorkerProcess.objects.all().delete()
    person.start("no.body")

    assert "Codes cannot be sent at the moment. Call the helpdesk." in person.see()


def test_worker_drops_what_waited_two_minutes(person, environment):
    person.start(worker=False)
    later(seconds=121)
    look_up.run_due()

    assert person.attempt.stop == Stop.LATE
    assert environment.requests == []


def test_worker_remembers_unknown_names_for_five_minutes(person, environment):
    person.start("no.body")
    asked = len(environment.requests)
    for passed, more in ((240, 0), (61, 1)):
        later(seconds=passed)
        PersonAtPages(network="203.0.113.9").start("no.body")
        assert len(environment.requests) == asked + more


def test_worker_lets_networks_take_turns(person, environment):
    flood = PersonAtPages(network="203.0.113.9")
    for number in range(5):
        flood.start(f"nobody.{number}", worker=False)
    person.start(worker=False)
    answers = iter([False, False, False])  # before the networks, and before each of two
    look_up.run_due(lambda: next(answers, True))

    assert person.attempt.looked_at is not None
    assert RecoveryAttempt.objects.filter(looked_at=None).count() >= 3


def test_worker_tries_again_while_pingone_does_not_answer(person, environment):
    environment.status["/users"] = 500
    person.start()
    assert (person.attempt.state, person.attempt.attempts) == ("waiting", 1)
    environment.status.clear()
    RecoveryAttempt.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    look_up.run_due()

    assert len(sent_emails()) == 1


def test_mail_and_what_the_code_is_checked_against_are_written_together(person, environment, monkeypatch):
    def fails(*args: object, **more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(look_up, "_record", fails)
    with pytest.raises(RuntimeError):
        person.start()
    assert OutgoingEmail.objects.count() == 0
    assert not person.attempt.code_sent


def test_limits_of_one_person_leave_codes_and_other_people_alone(person, environment):
    person.start()
    code = person.code()
    for _ in range(throttle.ASKED.most):
        person.post("start", who="ada.berg")
    look_up.run_due()
    assert person.attempt.stop == Stop.TOO_MANY_ASKED
    assert "Enter the code" in person.see()
    first = RecoveryAttempt.objects.order_by("started_at")[0]

    assert codes.check(first, code)
    assert throttle.release(first.organization_id, ADA, frozenset()) > 0
    person.start()
    assert person.attempt.stop == ""


def test_limit_of_mails_keeps_some_for_networks_that_the_person_knows(acme, person, environment):
    environment.users[ADA] = ada(lastSignOn={"at": "2026-11-20T06:41:12.903Z", "remoteIp": "198.51.100.99"})
    for number in range(12):
        PersonAtPages(network=f"203.0.{number}.9").start()
    assert len(sent_emails()) == throttle.MAILS_TO_UNKNOWN_NETWORKS.most
    person.start()

    assert len(sent_emails()) == throttle.MAILS_TO_UNKNOWN_NETWORKS.most + 1


def test_network_is_answered_429_and_nobody_else(person, environment):
    most = throttle.STARTS_OF_NETWORK.most
    answers = [person.post("start", who=f"nobody.{number}").status_code for number in range(most + 1)]

    assert answers == [302] * most + [429]
    assert PersonAtPages(network="203.0.113.9").post("start", who="ada.berg").status_code == 302
