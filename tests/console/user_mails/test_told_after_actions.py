"""Every way in that changes a user's password, MFA, devices or contacts tells the user, once and afterwards."""

import json
from typing import Any
from uuid import UUID

import pytest

from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, NotMeLink, OutgoingEmail, UserMailSettings
from console.perform import told
from console.user_mails import events
from tests.support.answers import ADA
from tests.support.environment_fixtures import _agents_may_do_all_but_manage, environment
from tests.support.small_environment import browser, call_api, command, press

__all__ = ["_agents_may_do_all_but_manage", "environment"]

DEVICE = UUID(int=0xD1 << 96 | 0x4 << 76 | 0x8 << 60)
PASSWORD, DEVICES = f"users/{ADA}/password", f"users/{ADA}/devices"
NEW: Any = {"email": "new@mail.test"}
KIND = "application/vnd.pingidentity."

TELLS = {  # by hand, independently of the catalogue
    "password.force-change": events.PASSWORD_CHANGE_FORCED,
    "password.set-temporary": events.PASSWORD_RESET,
    "password.replace": events.PASSWORD_REPLACED,
    "mfa.enable": events.MFA_ON,
    "mfa.disable": events.MFA_OFF,
    "mfa.bypass": events.MFA_BYPASSED,
    "mfa.end-bypass": events.BYPASS_ENDED,
    "device.remove": events.DEVICE_REMOVED,
}
REQUESTS = [
    ("PUT", PASSWORD, f"{KIND}password.set+json", events.PASSWORD_RESET),
    ("PUT", PASSWORD, f"{KIND}password.reset+json", events.PASSWORD_RESET),
    ("PUT", PASSWORD, f"{KIND}password.setValue+json", events.PASSWORD_RESET),
    ("POST", PASSWORD, f"{KIND}password.recover+json", events.PASSWORD_RESET),
    ("POST", PASSWORD, f"{KIND}password.forceChange", events.PASSWORD_RESET),
    ("POST", PASSWORD, f"{KIND}password.sendRecoveryCode+json", None),
    ("POST", PASSWORD, f"{KIND}password.unlock+json", None),
    ("POST", PASSWORD, f"{KIND}password.check+json", None),
    ("PUT", f"users/{ADA}/mfaEnabled", "application/json", events.MFA_CHANGED),
    ("PUT", f"users/{ADA}/bypassMFA", "application/json", events.MFA_CHANGED),
    ("PUT", f"USERS/{ADA}/BypassMFA", "application/json", events.MFA_CHANGED),
    ("DELETE", f"{DEVICES}/{DEVICE}", "", events.DEVICE_REMOVED),
    ("POST", DEVICES, "application/json", events.DEVICE_ADDED),
    ("POST", f"{DEVICES}/{DEVICE}", f"{KIND}device.unlock+json", None),
    ("PUT", f"{DEVICES}/{DEVICE}/nickname", "application/json", None),
    ("PUT", f"users/{ADA}/enabled", "application/json", None),
    ("DELETE", f"users/{ADA}/sessions/{DEVICE}", "", None),
    ("GET", f"users/{ADA}/password", "", None),
]


@pytest.fixture(autouse=True)
def _device(environment) -> None:
    environment.devices.append({"id": str(DEVICE), "type": "SMS", "status": "ACTIVE", "phone": "+46701234567"})


def told_of() -> list[tuple[str, str]]:
    """Return recipient and subject of every email."""
    return [(email.to, json.loads(email.unseal("text"))[0]) for email in OutgoingEmail.objects.order_by("to")]


def to_ada(event: events.Event | None) -> list[tuple[str, str]]:
    return [("ada.berg@acme.test", f"Acme: {event.happened}")] if event else []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_catalogue_says_what_each_action_tells(action):
    assert action.tells == TELLS.get(action.key)


@pytest.mark.parametrize(("method", "path", "media_type", "event"), REQUESTS)
def test_request_of_any_endpoint_tells_like_the_action(acme, org_admin, environment, method, path, media_type, event):
    environment.users[ADA]["mfaEnabled"] = False

    call_api(
        browser(org_admin, fresh=True), method, path, {"a": 1} if "json" in media_type else None, media_type=media_type
    )

    assert AuditEntry.objects.current().get().outcome == "succeeded"
    assert told_of() == to_ada(event)


@pytest.mark.parametrize("way", ["page", "fragment", "command line"])
def test_email_belongs_to_the_entry_whatever_the_way_in(acme, helpdesk, environment, way):
    if way == "command line":
        command(helpdesk, "device.remove", "--user", str(ADA), "--device-id", str(DEVICE))
    else:
        press(browser(helpdesk), "device.remove", htmx=way == "fragment", device_id=str(DEVICE))

    assert environment.writes == [f"DELETE /{DEVICES}/{DEVICE}"]
    assert told_of() == to_ada(events.DEVICE_REMOVED)
    assert NotMeLink.objects.get().entry == AuditEntry.objects.current().get(outcome="succeeded").entry


def test_nobody_is_told_of_what_was_not_done(acme, helpdesk, environment):
    client = browser(helpdesk)
    environment.users[ADA]["mfaEnabled"] = False
    press(client, "mfa.disable")
    environment.status["/devices/" + str(DEVICE)] = 403
    press(client, "device.remove", device_id=str(DEVICE))
    environment.roles.add(ADA)
    press(client, "password.set-temporary")

    assert {row.outcome for row in AuditEntry.objects.current()} == {"no change", "failed", "refused"}
    assert told_of() == []


def test_result_stands_if_the_email_cannot_be_written(acme, helpdesk, environment, monkeypatch, caplog):
    monkeypatch.setattr(told, "tell", lambda *_args, **_more: 1 / 0)

    page = press(browser(helpdesk), "device.remove", htmx=True, device_id=str(DEVICE))

    assert "Removed the device" in page
    assert AuditEntry.objects.current().get().outcome == "succeeded"
    assert "The user was not told of" in caplog.text


def test_organization_chooses_what_it_tells(acme, helpdesk, environment):
    UserMailSettings.objects.create(organization=acme, untold=[events.DEVICE_REMOVED.key])

    press(browser(helpdesk), "device.remove", device_id=str(DEVICE))

    assert environment.writes
    assert told_of() == []


@pytest.mark.parametrize("way", ["page", "fragment", "call api"])
def test_old_and_new_address_are_told_separately(acme, helpdesk, environment, way):
    if way == "call api":
        call_api(browser(helpdesk), "PATCH", f"users/{ADA}", NEW)
    else:
        press(browser(helpdesk), "user.update", htmx=way == "fragment", **NEW)

    subject = f"Acme: {events.CONTACT_CHANGED.happened}"
    assert told_of() == [("ada.berg@acme.test", subject), ("new@mail.test", subject)]
    assert all("new@mail.test" not in json.loads(one.unseal("text"))[1] for one in OutgoingEmail.objects.all())


def test_undo_of_a_new_address_tells_both_again(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, "user.update", **NEW)
    entry = AuditEntry.objects.current().get()
    client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(UUID(int=5))})

    assert environment.users[ADA]["email"] == "ada.berg@acme.test"
    assert [to for to, _ in told_of()] == ["ada.berg@acme.test"] * 2 + ["new@mail.test"] * 2


def test_address_is_told_of_a_phone_number_and_of_nothing_else(acme, helpdesk, environment):
    press(browser(helpdesk), "user.update", title="Chief")
    assert told_of() == []

    press(browser(helpdesk), "user.update", mobile_phone="+1 555 0100")
    assert told_of() == to_ada(events.CONTACT_CHANGED)


def test_old_address_is_told_also_if_the_outcome_is_unknown(acme, helpdesk, environment):
    client = browser(helpdesk)
    environment.status[f"PATCH /users/{ADA}"] = 503
    press(client, "user.update", **NEW)

    assert AuditEntry.objects.current().get().outcome == "unknown"
    assert told_of() == to_ada(events.CONTACT_CHANGED)


def test_user_is_told_once_an_unknown_outcome_is_known(acme, helpdesk, environment):
    client = browser(helpdesk)
    environment.status[f"DELETE /{DEVICES}/{DEVICE}"] = 503
    press(client, "device.remove", device_id=str(DEVICE))
    entry = AuditEntry.objects.current().get()
    assert (entry.outcome, told_of()) == ("unknown", [])

    environment.devices.clear()
    client.post(f"/o/acme/audit/{entry.entry}/read-again/")

    assert AuditEntry.objects.current().get().outcome == "succeeded"
    assert told_of() == to_ada(events.DEVICE_REMOVED)


@pytest.mark.parametrize("old", ["ada@acme.test\nBcc: all@acme.test", "", "ada@acme.test, thief@mail.test"])
def test_hostile_old_address_is_not_told(acme, helpdesk, environment, old):
    environment.users[ADA]["email"] = old

    press(browser(helpdesk), "user.update", **NEW)

    assert environment.writes
    assert [to for to, _ in told_of()] == ["new@mail.test"]
