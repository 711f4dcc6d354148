"""Real workers, killed with SIGKILL at any step of sending: nothing is lost and nothing is sent twice unasked."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from threading import Event

import pytest

from console.models import OutgoingEmail, ScheduledWork, Work, WorkerProcess
from console.outbox import emails
from console.work.presence import present
from console.work.schedule import SCHEDULE
from tests.support.mail_server import TAKEN, MailServer, running_mail_server
from tests.support.work_forks import ended, forking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

State = Work.State
KILLS = 10
EMAILS = 60


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture
def start_worker(mail_server: MailServer) -> Iterator[Callable[[], int]]:
    """Return a function that starts a worker and returns its process ID."""
    with forking(EMAIL_URL=mail_server.url) as start:
        yield start


def write(number: int, *, may_repeat: bool) -> OutgoingEmail:
    return emails.write(
        to=f"user{number}@acme.test",
        subject="Hello",
        body="Hello",
        about="a test",
        worth_for=timedelta(days=1),
        may_repeat=may_repeat,
    )


def test_ten_killed_workers_lose_nothing_and_double_nothing(
    mail_server: MailServer, start_worker: Callable[[], int]
) -> None:
    for number in range(EMAILS):
        write(number, may_repeat=number % 2 == 0)
    chance = Random(12)  # noqa: S311 - the same steps in every run
    for number in range(KILLS):
        assert ended(kill_at_step(mail_server, chance, start_worker, taken=number % 2 == 0), within_s=30)

    answered = Event()
    mail_server.before_answer, mail_server.after_answer = nothing, lambda _answer: answered.set()
    last = start_worker()
    until = time.monotonic() + 60
    while OutgoingEmail.objects.unfinished().exists():  # also those that are given up without an answer
        assert time.monotonic() < until
        answered.wait(timeout=0.1)
        answered.clear()
    os.kill(last, signal.SIGTERM)
    assert ended(last, within_s=30)

    copies = Counter(mail_server.taken)
    for email in OutgoingEmail.objects.all():
        count = copies.pop(f"<{email.pk}@localhost>", 0)
        assert email.state == State.DONE or (email.state == State.UNKNOWN and not email.may_repeat), email
        assert count >= 1 or email.state == State.UNKNOWN, email
        assert count <= 1 or email.may_repeat, email
        assert email.sealed_text == ""
    assert not copies
    assert len(mail_server.taken) <= EMAILS + KILLS
    assert OutgoingEmail.objects.filter(state=State.UNKNOWN).count() <= KILLS
    assert set(ScheduledWork.objects.values_list("name", flat=True)) == set(SCHEDULE)
    # A killed worker is believed for a moment, one that was stopped is not.
    assert WorkerProcess.objects.count() == KILLS
    WorkerProcess.objects.all().delete()
    assert not present().is_running


def kill_at_step(mail_server: MailServer, chance: Random, start_worker: Callable[[], int], *, taken: bool) -> int:
    """Start a worker, and kill it at some step, before or after the mail server's answer. Return its process ID.

    With `taken`, the mail server has just taken an email, which the worker never hears.
    """
    started, killed, steps, process = Event(), Event(), chance.randint(1, 4 if taken else 20), 0

    def step(answer: str) -> None:
        nonlocal steps
        assert started.wait(timeout=30)
        steps -= not taken or answer == TAKEN
        if steps == 0:
            os.kill(process, signal.SIGKILL)
            killed.set()

    before = taken or chance.random() < 0.5
    mail_server.before_answer = step if before else nothing
    mail_server.after_answer = nothing if before else step
    process = start_worker()
    started.set()
    assert killed.wait(timeout=60)
    return process


def nothing(answer: str) -> None:
    pass
