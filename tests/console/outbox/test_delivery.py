"""Emails as rows: each is sent once, retried while that helps, sealed while it waits and erased afterwards."""

import smtplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core import mail
from django.core.mail.backends import locmem
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from console.models import Operator, OutgoingEmail, Work
from console.outbox import emails
from console.outbox.delivery import LONGEST_RETRY, deliver_due
from tests.support.outbox import sent_emails

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

State = Work.State
SECRET = "https://console.acme.test/reset/the-link"


def write(to: str = "mara@acme.test", *, may_repeat: bool = True, about: str = "a test") -> OutgoingEmail:
    return emails.write(
        to=to, subject="Hello", body=SECRET, about=about, worth_for=timedelta(days=3), may_repeat=may_repeat
    )


def retry_now() -> None:
    """Let the time until the next attempt pass."""
    OutgoingEmail.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def lease_runs_out() -> None:
    OutgoingEmail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that sets what the mail server answers: an exception, or None to take the email."""
    plain = locmem.EmailBackend.send_messages

    def set_answer(error: Exception | None, step: str = "send_messages") -> None:
        def fail(*_: Any) -> int:
            assert error
            raise error

        monkeypatch.setattr(locmem.EmailBackend, "send_messages", plain)
        monkeypatch.setattr(locmem.EmailBackend, step, fail if error else plain)

    return set_answer


def test_email_is_sealed_while_it_waits_and_erased_once_taken() -> None:
    email = write()
    assert SECRET not in email.sealed_text
    assert SECRET in email.unseal("text")

    (sent,) = sent_emails()

    assert (sent.to, sent.subject, sent.body) == (["mara@acme.test"], "Hello", SECRET)
    email.refresh_from_db()
    assert (email.state, email.sealed_text) == (State.DONE, "")
    assert len(sent_emails()) == 1


def test_email_is_sent_once_by_many_workers() -> None:
    for number in range(20):
        write(f"user{number}@acme.test")
    together = Barrier(4)

    def work(_: int) -> int:
        together.wait(timeout=30)
        try:
            return deliver_due()
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(work, range(4)))

    assert sum(taken) == 20
    assert sorted(message.to for message in mail.outbox) == sorted([f"user{number}@acme.test"] for number in range(20))


def test_email_that_two_workers_saw_due_goes_to_one() -> None:
    write()
    overtaker: list[OutgoingEmail | None] = []

    def overtake(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and not overtaker:
            overtaker.append(None)
            overtaker[0] = OutgoingEmail.objects.claim(timedelta(minutes=1))
        return execute(sql, *rest)

    with database.execute_wrapper(overtake):
        assert OutgoingEmail.objects.claim(timedelta(minutes=1)) is None

    assert overtaker[0]


REFUSED = {"mara@acme.test": (550, b"no such user mara@acme.test")}
GREYLISTED = {"mara@acme.test": (450, b"come back later")}


@pytest.mark.parametrize(
    ("error", "state", "repeated"),
    [
        # Known not to be sent, and a later attempt may succeed
        (smtplib.SMTPRecipientsRefused(GREYLISTED), State.WAITING, State.WAITING),
        (smtplib.SMTPDataError(451, b"busy"), State.WAITING, State.WAITING),
        (smtplib.SMTPSenderRefused(553, b"who are you", "console@acme.test"), State.WAITING, State.WAITING),
        # Final
        (smtplib.SMTPRecipientsRefused(REFUSED), State.FAILED, State.FAILED),
        (smtplib.SMTPDataError(554, b"spam"), State.FAILED, State.FAILED),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), State.FAILED, State.FAILED),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal"), State.FAILED, State.FAILED),
        # Unknown
        (smtplib.SMTPServerDisconnected("gone"), State.UNKNOWN, State.WAITING),
        (TimeoutError(), State.UNKNOWN, State.WAITING),
    ],
    ids=lambda value: type(value).__name__,
)
def test_answer_of_the_mail_server_decides_what_happens_next(
    answer: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    state: Work.State,
    repeated: Work.State,
) -> None:
    once, often = write(may_repeat=False), write(may_repeat=True)
    answer(error)
    deliver_due()
    for email in (once, often):
        email.refresh_from_db()

    assert (once.state, often.state) == (state, repeated)
    assert all(bool(email.sealed_text) == (email.state == State.WAITING) for email in (once, often))
    assert "mara" not in caplog.text + once.cause
    assert type(error).__name__ in once.cause

    answer(None)
    assert sent_emails() == []  # not before its time
    retry_now()
    assert len(sent_emails()) == [once.state, often.state].count(State.WAITING)


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), smtplib.SMTPAuthenticationError(535, b"")])
def test_mail_server_that_is_down_is_asked_once_a_round_and_loses_nothing(
    answer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for number in range(3):
        write(f"user{number}@acme.test", may_repeat=False)
    answer(error, "open")

    assert deliver_due() == 0
    assert sorted(OutgoingEmail.objects.values_list("attempts", flat=True)) == [0, 0, 1]

    monkeypatch.undo()
    retry_now()
    assert len(sent_emails()) == 3


def test_retries_come_at_growing_intervals_until_the_link_expires(answer: Callable[..., None]) -> None:
    email = write()
    answer(ConnectionRefusedError(), "open")
    pauses = []
    for _ in range(10):
        deliver_due()
        email.refresh_from_db()
        pauses.append(round((email.due_at - timezone.now()).total_seconds(), -1))
        retry_now()

    assert pauses == [10, 20, 40, 80, 160, 320, 640, *[LONGEST_RETRY.total_seconds()] * 3]
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=1)):
        deliver_due()
    email.refresh_from_db()
    assert (email.state, email.sealed_text, email.cause) == (State.FAILED, "", "ConnectionRefusedError")


class Killed(BaseException):
    """The worker is killed: nothing after it runs."""


@pytest.mark.parametrize(("step", "copies"), [("open", (1, 1)), ("send_messages", (0, 1))])
def test_killed_worker_leaves_emails_to_the_next(
    answer: Callable[..., None], monkeypatch: pytest.MonkeyPatch, step: str, copies: tuple[int, int]
) -> None:
    """Killed before an email is handed over, or while it is: then whether it was sent is unknown."""
    for may_repeat in (False, True):
        email = write(may_repeat=may_repeat)
        answer(Killed(), step)
        with pytest.raises(Killed):
            deliver_due()
        monkeypatch.undo()
        assert sent_emails() == []  # the lease protects it

        lease_runs_out()
        sent = sent_emails()

        email.refresh_from_db()
        assert len(sent) == copies[may_repeat]
        assert email.state == (State.DONE if sent else State.UNKNOWN)
        assert email.sealed_text == ""
        mail.outbox.clear()


def test_second_copy_has_the_same_message_id(answer: Callable[..., None]) -> None:
    email = write()
    first = []

    def take_and_fall_silent(self: Any, messages: Any) -> int:
        first.extend(messages)
        raise smtplib.SMTPServerDisconnected

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(locmem.EmailBackend, "send_messages", take_and_fall_silent)
        deliver_due()
    retry_now()

    (second,) = sent_emails()
    ids = {message.message()["Message-ID"] for message in (*first, second)}
    assert ids == {f"<{email.pk}@localhost>"}


def test_withdrawn_email_is_erased_and_not_sent_even_while_a_worker_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    email, other = write(about="membership 7"), write(about="membership 8")
    monkeypatch.setattr(locmem.EmailBackend, "open", lambda _: emails.withdraw("membership 7"), raising=False)

    (sent,) = sent_emails()

    email.refresh_from_db()
    other.refresh_from_db()
    assert (email.state, email.sealed_text, other.state) == (State.CANCELED, "", State.DONE)
    assert sent.message()["Message-ID"] == f"<{other.pk}@localhost>"


def test_waiting_email_survives_a_change_of_keys_and_waits_for_a_lost_one(settings: Any) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.CREDENTIAL_KEYS = [old]
    write()
    settings.CREDENTIAL_KEYS = [new]
    assert sent_emails() == []

    settings.CREDENTIAL_KEYS = [new, old]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [new]
    retry_now()

    assert [message.body for message in sent_emails()] == [SECRET]


def test_password_reset_calls_no_mail_server_for_a_known_or_unknown_address(
    client: Client, org_admin: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for step in ("__init__", "open", "send_messages"):
        monkeypatch.setattr(locmem.EmailBackend, step, lambda *_, **__: calls.append("called"), raising=False)

    for address in (org_admin.email, "nobody@acme.test"):
        assert client.post("/accounts/password/reset/", {"email": address}).status_code == 302

    assert calls == []
    assert set(OutgoingEmail.objects.values_list("to", "state")) == {
        (org_admin.email, State.WAITING),
        ("", State.CANCELED),
    }


def test_reset_link_that_is_dead_is_not_sent(client: Client, org_admin: Operator) -> None:
    client.post("/accounts/password/reset/", {"email": org_admin.email})

    signed_in = client.post("/accounts/login/", {"login": org_admin.email, "password": "correct horse battery"})

    assert signed_in.status_code == 302
    assert sent_emails() == []
    assert OutgoingEmail.objects.get().state == State.CANCELED


def test_finished_rows_are_deleted_after_a_month() -> None:
    old, waiting = write(), write()
    deliver_due()
    recent = write()
    deliver_due()
    month_ago = timezone.now() - timedelta(days=31)
    OutgoingEmail.objects.filter(pk__in=[old.pk, waiting.pk]).update(wanted_at=month_ago)
    OutgoingEmail.objects.filter(pk=waiting.pk).update(state=State.WAITING)

    call_command("clear_finished_work", verbosity=0)

    assert set(OutgoingEmail.objects.values_list("pk", flat=True)) == {waiting.pk, recent.pk}
