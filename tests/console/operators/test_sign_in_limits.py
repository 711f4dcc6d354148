"""Failed sign-ins, password resets and used one-time codes are counted once for all processes."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from console.models import AuditEntry, Operator, SignInCount, UsedCode
from console.operators import page_limits
from console.operators.attempt_limit import Limit, count_all
from console.operators.sign_in_limits import FAILED_FROM_ADDRESS, use_code
from tests.support.addresses import ALLAUTH, EVERY_ADDRESS, FOR_EVERYBODY
from tests.support.other_process import OtherProcess, other_process
from tests.support.outbox import sent_emails

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

LOGIN, RESET, SECOND_FACTOR = "/accounts/login/", "/accounts/password/reset/", "/accounts/2fa/authenticate/"
PASSWORD = "correct horse battery"
WRONG = {"login": "admin@acme.test", "password": "a wrong guess"}
RIGHT = {"login": "admin@acme.test", "password": PASSWORD}
PROOF_OF_AN_OPERATOR = re.compile("reauthenticate|change_password")
SECRET = "JBSWY3DPEHPK3PXP"

# Pages for everybody that check no password, code or link of their own.
HARMLESS = {
    "account_logout",
    "account_inactive",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
}


@pytest.fixture
def other() -> Iterator[OtherProcess]:
    with other_process() as process:
        yield process


def code_now() -> str:
    return str(format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time())))))


def test_two_processes_share_every_count(
    client: Client, org_admin: Operator, other: OtherProcess, settings: Any
) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # the period may end during the test
    # Wrong passwords
    for number in range(4):
        (client.post(LOGIN, WRONG) if number % 2 else other.post(LOGIN, WRONG))
    assert client.post(LOGIN, WRONG).status_code == 200
    status, text = other.post(LOGIN, RIGHT)
    assert status == 200
    assert "Too many failed sign-ins" in text
    assert "Too many failed sign-ins" in client.post(LOGIN, RIGHT).text

    # Password resets of one address, however it is written
    for written in ("admin@acme.test", " Admin@acme.test", "ADMIN@acme.test "):
        assert client.post(RESET, {"email": written}).status_code == 302
        assert other.post(RESET, {"email": written})[0] == (302 if written != "ADMIN@acme.test " else 429)
    assert client.post(RESET, {"email": "admin@acme.test"}).status_code == 429
    assert len(sent_emails()) == 5

    # Forms of one client, whatever they say
    SignInCount.objects.all().delete()
    client.post(LOGIN, WRONG)
    SignInCount.objects.update(count=29)
    assert other.post(LOGIN, {})[0] == 200
    assert client.post(LOGIN, {}).status_code == 429
    assert other.post(LOGIN, {})[0] == 429

    # A one-time code, and failures of the second factor
    SignInCount.objects.all().delete()
    TOTP.activate(org_admin, SECRET)
    first, second = Client(), Client()
    for browser in (first, second):
        assert browser.post(LOGIN, RIGHT)["Location"] == SECOND_FACTOR
    code = code_now()
    assert first.post(SECOND_FACTOR, {"code": code})["Location"] == "/"
    session = second.cookies["console_session"].value
    status, text = other.post(SECOND_FACTOR, {"code": f"{code[:3]} {code[3:]}"}, session=session)
    assert status == 200
    assert "Wrong code." in text
    for _ in range(2):
        second.post(SECOND_FACTOR, {"code": "000000"})
        other.post(SECOND_FACTOR, {"code": "000000"}, session=session)
    assert "Too many failed sign-ins" in other.post(SECOND_FACTOR, {"code": "000000"}, session=session)[1]
    assert "Too many failed sign-ins" in second.post(SECOND_FACTOR, {"code": "000000"}).text


def at_once(step: Callable[[], bool]) -> list[bool]:
    together = Barrier(8)

    def run(_: int) -> bool:
        together.wait(timeout=30)
        try:
            return step()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(run, range(8)))


def test_attempts_at_once_are_all_counted(org_admin: Operator) -> None:
    limit = Limit("guess", 3, 60)

    assert sum(at_once(lambda: limit.count("somebody"))) == 3  # no row yet
    SignInCount.objects.update(ends_at=Now() - timedelta(seconds=1))
    assert sum(at_once(lambda: limit.count("somebody"))) == 3  # a new window
    assert limit.count("somebody else")


def test_attempt_beyond_a_limit_is_not_counted_and_a_new_window_begins_after_it() -> None:
    limit = Limit("guess", 2, 60)

    assert [limit.count("somebody") for _ in range(5)] == [True, True, False, False, False]
    assert SignInCount.objects.get().count == 2
    limit.take_back("somebody")
    assert [limit.count("somebody") for _ in range(2)] == [True, False]
    SignInCount.objects.update(ends_at=Now() - timedelta(seconds=1))
    assert [limit.count("somebody") for _ in range(3)] == [True, True, False]


def test_limits_that_are_counted_together_have_windows_of_their_own() -> None:
    a_minute, an_hour = Limit("form", 2, 60), Limit("form in an hour", 3, 3600)
    both = (a_minute, "somebody"), (an_hour, "somebody")

    assert [count_all(*both) for _ in range(5)] == [True, True, False, False, False]  # of these, two count for the hour
    assert count_all((a_minute, "somebody else"), (an_hour, "somebody else"))
    SignInCount.objects.filter(ends_at__lt=Now() + timedelta(minutes=2)).update(ends_at=Now() - timedelta(seconds=1))
    assert [count_all(*both) for _ in range(2)] == [True, False]
    assert not a_minute.is_reached("somebody else")


def test_limits_that_are_counted_together_in_any_order_wait_for_nobody() -> None:
    counts = [(Limit(f"form {number}", 1_000, 60), "somebody") for number in range(5)]
    orders = cycle([counts, counts[::-1]])

    assert all(at_once(lambda: all(count_all(*next(orders)) for _ in range(25))))
    assert set(SignInCount.objects.values_list("count", flat=True)) == {200}


def test_code_works_once_at_once_and_again_only_after_its_time(org_admin: Operator) -> None:
    assert sum(at_once(lambda: use_code(org_admin, "123 456"))) == 1
    assert not use_code(org_admin, "123-456")
    UsedCode.objects.update(expires_at=Now() - timedelta(seconds=1))
    assert sum(at_once(lambda: use_code(org_admin, "123456"))) == 1


def test_sign_in_that_succeeds_is_not_counted_and_does_not_forget_failures(client: Client, org_admin: Operator) -> None:
    for _ in range(4):
        client.post(LOGIN, WRONG)
    for _ in range(8):
        assert Client().post(LOGIN, RIGHT)["Location"] == "/"

    client.post(LOGIN, WRONG)
    assert "Too many failed sign-ins" in client.post(LOGIN, RIGHT).text


def test_new_password_ends_the_count_of_guesses_at_the_old_one(client: Client, org_admin: Operator) -> None:
    for _ in range(5):
        client.post(LOGIN, WRONG)
    client.post(RESET, {"email": "admin@acme.test"})
    link = next(word for word in str(sent_emails()[0].body).split() if "/password/reset/key/" in word)
    form = client.get(link.removeprefix("http://localhost"))["Location"]
    new = "another correct horse"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302

    assert client.post(LOGIN, {**RIGHT, "password": new})["Location"] == "/"


def test_used_code_that_is_refused_is_on_record(client: Client, org_admin: Operator) -> None:
    TOTP.activate(org_admin, SECRET)
    client.post(LOGIN, RIGHT)
    code = code_now()
    assert use_code(org_admin, code)

    assert "Wrong code." in client.post(SECOND_FACTOR, {"code": code}).text
    assert AuditEntry.objects.get(action="operator.sign-in-failed").reason == "Second factor"


@pytest.mark.parametrize("name", page_limits.LIMITS)
def test_page_refuses_more_forms_than_its_limit(
    browser_of: Callable[[Operator], Client], org_admin: Operator, name: str
) -> None:
    browser = browser_of(org_admin) if PROOF_OF_AN_OPERATOR.search(name) else Client()
    path = next(address.path for address in EVERY_ADDRESS if address.name == name)
    path = path.replace("user.unlock-user.unlock", "1-set-password")
    form = {"email": "nobody@acme.test"}
    most = min(limit.limit.most for limit in page_limits.LIMITS[name])

    assert browser.post(path, form).status_code != 429
    for limit in page_limits.LIMITS[name]:
        assert SignInCount.objects.filter(count=1, ends_at__lte=Now() + timedelta(seconds=limit.limit.seconds)).exists()
    SignInCount.objects.update(count=most - 1)
    assert browser.post(path, form).status_code != 429
    refused = browser.post(path, form)

    assert refused.status_code == 429
    assert "Too many attempts" in refused.text
    assert browser.get(path).status_code != 429


def test_every_page_for_everybody_has_a_limit() -> None:
    for_everybody = {name for name, reason in ALLAUTH.items() if reason == FOR_EVERYBODY}

    for_everybody |= {"invitation", "stop-factor-reset", "single-sign-on-start"}  # our own pages

    assert for_everybody - HARMLESS == {name for name in page_limits.LIMITS if not PROOF_OF_AN_OPERATOR.search(name)}


def test_no_key_tells_whom_it_counts(client: Client, org_admin: Operator) -> None:
    client.post(LOGIN, WRONG)
    client.post(RESET, {"email": "admin@acme.test"})
    use_code(org_admin, "123456")

    keys = {*SignInCount.objects.values_list("key", flat=True), *UsedCode.objects.values_list("key", flat=True)}
    assert len(keys) == 7
    assert all(len(key) == 64 and int(key, 16) for key in keys)


def test_worker_clears_what_is_over(org_admin: Operator) -> None:
    FAILED_FROM_ADDRESS.count("192.0.2.1")
    use_code(org_admin, "123456")
    call_command("clear_finished_work", verbosity=0)
    assert (SignInCount.objects.count(), UsedCode.objects.count()) == (1, 1)

    SignInCount.objects.update(ends_at=Now() - timedelta(seconds=1))
    UsedCode.objects.update(expires_at=Now() - timedelta(seconds=1))
    call_command("clear_finished_work", verbosity=0)
    assert (SignInCount.objects.count(), UsedCode.objects.count()) == (0, 0)
