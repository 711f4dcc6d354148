"""The page Settings > PingOne: display, saving, secrets and permissions."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
import respx

from console.audit import entries
from console.models import Membership, Organization
from pingone_integration.models import Connection, ConnectionEvent
from tests.support.people import ADMINISTRATORS, AUTH_URL, make_operator

SETTINGS = "/o/acme/settings/connection/"
PAGES = (SETTINGS, f"{SETTINGS}place/", f"{SETTINGS}disconnect/", f"{SETTINGS}environments/")
ACTIONS = (SETTINGS, f"{SETTINGS}connect/", f"{SETTINGS}disconnect/", f"{SETTINGS}environments/")
EU = "https://auth.pingone.eu"
CLIENT = "7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a"
PLACE = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
SECRET = "s3cret~canary.-_"
TYPED = {
    "client_id": CLIENT,
    "client_secret": SECRET,
    "auth_url": EU,
    "environment_id": str(PLACE),
    "client_authentication": "client_secret_post",
}


@pytest.fixture
def fresh(org_admin) -> Organization:
    """Create a second organization of the same admin, with an empty connection."""
    organization = Organization.objects.create(slug="fresh", name="Fresh", connection=Connection.objects.create())
    Membership.objects.create(organization=organization, operator=org_admin, role=Membership.Role.ORG_ADMIN)
    return organization


@pytest.fixture
def admin(browser_of, org_admin):
    return browser_of(org_admin)


@pytest.fixture
def revoked() -> Iterator[list[str]]:
    """Mock PingOne's revocation endpoint and collect the revoked tokens in alphabetical order."""
    service = f"{AUTH_URL}/{ADMINISTRATORS}/as"
    tokens: list[str] = []

    def revoke(request: httpx.Request) -> httpx.Response:
        tokens.extend(parse_qs(request.content.decode())["token"])
        tokens.sort()
        return httpx.Response(200)

    names = ("authorization", "token", "revocation", "userinfo")
    document = {f"{name}_endpoint": f"{service}/{name}" for name in names}
    with respx.mock as router:
        router.get(f"{service}/.well-known/openid-configuration").respond(
            json={"issuer": service, "jwks_uri": f"{service}/jwks", **document}
        )
        router.post(f"{service}/revocation").mock(side_effect=revoke)
        yield tokens


FRESH = "/o/fresh/settings/connection/"


@pytest.mark.parametrize("person", ["helpdesk", "auditor"])
def test_settings_are_refused_to_members_without_the_role_org_admin(browser_of, request, acme, person) -> None:
    client = browser_of(request.getfixturevalue(person))

    assert {client.get(url).status_code for url in PAGES} == {403}
    assert {client.post(url, TYPED).status_code for url in ACTIONS} == {403}
    acme.connection.refresh_from_db()
    assert acme.connection.has_tokens


def test_settings_are_not_found_for_strangers(browser_of, acme, stranger) -> None:
    client = browser_of(stranger)

    assert {client.get(url).status_code for url in PAGES} == {404}
    assert {client.post(url, TYPED).status_code for url in ACTIONS} == {404}


@pytest.mark.parametrize("url", [f"{SETTINGS}connect/"])
def test_connect_refuses_get(admin, acme, url) -> None:
    assert admin.get(url).status_code == 405


def test_forged_form_of_another_site_is_refused(org_admin, acme, client) -> None:
    client.handler.enforce_csrf_checks = True
    client.force_login(org_admin)

    assert {client.post(url, TYPED).status_code for url in ACTIONS} == {403}


def test_settings_are_stored_with_the_secret_sealed(admin, fresh) -> None:
    response = admin.post(FRESH, TYPED, follow=True)

    assert "Saved the PingOne settings." in response.text
    connection = Connection.objects.get(organization=fresh)
    assert (connection.client_id, connection.auth_url, connection.environment_id) == (CLIENT, EU, PLACE)
    assert connection.client_authentication == Connection.ClientAuthentication.POST
    assert SECRET not in connection.sealed_client_secret
    assert connection.unseal("client_secret") == SECRET


@pytest.mark.parametrize(
    ("host", "uri_at"),
    [
        ("console.example.com", "console.example.com"),
        ("console.internal", "console.internal"),
        ("console.internal:8443", "console.example.com"),  # not the port that the console is reached at
        ("anything.example.net", "console.example.com"),  # a pattern allows it, so anyone may have chosen the name
        ("[::1]", "[::1]"),
    ],
)
def test_page_names_the_redirect_uri_at_the_name_that_the_operator_uses(admin, fresh, settings, host, uri_at) -> None:
    settings.PUBLIC_URL = "https://console.example.com"
    settings.ALLOWED_HOSTS = ["console.example.com", "console.internal", ".example.net", "[::1]"]

    for page in (FRESH, f"/o/{fresh.slug}/troubleshooting/support.txt"):
        told = admin.get(page, headers={"host": host}).text
        assert set(re.findall(r"https://[^/]+/connect/callback/", told)) == {f"https://{uri_at}/connect/callback/"}


def test_stored_secret_is_never_sent_back(admin, fresh) -> None:
    answers = [
        admin.post(FRESH, TYPED | {"environment_id": "nonsense"}),
        admin.get(FRESH),
        admin.post(FRESH, TYPED, follow=True),
        admin.get(FRESH),
        admin.post(FRESH, TYPED | {"client_secret": "", "auth_url": "nonsense"}),
    ]

    assert all(SECRET not in answer.text for answer in answers)
    assert all(SECRET not in str(answer.headers) + str(answer.cookies) for answer in answers)
    assert "Stored. Leave this empty to keep it" in answers[3].text


def test_empty_secret_keeps_the_stored_secret(admin, fresh) -> None:
    admin.post(FRESH, TYPED)
    admin.post(FRESH, TYPED | {"client_secret": "", "auth_url": "https://auth.pingone.ca"})

    connection = Connection.objects.get(organization=fresh)
    assert connection.auth_url == "https://auth.pingone.ca"
    assert connection.unseal("client_secret") == SECRET


def same_as(connection: Connection) -> dict[str, str]:
    """Return the data of the unchanged form."""
    return {
        "client_id": connection.client_id,
        "client_secret": "",
        "auth_url": connection.auth_url,
        "environment_id": str(connection.environment_id),
        "client_authentication": connection.client_authentication,
    }


def test_mistake_keeps_the_input_and_a_valid_secret(admin, fresh) -> None:
    refused = admin.post(FRESH, TYPED | {"environment_id": "Production"})
    assert refused.status_code == 422
    assert CLIENT in refused.text
    assert "Production" in refused.text
    assert "Your last entry is kept" in refused.text
    assert not Connection.objects.get(organization=fresh).sealed_client_secret

    admin.post(FRESH, TYPED | {"client_secret": ""})

    assert Connection.objects.get(organization=fresh).unseal("client_secret") == SECRET


def test_kept_secret_is_limited_to_one_organization_and_session(admin, fresh, acme, browser_of) -> None:
    admin.post(FRESH, TYPED | {"environment_id": "Production"})
    second = make_operator("second@acme.test", fresh, Membership.Role.ORG_ADMIN)

    elsewhere = browser_of(second).post(FRESH, TYPED | {"client_secret": ""})
    admin.post(SETTINGS, same_as(acme.connection))

    acme.connection.refresh_from_db()
    assert acme.connection.unseal("client_secret") == "the-client-secret"
    assert elsewhere.status_code == 422
    assert "Enter the client secret" in elsewhere.text
    assert SECRET not in str(dict(admin.session.items()))


def test_error_summary_links_to_each_mistake(admin, fresh) -> None:
    page = admin.post(FRESH, TYPED | {"auth_url": "", "client_id": ""}).text

    assert "Please check:" in page
    assert '<a href="#id_client_id">Client ID</a>' in page
    assert '<a href="#id_auth_url">Auth URL</a>' in page


def test_wrong_host_error_lists_all_six_auth_urls(admin, fresh) -> None:
    refused = admin.post(FRESH, TYPED | {"auth_url": "https://auth.pingone.de"})

    for tld in ("com", "ca", "eu", "com.au", "sg", "asia"):
        assert f"https://auth.pingone.{tld} (" in refused.text


def test_hostile_input_is_escaped(admin, fresh) -> None:
    hostile = '"><script>alert(1)</script>{{ settings.SECRET_KEY }}'
    refused = admin.post(FRESH, dict.fromkeys(TYPED, hostile))
    typing = admin.get(f"{FRESH}place/", {"auth_url": hostile, "environment_id": hostile})

    assert "<script>alert" not in refused.text + typing.text
    assert "only-for-tests" not in refused.text + typing.text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"auth_url": "auth.pingone.com.au"}, ["Australia", "https://api.pingone.com.au"]),
        ({"auth_url": "auth.pingone.test"}, ["Custom host", "https://api.pingone.test"]),
        ({"auth_url": "api.pingone.eu"}, ["is the management API"]),
        ({"auth_url": EU, "environment_id": "no"}, ["European Union", "is a UUID"]),
        ({}, ["Enter the Auth URL to see its region"]),
    ],
)
def test_region_and_api_url_are_shown_while_typing(admin, fresh, typed, shown) -> None:
    fragment = admin.get(f"{FRESH}place/", typed, headers={"HX-Request": "true"}).text

    assert all(words in fragment for words in shown)
    assert "<html" not in fragment
    assert 'name="environment_id"' not in fragment


def test_pasted_issuer_fills_in_the_environment_id(admin, fresh) -> None:
    fragment = admin.get(f"{FRESH}place/", {"auth_url": f"{EU}/{PLACE}/as"}).text

    assert f'value="{PLACE}"' in fragment
    assert 'hx-swap-oob="true"' in fragment


def test_region_and_api_url_are_shown_without_javascript(admin, fresh) -> None:
    page = admin.post(FRESH, TYPED, follow=True).text

    assert "European Union" in page
    assert "https://api.pingone.eu" in page


def test_other_credentials_end_the_connection_only_after_confirmation(admin, acme, revoked) -> None:
    other = TYPED | {"auth_url": "https://auth.pingone.test"}
    asked = admin.post(SETTINGS, other)
    assert asked.status_code == 422
    assert "The current connection ends immediately" in asked.text
    acme.connection.refresh_from_db()
    assert acme.connection.has_tokens
    assert acme.connection.client_id != CLIENT

    admin.post(SETTINGS, other | {"client_secret": "", "end_access": "on"})

    acme.connection.refresh_from_db()
    assert not acme.connection.has_tokens
    assert acme.connection.client_id == CLIENT
    assert acme.connection.unseal("client_secret") == SECRET
    assert revoked == ["the-access-token", "the-refresh-token"]


def test_connection_whose_host_left_the_list_is_replaced(admin, acme, settings) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {}

    told = admin.post(SETTINGS, TYPED | {"end_access": "on"}, follow=True)

    assert "Saved the PingOne settings." in told.text
    assert "PingOne did not confirm that it revoked them" in told.text, "a host that left the list is not contacted"
    acme.connection.refresh_from_db()
    assert (acme.connection.auth_url, acme.connection.has_tokens) == (EU, False)


def test_tokens_are_kept_if_the_change_cannot_be_recorded(admin, acme, monkeypatch) -> None:
    monkeypatch.setattr(entries, "append", lambda *_, **__: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        admin.post(SETTINGS, TYPED | {"auth_url": AUTH_URL, "end_access": "on"})

    acme.connection.refresh_from_db()
    assert acme.connection.has_tokens
    assert acme.connection.client_id != CLIENT


def test_ended_connection_is_replaced_without_confirmation(admin, acme, revoked) -> None:
    Connection.objects.filter(pk=acme.connection.pk).update(state=Connection.State.RECONNECT_NEEDED)

    admin.post(SETTINGS, TYPED | {"auth_url": "https://auth.pingone.test"})

    acme.connection.refresh_from_db()
    assert not acme.connection.has_tokens
    assert acme.connection.client_id == CLIENT


def test_new_secret_alone_keeps_the_connection(admin, acme) -> None:
    admin.post(SETTINGS, same_as(acme.connection) | {"client_secret": SECRET})

    acme.connection.refresh_from_db()
    assert acme.connection.has_tokens
    assert acme.connection.unseal("client_secret") == SECRET


def test_another_region_clears_the_managed_environment(admin, fresh) -> None:
    admin.post(FRESH, TYPED)
    Connection.objects.filter(organization=fresh).update(managed_environment_id=PLACE, managed_environment_name="Old")

    admin.post(FRESH, TYPED | {"auth_url": "https://auth.pingone.ca"})

    assert Connection.objects.get(organization=fresh).managed_environment_id is None


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("token-refresh-failure", "The connection to PingOne has ended. The &lt;b&gt;session&lt;/b&gt; ended."),
        ("no-longer-there", "PingOne refused the request. The &lt;b&gt;session&lt;/b&gt; ended."),
        ("", "<span>The &lt;b&gt;session&lt;/b&gt; ended."),
    ],
)
def test_history_shows_each_state_with_kind_and_cause(admin, acme, kind: str, told: str) -> None:
    ConnectionEvent.objects.create(
        connection=acme.connection,
        state=Connection.State.RECONNECT_NEEDED,
        kind=kind,
        cause="The <b>session</b> ended.",
    )

    page = admin.get(SETTINGS).text

    assert "Reconnect needed" in page
    assert told in page
