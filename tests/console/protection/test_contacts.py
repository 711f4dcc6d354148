"""Contacts that were changed here lately: no recovery by them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.protection.contacts import COOLING_OFF
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
    time_machine.move_to(timezone.now() + COOLING_OFF + timedelta(seconds=1))
    acme.connection.access_token_expires_at = timezone.now() + timedelta(hours=1)
    acme.connection.save()
    press(browser(helpdesk), "password.send-recovery-code", htmx=True)
    assert CODE in environment.writes


@pytest.mark.parametrize("typed", [{"title": "Chief"}, {"mobile_phone": "+1 555 0100"}])
def test_code_is_sent_to_an_unchanged_address(acme, helpdesk, environment, typed):
    press(browser(helpdesk), "user.update", **typed)
    press(browser(helpdesk), "password.send-recovery-code", htmx=True)

    assert CODE in environment.writes
