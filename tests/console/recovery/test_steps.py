"""After the code: what is lifted and what never is, refusals in words, and half results."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.utils import timezone

from console.access import enter_org
from console.audit import entries
from console.models import AuditEntry, Organization, ProtectedMark, RecoveryAttempt, RecoveryPolicy, RecoverySettings
from tests.support.answers import ADA, ada, error
from tests.support.people import make_operator
from tests.support.performing import on_record
from tests.support.recovering import NEW_PASSWORD, PersonAtPages

pytestmark = pytest.mark.django_db(transaction=True)

Step = RecoveryAttempt.Step
UNLOCK_PASSWORD, UNLOCK_ACCOUNT = "password.unlock+json", "account.unlock+json"


def test_unlock_only_changes_no_password_and_ends_no_session(person, environment):
    person.prove()
    person.post("choice", choice="unlock")

    assert environment.operations == [UNLOCK_PASSWORD]
    assert "Your password is unlocked." in person.see()
    assert person.attempt.step == Step.DONE


@pytest.mark.parametrize("ends_sessions", [True, False])
def test_new_password_ends_all_sessions_unless_the_population_says_no(person, environment, ends_sessions):
    RecoveryPolicy.objects.update(ends_sessions=ends_sessions)
    person.prove()
    person.choose_password()

    assert any("/sessions/" in one for one in environment.operations) == ends_sessions


LOCKS = {  # who locked it and how: is the account lock lifted?
    "by wrong passwords": True,
    "by an operator": False,
    "by an operator, until an hour ago": True,
    "by an operator, and unlocked": True,
    "by Call API": False,
    "while the password is not locked": False,
    "where the organization does not allow it": False,
}


def lock(how: str, acme: Organization, environment) -> None:
    environment.locks_account()
    RecoveryPolicy.objects.update(unlocks_account="does not allow" not in how)
    access = enter_org(make_operator("lock@acme.test", acme, "org_admin"), "acme")
    until = timezone.now() + timedelta(hours=-1 if "until an hour ago" in how else 1)
    if "operator" in how:
        on_record(access, "user.lock", "succeeded", before={}, inputs={"until": until})
    if "and unlocked" in how:
        on_record(access, "user.unlock", "succeeded", before={})
    if "Call API" in how:
        media_type = "application/vnd.pingidentity.account.lock+json"
        entries.start(
            acme,
            access.actor,
            "api.call",
            entries.Subject(kind=AuditEntry.Subject.API, name=f"POST users/{ADA}"),
            entry=uuid4(),
            circumstances=entries.Circumstances(),
            inputs={"method": "POST", "path": f"users/{ADA}", "media_type": media_type},
            before=None,
        )
    if "password is not locked" in how:
        environment.passwords[ADA] = {"status": "OK", "lastChangedAt": "2026-05-18T10:00:31.114Z"}


@pytest.mark.parametrize("how", LOCKS)
@pytest.mark.parametrize("choice", ["unlock", "password"])
def test_account_lock_is_lifted_only_if_it_comes_from_wrong_passwords(acme, person, environment, how, choice):
    lock(how, acme, environment)
    person.prove()
    if choice == "password":
        person.choose_password()
    else:
        person.post("choice", choice="unlock")

    assert (UNLOCK_ACCOUNT in environment.operations) == LOCKS[how]
    page = person.see()
    assert ("Your account is still locked." in page) != LOCKS[how]
    assert person.attempt.reference in page


REFUSALS = {
    "Too short": ({"length": {"min": 12}}, "At least 12 characters"),
    "Common": ({"excludesCommonlyUsed": True}, "Not one of the passwords that everybody uses"),
    "Nameless": ({}, "This password breaks a rule of your organization."),
    "History": ({"history": {"count": 5}}, "You have used this password before."),
    "Minimum age": ({"minAgeDays": 1}, "Your password was changed so lately"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_refused_password_names_the_rule_and_changes_nothing(person, environment, refusal):
    environment.refuses_password, words = REFUSALS[refusal]
    person.prove()
    response = person.choose_password()

    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert "Unlock only: I know my password" in page
    assert person.attempt.step == Step.PROVEN
    assert person.attempt.done == []
    environment.refuses_password = None
    person.choose_password("Another-horse-8")
    assert "Your new password is set." in person.see()


def test_half_result_says_what_is_left_with_the_reference_number(person, environment):
    RecoverySettings.objects.create(
        organization=Organization.objects.get(slug="acme"), helpdesk_phone="+46 8 123", sign_in_url="https://acme.test/"
    )
    written = environment._written

    def refuses_unlock(request, path):
        if "password.unlock" in request.headers.get("Content-Type", ""):
            return httpx.Response(400, json=error("REQUEST_FAILED"))
        return written(request, path)

    environment._written = refuses_unlock
    person.prove()
    person.choose_password()

    page = person.see()
    assert "Partly done" in page
    assert "Your new password is set." in page
    assert "Your password is still locked." in page
    assert person.attempt.reference in page
    assert "+46 8 123" in page
    assert 'href="https://acme.test/"' in page


@pytest.mark.parametrize("password", ["{SSHA512}AAAA", "{x}y", "{SHA}\nx"])
def test_encoded_password_never_reaches_pingone(person, environment, password):
    """PingOne would store it as it is: its policy cannot see into it."""
    person.prove()
    assert person.choose_password(password).status_code == 422

    assert environment.operations == []


def test_two_different_passwords_are_told(person, environment):
    person.prove()
    person.post("choice", choice="password")
    response = person.post("password", new_password=NEW_PASSWORD, again="Something-else-7")

    assert "The two passwords are different." in response.content.decode()
    assert environment.operations == []


def test_person_who_became_protected_meanwhile_is_refused_without_the_reason(acme, person, environment):
    person.prove()
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=make_operator("a@acme.test")
    )
    page = person.choose_password().content.decode()

    assert environment.operations == []
    assert "This account cannot be recovered here. Call the helpdesk." in page
    assert "protected" not in page
    assert AuditEntry.objects.filter(action="password.set-own", outcome="refused").exists()


def test_lock_down_stops_the_work_without_its_reason(acme, person, environment):
    person.prove()
    Organization.objects.update(locked_down_at=timezone.now(), lock_down_reason="Intruder in payroll")
    page = person.choose_password().content.decode()

    assert environment.operations == []
    assert "payroll" not in page


@pytest.mark.parametrize(("choice", "most"), [("unlock", 2), ("password", 3)])
def test_recoveries_without_a_sign_in_between_are_few(person, environment, choice, most):
    for number in range(most + 1):
        environment.password_of(ADA)["status"] = "PASSWORD_LOCKED_OUT"
        once = PersonAtPages(network=f"203.0.{number}.9")
        once.start()
        if number < most or choice == "unlock":
            once.post("code", code=once.code())
            once.post("choice", choice=choice)
            once.post("password", new_password=f"{NEW_PASSWORD}{number}", again=f"{NEW_PASSWORD}{number}")
    done = RecoveryAttempt.objects.filter(step=Step.DONE)
    assert done.count() == most

    environment.users[ADA] = ada(lastSignOn={"at": (timezone.now() + timedelta(seconds=1)).isoformat()})
    done.update(ended_at=timezone.now() - timedelta(minutes=1))
    once = PersonAtPages(network="203.0.99.9")
    once.start()
    assert once.attempt.stop == ""


def test_unanswered_password_is_unknown_and_not_tried_again(person, environment):
    written = environment._written

    def is_silent(request, path):
        raise httpx.ReadTimeout("no answer", request=request)

    environment._written = is_silent
    person.prove()
    person.choose_password()
    environment._written = written

    page = person.see()
    assert "PingOne did not say whether it worked. Try to sign in first." in page
    assert person.attempt.step == Step.DONE


def test_page_tells_that_pingone_cannot_be_reached(person, environment):
    person.prove()
    environment.status["/password"] = 503

    response = person.client.get("/recover/acme/")
    assert response.status_code == 503
    assert "nothing was changed" in response.content.decode()
