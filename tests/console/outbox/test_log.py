"""Emails in the log of a server without a mail server: no link in them can be used."""

from typing import Any

import pytest
from django.test import Client

from console.access import enter_org
from console.models import Operator
from console.outbox.delivery import deliver_due
from console.user_mails.events import PASSWORD_RESET
from console.user_mails.tell import tell
from pingone_integration.users import user_of
from tests.support.answers import ada

pytestmark = pytest.mark.django_db


def logged_emails(client: Client, org_admin: Operator, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the log after an operator asked to reset their password and a user was told."""
    client.post("/accounts/password/reset/", {"email": org_admin.email})
    access = enter_org(org_admin, "acme")
    user = user_of(ada())
    assert user
    tell(access.org, PASSWORD_RESET, user)
    assert deliver_due() == 2
    return capsys.readouterr().out


def test_log_shows_emails_without_the_secret_of_a_link(
    client: Client, org_admin: Operator, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "console.outbox.log.EmailBackend"

    log = logged_emails(client, org_admin, capsys)

    assert log.count("/accounts/password/reset/key/(left-out)/") == log.count("/password/reset/key/") == 1
    assert log.count("/not-me/(left-out)/") == log.count("/not-me/") == 1
    assert f"reset the password of {org_admin.email}" in log


def test_log_shows_them_whole_if_that_was_asked_for(
    client: Client, org_admin: Operator, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    log = logged_emails(client, org_admin, capsys)

    assert log.count("/password/reset/key/") == 1
    assert "(left-out)" not in log
