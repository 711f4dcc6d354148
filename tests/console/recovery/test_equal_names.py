"""One name typed in many networks: PingOne is asked little, and nobody keeps anybody else from their code by it."""

from datetime import timedelta

import pytest
from django.db.models import F

from console.models import RecoveryAttempt
from console.recovery import look_up, throttle
from tests.support.answers import ADA
from tests.support.outbox import sent_emails
from tests.support.recovering import PersonAtPages, RecoveryEnvironment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def ask(*networks: int) -> None:
    """Let ada.berg be typed in each of these networks, then let the worker look."""
    for network in networks:
        PersonAtPages(network=f"10.0.{network}.7").start("ada.berg", worker=False)
    look_up.run_due()


def calls_for(environment: RecoveryEnvironment, *networks: int) -> int:
    before = len(environment.requests)
    ask(*networks)
    return len(environment.requests) - before


def pass_time(**time: int) -> None:
    RecoveryAttempt.objects.update(looked_at=F("looked_at") - timedelta(**time))


def stops() -> list[str]:
    return list(RecoveryAttempt.objects.order_by("started_at").values_list("stop", flat=True))


def test_refusal_of_a_user_serves_the_other_networks(person, environment):
    environment.users[ADA]["enabled"] = False
    ask(1)

    assert calls_for(environment, *range(2, 12)) == 0
    assert stops() == ["disabled"] * 11
    assert set(RecoveryAttempt.objects.values_list("candidate", flat=True)) == {ADA}


def test_no_flood_keeps_a_refusal_alive(person, environment):
    environment.users[ADA]["enabled"] = False
    ask(1)
    environment.users[ADA]["enabled"] = True
    pass_time(seconds=40)
    ask(2)
    pass_time(seconds=40)
    ask(3)

    assert stops() == ["disabled", "disabled", ""]
    assert len(sent_emails()) == 1


def test_who_is_released_is_looked_up_anew(acme, person, environment):
    environment.users[ADA]["enabled"] = False
    ask(1)
    environment.users[ADA]["enabled"] = True
    throttle.release(acme.pk, ADA, frozenset())
    ask(2)

    assert stops() == ["disabled", ""]


def test_who_has_enough_mail_costs_one_call(person, environment):
    limit = throttle.MAILS_TO_UNKNOWN_NETWORKS.most
    ask(*range(1, limit + 1))

    assert calls_for(environment, *range(100, 110)) == 10
    assert stops() == [""] * limit + ["too-many-mails"] * 10
    assert len(sent_emails()) == limit


def test_email_is_shared_for_a_minute_and_no_longer(person, environment):
    ask(1)
    pass_time(seconds=40)
    ask(1)
    pass_time(seconds=40)
    ask(1)

    assert len(sent_emails()) == 2
