"""Sign-in by passkey alone: the passkey must have verified its user, by a fingerprint or a PIN."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from console.models import Operator
from tests.support.passkey import Passkey

pytestmark = pytest.mark.django_db
BY_PASSKEY = "/accounts/2fa/webauthn/login/"
TOO_LATE = timedelta(minutes=16)  # a password is good for a second step within 15
PASSWORD = "correct horse battery"


@pytest.fixture
def passkey(org_admin: Operator, time_machine: TimeMachineFixture) -> Passkey:
    time_machine.move_to(timezone.now(), tick=False)
    cache.clear()
    return Passkey(org_admin)


def challenge_of_sign_in(client: Client) -> str:
    """Ask for a sign-in by passkey alone."""
    asked = client.get(BY_PASSKEY, headers={"X-Requested-With": "XMLHttpRequest"}).json()["request_options"][
        "publicKey"
    ]
    assert asked["userVerification"] == "required"
    return str(asked["challenge"])


def challenge_of_second_step(client: Client) -> str:
    """Give the password and reach the second step, which needs no verified user: the password stands for it."""
    client.post("/accounts/login/", {"login": "admin@acme.test", "password": PASSWORD})
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    return str(client.session["mfa.webauthn.state"]["challenge"])


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_passkey_alone_signs_in_the_verified_user(client: Client, passkey: Passkey) -> None:
    client.post(BY_PASSKEY, {"credential": passkey.sign(challenge_of_sign_in(client), verified=True)})

    assert is_signed_in(client)


def test_passkey_alone_refuses_a_user_whom_it_did_not_verify(client: Client, passkey: Passkey) -> None:
    client.post(BY_PASSKEY, {"credential": passkey.sign(challenge_of_sign_in(client), verified=False)})

    assert not is_signed_in(client)


@pytest.mark.parametrize("verified", [True, False])
def test_challenge_of_an_abandoned_second_step_does_not_excuse_a_passkey_alone_from_verifying(
    client: Client, passkey: Passkey, time_machine: TimeMachineFixture, verified: bool
) -> None:
    """The challenge stays in the session when the password has expired, and it did not ask for a verified user."""
    challenge = challenge_of_second_step(client)
    time_machine.shift(TOO_LATE)

    client.post(BY_PASSKEY, {"credential": passkey.sign(challenge, verified=verified)})

    assert is_signed_in(client) == verified


def test_passkey_after_the_password_needs_no_verified_user(client: Client, passkey: Passkey) -> None:
    challenge = challenge_of_second_step(client)

    client.post("/accounts/2fa/authenticate/", {"credential": passkey.sign(challenge, verified=False)})

    assert is_signed_in(client)
