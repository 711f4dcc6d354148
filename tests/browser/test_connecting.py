"""Connecting to PingOne in Chromium, with JavaScript and without, and the look of its pages."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import respx
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from console.models import Operator, Organization
from pingone_integration.models import Connection, ConnectionEvent
from tests.support.browser import Check, NewPage, press
from tests.support.oauth import Application, administrator, console
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.sandbox_server import Sandbox

SETTINGS = "/o/acme/settings/connection/"
LONG = "Überlandwerk & Söhne <Vertrieb> مرحبا " + "Donaudampfschifffahrtsgesellschaft" * 4


@dataclass(frozen=True, kw_only=True)
class AtPingOne:
    """The PingOne side of a connection: an application, and the username of the administrator who approves it."""

    application: Application
    username: str


@pytest.fixture
def there(sandbox: Sandbox, settings: Any, live_server: LiveServer) -> AtPingOne:
    """Create an application and an administrator for a single test."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    settings.PUBLIC_URL = live_server.url
    username = administrator(sandbox)
    give_a_second_environment(sandbox, username)
    application = console(sandbox, redirect_uris=[f"{live_server.url}/connect/callback/"])
    return AtPingOne(application=application, username=username)


def give_a_second_environment(sandbox: Sandbox, username: str) -> None:
    """Give a role on a second environment, to choose from."""
    (held,) = sandbox.sql(
        """SELECT sandbox_roleassignment.id FROM sandbox_roleassignment
        JOIN sandbox_user ON sandbox_user.id = user_id WHERE username_key = ?""",
        username,
    )
    second = UUID(sandbox.details["second_environment_id"])
    sandbox.copy("sandbox_roleassignment", held["id"], scope_id=second)


@pytest.fixture
def unconnected(acme: Organization) -> Connection:
    """Give Acme a connection without settings."""
    empty = Connection.objects.create()
    acme.connection = empty
    acme.save()
    return empty


def fill_in(page: Page, there: AtPingOne) -> None:
    details = there.application.sandbox.details
    page.get_by_label("Client ID").fill(there.application.client_id)
    page.get_by_label("Client secret", exact=True).fill(there.application.client_secret)
    page.get_by_label("Auth URL").fill(details["auth_url"])
    page.get_by_label("Environment ID").fill(details["environment_id"])


def sign_on_at_pingone(page: Page, there: AtPingOne, then: str) -> None:
    expect(page).to_have_url(re.compile(f"^{re.escape(there.application.sandbox.url)}/"))
    page.get_by_label("Username").fill(there.username)
    page.get_by_label("Password").fill("Sandbox-2026!")
    press(page, "Sign on")
    press(page, then)


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without"])
def test_connect_works_from_sign_in_to_connected(
    new_page: NewPage, org_admin: Operator, unconnected: Connection, there: AtPingOne, java_script: bool
) -> None:
    page = new_page(java_script_enabled=java_script)
    page.goto("/")
    page.get_by_label("Email").fill(org_admin.email)
    page.get_by_label("Password").fill("correct horse battery")
    press(page, "Sign in")
    page.get_by_role("link", name="Connect PingOne").first.click()

    fill_in(page, there)
    press(page, "Connect")
    sign_on_at_pingone(page, there, "Allow")

    expect(page.get_by_text("Connected Acme to PingOne.")).to_be_visible()
    assert urlsplit(page.url).query == "", "neither code nor state stays in the address bar"
    unconnected.refresh_from_db()
    assert unconnected.state == Connection.State.CONNECTED

    expect(page.get_by_role("heading", name="Which environment do you manage?")).to_be_visible()
    page.get_by_role("button", name="Manage this one").first.click()
    expect(page.get_by_text("Acme now manages")).to_be_visible()
    page.get_by_role("link", name="Choose another").click()
    expect(page.get_by_text("Managed now")).to_be_visible()
    page.get_by_role("link", name="PingOne", exact=True).click()

    page.get_by_role("link", name="Disconnect").click()
    press(page, "Disconnect")
    expect(page.get_by_text("Disconnected Acme from PingOne.")).to_be_visible()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without"])
def test_connect_form_is_kept_after_the_back_button_and_a_refused_consent(
    new_page: NewPage, org_admin: Operator, unconnected: Connection, there: AtPingOne, java_script: bool
) -> None:
    page = new_page(org_admin, java_script_enabled=java_script)
    page.goto(SETTINGS)
    fill_in(page, there)
    press(page, "Connect")
    expect(page.get_by_label("Username")).to_be_visible()

    page.go_back()
    expect(page).to_have_url(re.compile(f"{SETTINGS}$"))
    expect(page.get_by_text("PingOne has not sent them back yet")).to_be_visible()
    press(page, "Connect")
    sign_on_at_pingone(page, there, "Cancel")

    expect(page.get_by_role("alert")).to_contain_text("The connection was not approved")
    expect(page.get_by_label("Client ID")).to_have_value(there.application.client_id)
    expect(page.get_by_label("Client secret", exact=True)).to_have_value("")


def test_pasted_issuer_fills_in_the_environment_id_while_typing(
    new_page: NewPage, org_admin: Operator, unconnected: Connection
) -> None:
    page = new_page(org_admin)
    page.goto(SETTINGS)

    page.get_by_label("Auth URL").fill(f"https://auth.pingone.com.au/{ENVIRONMENT}/as/.well-known/openid-configuration")

    expect(page.get_by_label("Environment ID")).to_have_value(str(ENVIRONMENT))
    expect(page.locator("#place")).to_contain_text("Australia")
    expect(page.locator("#place")).to_contain_text("https://api.pingone.com.au")
    expect(page.get_by_label("Auth URL")).to_be_focused()
    page.get_by_label("Auth URL").fill("console.pingone.eu")
    expect(page.locator("#place")).to_contain_text("The Auth URL of the same region is https://auth.pingone.eu")
    page.get_by_label("Environment ID").fill("Production")
    expect(page.locator("#place")).to_contain_text("An Environment ID is a UUID")


def test_connection_page_is_accessible_with_invalid_settings(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, unconnected: Connection
) -> None:
    page = new_page(org_admin)
    page.goto(SETTINGS)
    assert_accessible(page)

    page.get_by_label("Client ID").fill("x")
    page.get_by_label("Auth URL").fill("https://auth.pingone.de/" + "x" * 300)
    page.get_by_label("Environment ID").fill("Production")
    press(page, "Save only")

    expect(page.get_by_text("auth.pingone.de is not a PingOne sign-in host.").first).to_be_visible()
    assert_accessible(page)


def test_connection_page_is_accessible_with_a_history_and_a_failure(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, acme: Organization
) -> None:
    connection = acme.connection
    connection.managed_environment_name = connection.consented_by = LONG
    connection.consented_at = connection.refresh_token_issued_at = connection.access_token_expires_at
    connection.state, connection.state_cause = Connection.State.NEEDS_ATTENTION, LONG
    connection.save()
    for state in Connection.State:
        ConnectionEvent.objects.create(connection=connection, state=state, cause=LONG)
    page = new_page(org_admin)

    page.goto("/connect/callback/?error=access_denied")

    expect(page.get_by_role("alert")).to_contain_text("was opened by hand or cut off")
    assert_accessible(page)
    page.get_by_role("link", name="Disconnect").click()
    assert_accessible(page)


def test_choice_of_environments_is_accessible_with_many_long_names(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, acme: Organization
) -> None:
    found = [
        {"id": str(UUID(int=number)), "name": f"{number} {LONG}", "type": "SANDBOX", "region": "EU", "status": status}
        for number, status in enumerate(["DELETE_PENDING", *["ACTIVE"] * 40])
    ]
    found.append({"id": str(ENVIRONMENT), "name": "Acme production", "type": "PRODUCTION", "region": "EU"})
    page = new_page(org_admin)
    with respx.mock as router:
        router.get(f"{API_URL}/v1/environments").respond(json={"_embedded": {"environments": found}})

        page.goto(f"{SETTINGS}environments/")
        expect(page.get_by_text("Managed now")).to_be_visible()
        expect(page.get_by_text("Being deleted")).to_be_visible()
        assert_accessible(page)
        page.get_by_label("Name or ID contains").fill("nothing of that name")
        press(page, "Find")
        expect(page.get_by_text("No environment has this name or ID")).to_be_visible()
        assert_accessible(page)
