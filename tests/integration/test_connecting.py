"""Connecting to the sandbox: the way to a connection, and the page that each mistake shows the org admin."""

import html
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection as database
from django.test import Client

from console.models import Membership, Organization
from pingone_integration.models import Connection
from tests.support.oauth import administrator
from tests.support.sandbox_server import new_browser, sign_on

pytestmark = pytest.mark.database

SETTINGS = "/o/initech/settings/connection/"


@pytest.fixture
def initech(org_admin) -> Organization:
    """Create an organization without any settings."""
    organization = Organization.objects.create(slug="initech", name="Initech", connection=Connection.objects.create())
    Membership.objects.create(organization=organization, operator=org_admin, role=Membership.Role.ORG_ADMIN)
    return organization


@pytest.fixture
def admin(browser_of, org_admin, initech) -> Client:
    client: Client = browser_of(org_admin)
    return client


@pytest.fixture
def typed(sandbox, settings) -> dict[str, str]:
    """Return the correct settings as typed. The console's redirect URI is registered in the sandbox."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    settings.PUBLIC_URL = "http://localhost:8000"
    return {
        "client_id": sandbox.details["client_id"],
        "client_secret": sandbox.details["client_secret"],
        "auth_url": sandbox.details["auth_url"],
        "environment_id": sandbox.details["environment_id"],
        "client_authentication": "client_secret_basic",
    }


def leave(admin: Client, typed: dict[str, str]) -> str:
    """Press Connect and return the address at PingOne where the browser goes next."""
    response = admin.post(f"{SETTINGS}connect/", typed)
    assert response.status_code == 200, words_of(response.text)
    return response.headers["Refresh"].removeprefix("0;url=")


def come_back(admin: Client, address: str) -> str:
    """Return the text of the page on which the return from PingOne ends."""
    back = urlsplit(address)
    assert address.startswith("http://localhost:8000/connect/callback/?")
    return words_of(admin.get(f"{back.path}?{back.query}", follow=True).text)


def words_of(page: str) -> str:
    text = re.sub(r"<(svg|script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def stored(organization: Organization) -> Connection:
    return Connection.objects.get(organization=organization)


@pytest.mark.parametrize("pasted", ["{auth_url}", "{auth_url}/{environment_id}/as", "{bare}/{environment_id}/as/"])
def test_approval_connects(admin, typed, initech, pasted) -> None:
    typed["auth_url"] = pasted.format(bare=typed["auth_url"].removeprefix("http://"), **typed)

    come_back(admin, sign_on(leave(admin, typed)))

    connection = stored(initech)
    assert connection.state == Connection.State.CONNECTED
    assert connection.consented_by == "Ada Admin (ada.admin)"
    assert connection.unseal("refresh_token")
    page = words_of(admin.get(SETTINGS).text)
    assert "Approved by Ada Admin (ada.admin)" in page
    assert "openid profile email" in page


def test_connect_works_at_each_of_the_consoles_own_names(admin, typed, initech) -> None:
    """The demo's names: the browser has to return to the name where its session is."""
    admin.defaults["HTTP_HOST"] = "127.0.0.1:8000"

    back = sign_on(leave(admin, typed))

    assert back.startswith("http://127.0.0.1:8000/connect/callback/?")
    assert "Connected Initech to PingOne." in words_of(
        admin.get(back.removeprefix("http://127.0.0.1:8000"), follow=True).text
    )
    assert stored(initech).state == Connection.State.CONNECTED


def test_disconnecting_ends_the_grant_at_pingone(admin, typed, initech, sandbox) -> None:
    come_back(admin, sign_on(leave(admin, typed)))
    refresh_token = stored(initech).unseal("refresh_token")

    told = words_of(admin.post(f"{SETTINGS}disconnect/", follow=True).text)

    assert "Disconnected Initech from PingOne." in told
    assert "did not confirm" not in told
    with new_browser() as http:
        answer = http.post(
            f"{sandbox.issuer}/token",
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            auth=(typed["client_id"], typed["client_secret"]),
        )
    assert answer.json()["error"] == "invalid_grant"


def test_approval_of_a_second_connect_replaces_the_first(admin, typed, initech) -> None:
    come_back(admin, sign_on(leave(admin, typed)))
    first = stored(initech).unseal("refresh_token")

    come_back(admin, sign_on(leave(admin, typed | {"client_secret": ""})))

    assert stored(initech).state == Connection.State.CONNECTED
    assert stored(initech).unseal("refresh_token") != first


def refused(response) -> str:
    assert response.status_code >= 400
    assert "Refresh" not in response.headers
    return words_of(response.text)


def test_wrong_auth_url_is_reported_before_the_browser_leaves(admin, typed, settings) -> None:
    nobody_there = "http://127.0.0.1:9"
    settings.PINGONE_CUSTOM_HOSTS |= {nobody_there: nobody_there}

    page = admin.post(f"{SETTINGS}connect/", typed | {"auth_url": nobody_there})

    assert "PingOne could not be reached" in refused(page)
    assert "The Auth URL may belong to another region" in refused(page)
    assert f'value="{nobody_there}"' in page.text


@pytest.mark.parametrize("mistake", ["another region's environment", "a mistyped id"])
def test_unknown_environment_is_reported_before_the_browser_leaves(admin, typed, mistake) -> None:
    # PingOne's regions are separate: an environment of another region looks like a mistyped ID.
    unknown = str(uuid4())

    page = admin.post(f"{SETTINGS}connect/", typed | {"environment_id": unknown})

    assert "PingOne does not know this environment" in refused(page)
    assert "the environment is in another region than the Auth URL" in refused(page)
    assert f'value="{unknown}"' in page.text


def test_wrong_client_id_is_explained_because_pingone_does_not_send_the_browser_back(admin, typed) -> None:
    away = leave(admin, typed | {"client_id": str(uuid4())})

    with new_browser() as browser:
        page = browser.get(away)

    assert page.status_code == 400
    assert "localhost:8000" not in str(page.url)
    told = words_of(admin.get(SETTINGS).text)
    assert "PingOne has not sent them back yet" in told
    assert "The error mentions the client or the application: the Client ID is wrong" in told


def test_unregistered_redirect_uri_is_explained_because_pingone_does_not_send_the_browser_back(
    admin, typed, settings
) -> None:
    settings.PUBLIC_URL = "https://console.elsewhere.test:8443"
    away = leave(admin, typed)

    with new_browser() as browser:
        page = browser.get(away)

    assert page.status_code == 400
    assert "redirect" in page.text.lower()
    told = words_of(admin.get(SETTINGS).text)
    assert "https://console.elsewhere.test:8443/connect/callback/" in told
    assert "The error mentions a redirect URI : the one above is not registered" in told


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ({"client_secret": "not-the-secret"}, "The Client secret is wrong"),
        (
            {"client_authentication": "client_secret_post"},
            "The Client secret is right, but the PingOne application has another Token Auth Method",
        ),
    ],
    ids=["secret", "method"],
)
def test_wrong_secret_and_method_are_told_apart_after_the_approval(admin, typed, initech, mistake, words) -> None:
    told = come_back(admin, sign_on(leave(admin, typed | mistake)))

    assert words in told
    assert typed["client_id"] in admin.get(SETTINGS).text
    assert stored(initech).state == Connection.State.NOT_CONNECTED


def test_made_up_code_is_told_apart_from_a_wrong_secret(admin, typed, initech) -> None:
    back = sign_on(leave(admin, typed))
    code = parse_qs(urlsplit(back).query)["code"][0]

    told = come_back(admin, back.replace(code, "made-up"))

    assert "PingOne does not accept the approval" in told
    assert stored(initech).state == Connection.State.NOT_CONNECTED


def test_web_app_instead_of_a_worker_is_named_as_the_cause(admin, typed, initech, sandbox) -> None:
    typed["client_id"] = str(sandbox.copy("sandbox_application", typed["client_id"], type="WEB_APP"))

    told = come_back(admin, sign_on(leave(admin, typed)))

    assert "The PingOne application is not a Worker" in told
    assert "Add an application of the type Worker" in told
    assert stored(initech).state == Connection.State.NOT_CONNECTED


def test_application_without_the_refresh_token_grant_says_when_access_ends(admin, typed, initech, sandbox) -> None:
    typed["client_id"] = str(
        sandbox.copy("sandbox_application", typed["client_id"], grant_types='["AUTHORIZATION_CODE"]')
    )

    told = come_back(admin, sign_on(leave(admin, typed)))

    ends = f"{stored(initech).access_token_expires_at:%H:%M} UTC."
    assert re.search(rf"Everything works until (\d+ \w+ \d+, )?{re.escape(ends)}", told)  # near midnight with the day
    assert "Turn on the Refresh Token grant of the PingOne application, then connect again." in told


def test_administrator_of_two_environments_is_asked_which_to_manage(admin, typed, initech, sandbox) -> None:
    username = administrator(sandbox)
    user = sandbox.sql("SELECT id FROM sandbox_user WHERE username_key = ?", username)[0]["id"]
    held = sandbox.sql("SELECT id FROM sandbox_roleassignment WHERE user_id = ?", user)[0]["id"]
    second = sandbox.details["second_environment_id"]
    sandbox.copy("sandbox_roleassignment", held, scope_id=UUID(second))

    told = come_back(admin, sign_on(leave(admin, typed), username=username))

    assert "Which environment do you manage?" in told
    assert "Acme production Production · European Union" in told
    assert "Acme test Sandbox · European Union" in told
    assert stored(initech).managed_environment_id is None
    page = admin.get(f"{SETTINGS}environments/").text
    guard = re.findall(r'name="guard" value="([^"]+)"', page)[0]
    admin.post(f"{SETTINGS}environments/", {"environment": second, "guard": guard})
    assert str(stored(initech).managed_environment_id) == second


def test_wrong_secret_is_repaired_by_typing_the_right_secret(admin, typed, initech) -> None:
    come_back(admin, sign_on(leave(admin, typed | {"client_secret": "not-the-secret"})))

    come_back(admin, sign_on(leave(admin, typed)))

    assert stored(initech).state == Connection.State.CONNECTED


def test_refused_consent_is_reported(admin, typed, initech) -> None:
    told = come_back(admin, sign_on(leave(admin, typed), answer="cancel"))

    assert "The connection was not approved" in told
    assert "Someone chose Cancel in PingOne" in told
    assert stored(initech).state == Connection.State.NOT_CONNECTED


@pytest.mark.parametrize("username", ["nils.norole", "rosa.reader"])
def test_user_whom_admin_only_access_keeps_out_is_told_why(admin, typed, initech, username) -> None:
    told = come_back(admin, sign_on(leave(admin, typed), username=username, answer="cancel"))

    assert "Admin only access keeps out custom roles, Help Desk Admin and Identity Data Read Only" in told
    assert "allow a group instead" in told
    assert stored(initech).state == Connection.State.NOT_CONNECTED


def test_administrator_without_a_role_in_any_environment_is_told_the_missing_role(
    admin, typed, initech, sandbox
) -> None:
    # The application lets any user sign in. The seeded application requires an administrator role.
    client_id = str(sandbox.copy("sandbox_application", typed["client_id"], admin_users_only=False))

    told = come_back(admin, sign_on(leave(admin, typed | {"client_id": client_id}), username="nils.norole"))

    assert "PingOne shows no environments" in told
    assert "Nils Norole (nils.norole) has no administrator role" in told
    assert "give them the role Identity Data Admin" in told
    assert stored(initech).managed_environment_id is None


def test_only_environment_is_managed_without_asking(admin, typed, initech, sandbox) -> None:
    told = come_back(admin, sign_on(leave(admin, typed)))

    assert "Connected Initech to PingOne." in told
    assert stored(initech).managed_environment_id == UUID(sandbox.details["managed_environment_id"])
    listed = words_of(admin.get(f"{SETTINGS}environments/").text)
    assert "Acme production Production · European Union" in listed
    assert "Managed now" in listed


def at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    """Call `act` in this many threads at the same moment and return the results."""
    ready = Barrier(times)

    def run() -> Any:
        try:
            ready.wait(timeout=30)
            return act()
        finally:
            database.close()

    with ThreadPoolExecutor(times) as pool:
        return [begun.result(timeout=60) for begun in [pool.submit(run) for _ in range(times)]]


def twin_of(client: Client) -> Client:
    """Return a client with the same browser session, for a parallel request."""
    twin = Client()
    twin.cookies.update(client.cookies)
    return twin


@pytest.mark.django_db(transaction=True)
def test_double_click_on_connect_starts_twice_and_both_can_finish(admin, typed, initech) -> None:
    pressed = at_once(2, lambda: twin_of(admin).post(f"{SETTINGS}connect/", typed))

    first, second = (response.headers["Refresh"].removeprefix("0;url=") for response in pressed)
    come_back(admin, sign_on(first))
    assert stored(initech).state == Connection.State.CONNECTED
    come_back(admin, sign_on(second))
    assert stored(initech).state == Connection.State.CONNECTED


@pytest.mark.django_db(transaction=True)
def test_return_loaded_many_times_at_once_is_redeemed_once(admin, typed, initech, sandbox) -> None:
    back = urlsplit(sign_on(leave(admin, typed)))

    loaded = at_once(5, lambda: twin_of(admin).get(f"{back.path}?{back.query}"))

    assert {response.status_code for response in loaded} == {302}
    assert {response.headers["Location"] for response in loaded} == {SETTINGS}
    assert stored(initech).state == Connection.State.CONNECTED
    # PingOne revokes the tokens of a code when the code is used again.
    refresh_token = stored(initech).unseal("refresh_token")
    with new_browser() as http:
        answer = http.post(
            f"{sandbox.issuer}/token",
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            auth=(typed["client_id"], typed["client_secret"]),
        )
    assert answer.status_code == 200
