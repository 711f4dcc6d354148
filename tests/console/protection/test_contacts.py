"""Contacts that were changed here lately: no recovery by them."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from console.audit import entries
from console.models import OutgoingEmail
from console.perform.user_operation import UserOperation
from tests.support.answers import ADA
from tests.support.small_environment import browser, call_api, press

NEW: Any = {"email": "thief@mail.test"}
CODE = f"POST /users/{ADA}/password"


def change(client, way: str) -> None:
    if way == "page":
        press(client, "user.update", **NEW)
    elif way == "fragment":
        press(client, "user.update", htmx=True, **NEW)
    else:
        call_api(client, "PATCH", f"users/{ADA}", NEW)


@pytest.mark.parametrize("way", ["page", "fragment", "call api"])
def test_code_is_not_sent_to_an_address_changed_lately(acme, helpdesk, org_admin, environment, time_machine, way):
    change(browser(helpdesk), way)
    assert environment.users[ADA]["email"] == NEW["email"]

    said = press(browser(helpdesk), "password.send-recovery-code", htmx=True)
    assert "changed the contacts of Ada Berg here less than 72 hours ago. Ask an org admin." in said
    assert CODE not in environment.writes
    press(browser(org_admin, fresh=True), "password.send-recovery-code", reason="Seen in person")
    assert CODE in environment.writes

    environment.requests.clear()
    time_machine.move_to(timezone.now() + timedelta(hours=72, seconds=1))
    acme.connection.access_token_expires_at = timezone.now() + timedelta(hours=1)
    acme.connection.save()
    press(browser(helpdesk), "password.send-recovery-code", htmx=True)
    assert CODE in environment.writes


def test_cooling_off_lasts_as_long_as_the_organization_says(acme, helpdesk, environment, time_machine):
    acme.cooling_off_hours = 5
    acme.connection.access_token_expires_at = timezone.now() + timedelta(days=1)
    acme.connection.save()
    acme.save()
    change(browser(helpdesk), "page")

    time_machine.move_to(timezone.now() + timedelta(hours=4, minutes=59))
    said = press(browser(helpdesk), "password.send-recovery-code", htmx=True)
    assert "here less than 5 hours ago" in said
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    press(browser(helpdesk), "password.send-recovery-code", htmx=True)

    assert environment.writes.count(CODE) == 1


@pytest.mark.parametrize("fault", [None, RuntimeError], ids=["as usual", "the console fails"])
def test_addresses_are_told_by_the_closing_row_itself(acme, helpdesk, environment, monkeypatch, fault):
    """Whoever sees the entry closed finds the emails too: no moment lies between them in which a process can die."""
    if fault:
        monkeypatch.setattr(UserOperation, "settle", lambda *_, **__: (_ for _ in ()).throw(fault()))
    emails_at_closing = []
    closed = entries.close

    def close(*args: Any, **values: Any) -> Any:
        emails_at_closing.append((connection.in_atomic_block, OutgoingEmail.objects.count()))
        return closed(*args, **values)

    monkeypatch.setattr(entries, "close", close)
    with suppress(RuntimeError):
        change(browser(helpdesk), "page")

    assert emails_at_closing == [(True, 1 if fault else 2)]  # the new address is known when the user was read back


@pytest.mark.parametrize("typed", [{"title": "Chief"}, {"mobile_phone": "+1 555 0100"}])
def test_code_is_sent_to_an_unchanged_address(acme, helpdesk, environment, typed):
    press(browser(helpdesk), "user.update", **typed)
    press(browser(helpdesk), "password.send-recovery-code", htmx=True)

    assert CODE in environment.writes
