"""Attacks on account recovery that read more from its pages than their words: who exists, by times and counts.

Each was seen to succeed with its guard taken out, which `test_..._would_succeed_...` repeats where a test can.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.models import Organization, RecoveryAttempt, RecoverySettings
from console.recovery import attempts, look_up, search
from pingone_integration.calls import deadline
from pingone_integration.users import User
from tests.support.answers import ADA, BO, bo
from tests.support.outbox import sent_emails
from tests.support.recovering import (
    LONG_AGO,
    PINGONE_CODE,
    PersonAtPages,
    RecoveryEnvironment,
    mocked_environment,
    switch_on,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

WHO = ("ada.berg", "no.body")


@pytest.fixture
def environment(acme: Organization) -> Iterator[RecoveryEnvironment]:
    with mocked_environment() as mocked:
        switch_on(acme)
        yield mocked


def ends_after(who: str, *, look_up_takes: float, network: str = "198.51.100.7", again: bool = False) -> timedelta:
    """Return when the page says that the code is over, from the time when it was asked for."""
    person = PersonAtPages(network=network)
    person.start(who, worker=again)
    if again:
        RecoveryAttempt.objects.update(asked_at=timezone.now() - timedelta(seconds=61))
        person.post("code/again")
    if look_up_takes:
        waited = timezone.now() - timedelta(seconds=look_up_takes)
        RecoveryAttempt.objects.filter(pk=person.attempt.pk).update(asked_at=waited, wanted_at=waited)
    look_up.run_due()
    found = person.attempt
    assert found.code_expires_at
    return found.code_expires_at - found.asked_at


@pytest.mark.parametrize("again", [False, True])
def test_end_of_a_code_does_not_tell_how_long_the_look_up_took(environment: RecoveryEnvironment, again: bool) -> None:
    """A user who exists takes PingOne four calls, others one, and one who was unknown a moment ago none."""
    known = ends_after("ada.berg", look_up_takes=4, again=again)
    unknown = ends_after("no.body", look_up_takes=1, again=again)
    remembered = ends_after("no.body", look_up_takes=0.2, network="203.0.113.9", again=again)
    unreadable = ends_after("no\x00body", look_up_takes=0, again=again)

    assert {known, unknown, remembered, unreadable} == {attempts.CODE_LASTS + attempts.ROUNDED_TO}
    late = ends_after("late.body", look_up_takes=47, again=again)
    assert late == attempts.CODE_LASTS + 2 * attempts.ROUNDED_TO


def test_end_of_codes_that_are_searched_for_together_tells_no_more(environment: RecoveryEnvironment) -> None:
    for number in range(3):
        PersonAtPages(network=f"10.0.{number}.7").start(f"nobody.{number}", worker=False)
    RecoveryAttempt.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    look_up.run_due()

    ends = [one.code_expires_at - one.asked_at for one in RecoveryAttempt.objects.all() if one.code_expires_at]
    assert ends == [attempts.CODE_LASTS + 2 * attempts.ROUNDED_TO] * 3


def test_end_of_a_code_would_tell_without_the_guard(
    environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ROUNDED_TO", timedelta(milliseconds=100))

    assert ends_after("ada.berg", look_up_takes=4) > ends_after("no.body", look_up_takes=1)


@pytest.mark.parametrize("who", WHO)
def test_tries_before_the_look_up_do_not_tell_when_it_ends(environment: RecoveryEnvironment, who: str) -> None:
    person = PersonAtPages()
    person.start(who, worker=False)
    for _ in range(3):
        person.post("code", code="AAAA-AAAA")
    look_up.run_due()
    answers = [person.post("code", code="AAAA-AAAA").content.decode() for _ in range(2)]

    assert ["This code is over" in answer for answer in answers] == [False, True]


@pytest.mark.parametrize("who", WHO)
def test_outage_of_pingone_does_not_tell_for_whom_its_code_is_tried(
    acme: Organization, environment: RecoveryEnvironment, who: str
) -> None:
    RecoverySettings.objects.create(organization=acme, uses_pingone_code=True)
    environment.passwords[ADA] = {"status": "OK", "lastChangedAt": LONG_AGO}
    person = PersonAtPages()
    person.start(who)
    environment.status["/password"] = 503
    person.answer()

    assert "This did not work" in person.see()
    assert person.attempt.sealed_answer == ""


def test_pingone_that_is_slow_is_not_waited_for_longer_than_the_page_waits(
    acme: Organization, environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    RecoverySettings.objects.create(organization=acme, uses_pingone_code=True)
    environment.passwords[ADA] = {"status": "OK", "lastChangedAt": LONG_AGO}
    person = PersonAtPages()
    person.start()
    left: list[float | None] = []
    of_user = RecoveryEnvironment._of_user

    def observed(self: RecoveryEnvironment, *args: Any) -> Any:
        left.append(deadline.left())
        return of_user(self, *args)

    monkeypatch.setattr(RecoveryEnvironment, "_of_user", observed)
    person.answer(PINGONE_CODE)

    assert left
    assert all(one is not None and one <= attempts.SHOWN_AFTER.total_seconds() - 2 for one in left[:2])


def squat(environment: RecoveryEnvironment) -> list[str]:
    """Let a stranger have somebody's address as their username, and the owner ask for a code. Return who gets it."""
    environment.users[BO] = bo(username="ada.berg@acme.test", email="thief@mail.test", emailVerified=True)
    PersonAtPages().start("ada.berg@acme.test")
    return [to for email in sent_emails() for to in email.to]


def test_username_that_is_the_address_of_somebody_else_takes_no_code_from_them(
    environment: RecoveryEnvironment,
) -> None:
    assert squat(environment) == ["ada.berg@acme.test"]
    assert RecoveryAttempt.objects.get().candidate == ADA


def test_username_that_is_the_owners_own_address_is_theirs(environment: RecoveryEnvironment) -> None:
    environment.users[ADA] |= {"username": "ada.berg@acme.test"}
    environment.users[BO] = bo(email="ada.berg@acme.test", emailVerified=True)
    PersonAtPages().start("ada.berg@acme.test")

    assert RecoveryAttempt.objects.get().candidate == ADA


def test_username_of_a_stranger_would_take_the_code_without_the_guard(
    environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_username_first(typed: str, found: list[User]) -> list[User]:
        return [user for user in found if user.username == typed]

    monkeypatch.setattr(search, "_meant", by_username_first)

    assert squat(environment) == ["thief@mail.test"]
