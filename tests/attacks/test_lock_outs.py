"""A stranger who knows an address, and wants its operator locked out; and passwords that a stranger would guess."""

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from console.models import Operator, Organization

LOGIN = "/accounts/login/"
RIGHT = {"login": "admin@acme.test", "password": "correct horse battery"}
WRONG = RIGHT | {"password": "a wrong guess"}

pytestmark = pytest.mark.django_db


def gets_in(client: Client, **where: Any) -> bool:
    return client.post(LOGIN, RIGHT, **where).status_code == 302


def guesses(client: Client, times: int, **where: Any) -> None:
    for _ in range(times):
        assert not client.post(LOGIN, WRONG, **where).has_header("Location")


def known_browser(operator: Operator) -> Client:
    client = Client()
    assert gets_in(client)
    client.post("/accounts/logout/")
    return client


def test_ten_wrong_passwords_of_a_stranger_lock_nobody_out(client: Client, org_admin: Operator) -> None:
    known = known_browser(org_admin)

    guesses(client, 10)

    assert not gets_in(client)
    assert gets_in(known)  # from the stranger's own address, even
    assert gets_in(Client(), REMOTE_ADDR="198.51.100.7")  # and a new browser elsewhere


def test_guesses_from_many_addresses_are_stopped_but_not_the_known_browser(org_admin: Operator) -> None:
    known = known_browser(org_admin)

    for number in range(50):
        guesses(Client(), 1, REMOTE_ADDR=f"198.51.100.{number}")

    assert not gets_in(Client(), REMOTE_ADDR="203.0.113.200")
    assert gets_in(known)


def test_known_browser_has_no_more_guesses_than_others(org_admin: Operator) -> None:
    thief = known_browser(org_admin)

    guesses(thief, 5)

    assert not gets_in(thief)


def test_cookie_of_another_operator_counts_for_nothing(org_admin: Operator, helpdesk: Operator) -> None:
    colleague = Client()
    colleague.post(LOGIN, RIGHT | {"login": "agent@acme.test"})
    colleague.post("/accounts/logout/")
    guesses(Client(), 5)

    assert not gets_in(colleague)
    forged = Client()
    forged.cookies["known_browser"] = colleague.cookies["known_browser"].value[:-2] + "xx"
    assert not gets_in(forged)


def test_wrong_codes_of_whoever_has_the_password_lock_no_known_browser_out(org_admin: Operator) -> None:
    known = known_browser(org_admin)
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    thief = Client()
    for _ in range(6):
        thief.post(LOGIN, RIGHT)
        refused = thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "Too many failed sign-ins" in refused.text

    known.post(LOGIN, RIGHT)
    assert "Wrong code." in known.post("/accounts/2fa/authenticate/", {"code": "000000"}).text


@pytest.mark.parametrize(
    "password",
    [
        "Password2026!",
        "qwertyuiop123!",
        "monkeymonkey12",
        "Acme-Acme-2026!",
        "4cme!PingOne99",
        "rocketboots-2026",
        "Welcome2Acme2026",
        "admin@acme.test",
    ],
)
def test_password_that_anybody_would_guess_is_refused(org_admin: Operator, acme: Organization, password: str) -> None:
    Organization.objects.filter(pk=acme.pk).update(password_words="Rocket boots, anvils.example")

    with pytest.raises(ValidationError):
        validate_password(password, org_admin)


def test_short_password_is_told_to_be_short_and_nothing_else(org_admin: Operator) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_password("sh0rt", org_admin)

    assert [one.code for one in refused.value.error_list] == ["password_too_short"]


@pytest.mark.parametrize("password", ["correct horse battery", "acme is where I sell umbrellas", "zP4!vK9#tq2Lw"])
def test_other_passwords_are_taken(org_admin: Operator, password: str) -> None:
    validate_password(password, org_admin)
