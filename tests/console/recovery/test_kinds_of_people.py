"""Every kind of person gets the same answer, at the same cost. Only the worker knows, and only a mailbox is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import AuditEntry, Organization, ProtectedMark, RecoveryAttempt, RecoveryPolicy
from console.recovery import look_up
from tests.support.answers import ADA, BO, STAFF, ada, bo
from tests.support.outbox import sent_emails
from tests.support.people import make_operator, make_organization
from tests.support.recovering import PersonAtPages, RecoveryEnvironment, switch_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

Stop = RecoveryAttempt.Stop
ELSEWHERE = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")


def nothing(acme: Organization, environment: RecoveryEnvironment) -> None:
    pass


def is_changed(**changes: Any) -> Callable[[Organization, RecoveryEnvironment], None]:
    def changed(acme: Organization, environment: RecoveryEnvironment) -> None:
        environment.users[ADA] = ada(**changes)

    return changed


def policy(**rules: Any) -> Callable[[Organization, RecoveryEnvironment], None]:
    def changed(acme: Organization, environment: RecoveryEnvironment) -> None:
        RecoveryPolicy.objects.update(**rules)

    return changed


def is_administrator(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.roles.add(ADA)


def is_marked(acme: Organization, environment: RecoveryEnvironment) -> None:
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=make_operator("a@acme.test")
    )


def roles_cannot_be_read(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.status["/roleAssignments"] = 403


def account_is_locked(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.locks_account()


def has_no_password(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.passwords[ADA] = {"status": "NO_PASSWORD"}


def share_an_address(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.users[BO] = bo(email="ADA.berg@acme.test", emailVerified=True)


def share_an_address_with_one_elsewhere(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.users[BO] = bo(email="ada.berg@acme.test", emailVerified=True, population={"id": str(ELSEWHERE)})


def locked_down(acme: Organization, environment: RecoveryEnvironment) -> None:
    Organization.objects.update(locked_down_at=timezone.now(), lock_down_reason="Drill")


def address_was_another_a_day_ago(acme: Organization, environment: RecoveryEnvironment) -> None:
    person = PersonAtPages(network="203.0.113.9")
    environment.users[ADA] = ada(email="thief@mail.test")
    person.start()
    RecoveryAttempt.objects.update(looked_at=timezone.now() - timedelta(days=1))
    environment.users[ADA] = ada()


def pingone_is_down(acme: Organization, environment: RecoveryEnvironment) -> None:
    environment.status["/users"] = 500


@dataclass(frozen=True)
class Kind:
    name: str
    typed: str
    made: Callable[[Organization, RecoveryEnvironment], None]
    stop: str  # "" if a code is sent
    mails: int = 0


KINDS = [
    Kind("known by username", "ada.berg", nothing, "", 1),
    Kind("known by email", "Ada.Berg@acme.test", nothing, "", 1),
    Kind("known in full width", "\uff41da.berg", nothing, "", 1),
    Kind("with an account lock", "ada.berg", account_is_locked, "", 1),
    Kind("unknown", "no.body", nothing, Stop.UNKNOWN),
    Kind("only the beginning", "ada", nothing, Stop.UNKNOWN),
    Kind("a filter", 'x" or username sw "a', nothing, Stop.UNKNOWN),
    Kind("control characters", "ada\x00berg", nothing, Stop.INVALID),
    Kind("too long", "a" * 321, nothing, Stop.INVALID),
    Kind("administrator", "ada.berg", is_administrator, Stop.PROTECTED),
    Kind("protected", "ada.berg", is_marked, Stop.PROTECTED),
    Kind("perhaps an administrator", "ada.berg", roles_cannot_be_read, Stop.PROTECTED),
    Kind("external", "ada.berg", is_changed(identityProvider={"id": str(BO), "type": "GOOGLE"}), Stop.ELSEWHERE, 1),
    Kind("deactivated", "ada.berg", is_changed(enabled=False), Stop.DISABLED),
    Kind("not known to be active", "ada.berg", is_changed(enabled=None), Stop.DISABLED),
    Kind("without an address", "ada.berg", is_changed(email=None), Stop.NO_ADDRESS),
    Kind("with two addresses in one", "ada.berg", is_changed(email="a@acme.test,b@evil.test"), Stop.NO_ADDRESS),
    Kind("with a line break in it", "ada.berg", is_changed(email="a@acme.test\nBcc: b@evil.test"), Stop.NO_ADDRESS),
    Kind("with an unverified address", "ada.berg", is_changed(emailVerified=False), Stop.UNVERIFIED),
    Kind("without a private address", "ada.berg", policy(proof_attribute="privateEmail"), Stop.NO_ADDRESS),
    Kind("with a new address", "ada.berg", address_was_another_a_day_ago, Stop.NEW_CONTACT, 1),
    Kind("population off", "ada.berg", is_changed(population={"id": str(ELSEWHERE)}, _embedded={}), Stop.OFF),
    Kind("without a population", "ada.berg", is_changed(population=None, _embedded={}), Stop.OFF),
    Kind("without a password", "ada.berg", has_no_password, "", 1),
    Kind("where a device is demanded", "ada.berg", policy(demands_device=True), "", 1),
    Kind("several of one address", "ada.berg@acme.test", share_an_address, Stop.SEVERAL, 1),
    Kind("locked down", "ada.berg", locked_down, Stop.LOCK_DOWN),
    Kind("while PingOne is down", "ada.berg", pingone_is_down, ""),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_everybody_gets_the_same_answer_at_the_same_cost(kind: Kind, acme, environment, person) -> None:
    kind.made(acme, environment)
    switch_on(make_organization("other", "Other"), ELSEWHERE)  # so that their networks and texts are not ours
    environment.requests.clear()
    before = len(sent_emails())
    with CaptureQueriesContext(connection) as queries:
        response = person.start(kind.typed, worker=False)

    assert (response.status_code, response["Location"]) == (302, "/recover/acme/")
    assert environment.requests == []
    assert len(sent_emails()) == before
    assert len(queries) == queries_of_unknown(acme)
    page = without_reference(person)
    look_up.run_due()

    assert without_reference(person) == page
    assert person.attempt.stop == kind.stop
    assert len(sent_emails()) == kind.mails
    assert [email for email in sent_emails() if len(email.to) != 1 or email.cc or email.bcc] == []


def queries_of_unknown(acme: Organization) -> int:
    other = PersonAtPages(network="192.0.2.77")
    with CaptureQueriesContext(connection) as queries:
        other.start("nobody.at.all", worker=False)
    RecoveryAttempt.objects.filter(network="192.0.2.0/24").delete()
    return len(queries)


def without_reference(person: PersonAtPages) -> str:
    page = person.see()
    for varying in (person.attempt.reference, *_tokens(page)):
        page = page.replace(varying, "")
    return page


def _tokens(page: str) -> list[str]:
    return re.findall(r'nonce="[^"]+"|csrfmiddlewaretoken" value="[^"]+"|X-CSRFToken": "[^"]+"', page)


def test_equal_usernames_in_several_spellings_reach_nobody_else(acme, environment, person):
    """A careless filter of PingOne returns users whom nobody typed: each row is compared again."""
    environment.users[BO] = bo(email="bo@acme.test", emailVerified=True)

    person.start("bo.ek@acme.test")

    assert person.attempt.stop == Stop.UNKNOWN
    assert sent_emails() == []


def test_mail_to_several_users_of_an_address_lists_only_those_who_can_recover(acme, environment, person):
    share_an_address_with_one_elsewhere(acme, environment)
    person.start("ada.berg@acme.test")

    [email] = sent_emails()
    assert email.to == ["ada.berg@acme.test"]
    assert "    ada.berg" in email.body
    assert "bo.ek" not in email.body
    assert "no code" not in email.body


def test_external_user_is_told_by_mail_alone_where_to_go(acme, environment, person):
    environment.users[ADA] = ada(identityProvider={"id": str(BO), "type": "GOOGLE"})
    person.start()

    [email] = sent_emails()
    assert "GOOGLE" in email.body
    assert "GOOGLE" not in person.see()


def test_refusals_of_one_user_are_on_record_once_an_hour(acme, environment):
    switch_on(acme)
    is_marked(acme, environment)
    for host in range(3):
        PersonAtPages(network=f"198.51.{host}.7").start()

    refusals = AuditEntry.objects.filter(action="recovery.refused", subject_id=str(ADA))
    assert [(row.outcome, row.actor, row.reason) for row in refusals] == [("refused", "user", "The user is protected.")]


@pytest.mark.parametrize("org", ["acme", "globex", "nowhere"])
def test_organization_without_recovery_is_like_none(acme, globex, client, org):
    if org == "globex":
        RecoveryPolicy.objects.create(organization=globex, population_id=STAFF, is_on=False)
    answers = [client.get(f"/recover/{org}/"), client.post(f"/recover/{org}/start/", {"who": "ada"})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content.decode().count(org) == answers[0].content.decode().count(f"/recover/{org}/")
    assert RecoveryAttempt.objects.count() == 0


@pytest.mark.parametrize("sent", [{"who": ["ada.berg", "bo.ek"]}, {"who": "ada.berg", "user": str(BO)}])
def test_request_brings_one_text_and_nothing_else(acme, environment, person, sent):
    environment.users[BO] = bo(email="bo@acme.test", emailVerified=True)
    person.client.post("/recover/acme/start/", sent)
    look_up.run_due()

    assert [email.to for email in sent_emails()] in ([], [["ada.berg@acme.test"]])
    assert person.attempt.stop == (Stop.INVALID if isinstance(sent["who"], list) else "")
    assert "Enter the code" in person.see()
