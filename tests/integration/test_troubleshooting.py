"""The troubleshooting page with the sandbox on a real socket: it detects, explains and helps to repair each fault."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from console.models import AuditEntry, Organization
from pingone_integration.connection import grants
from pingone_integration.connection.oauth import open_client
from pingone_integration.models import Connection
from tests.support.people import make_operator
from tests.support.sandbox_connection import connect
from tests.support.sandbox_server import Sandbox, running_sandbox
from tests.support.troubleshooting import EVERY_ROW, PAGE, states, steps

SETTINGS = "/o/acme/settings/connection/"


@pytest.fixture
def admin_of() -> Callable[[Connection], Client]:
    """Return a function that signs in an org admin of a connection."""

    def signed_in(connection: Connection) -> Client:
        organization = Organization.objects.create(slug="acme", name="Acme", connection=connection)
        client = Client()
        client.force_login(make_operator("admin@acme.test", organization, "org_admin"))
        return client

    return signed_in


def set_columns(connection: Connection, **columns: Any) -> None:
    Connection.objects.filter(pk=connection.pk).update(**columns)


def failed(html: str) -> dict[str, str]:
    """Return the error kind of each failed check, by check key. Each has a link to the explanation of its kind."""
    found = dict(re.findall(r'data-check="([^"]+)" data-state="failed" data-kind="([^"]+)"', html))
    assert len(found) == list(states(html).values()).count("failed")
    for kind in found.values():
        assert f'href="{PAGE}#kind-{kind}"' in html
    return found


def verdicts(html: str) -> dict[str, str]:
    rows = re.findall(r'data-verdict="([^"]+)">\s*<th scope="row">([^<]+)</th>', html)
    return {name: verdict for verdict, name in rows}


def test_good_connection_passes_step_by_step_and_all_at_once(
    admin_of: Callable[[Connection], Client], connection: Connection
) -> None:
    admin = admin_of(connection)

    at_once = states(admin.get(f"{PAGE}checks/").text)
    live = {key: states(html)[key] for key, html in steps(admin)}

    assert live == at_once
    assert set(live.values()) == {"passed", "cannot-tell"}
    can = verdicts(admin.get(f"{PAGE}capabilities/").text)
    assert list(can) == EVERY_ROW
    assert {name for name, verdict in can.items() if verdict == "can"} == {"Get user", "List users", "Call API"}
    assert "cannot" not in can.values()


def test_wrong_secret_is_detected_and_repaired_with_the_right_secret(
    admin_of: Callable[[Connection], Client], connection: Connection, sandbox: Sandbox
) -> None:
    set_columns(connection, sealed_client_secret=connection.seal("client_secret", "not-the-secret"))
    admin = admin_of(connection)

    html = admin.get(f"{PAGE}checks/").text
    assert failed(html) == {"credentials": "authentication-error"}
    assert "not-the-secret" not in html

    typed = {
        "client_id": connection.client_id,
        "client_secret": sandbox.details["client_secret"],
        "auth_url": connection.auth_url,
        "environment_id": str(connection.environment_id),
        "client_authentication": connection.client_authentication,
    }
    admin.post(SETTINGS, typed)

    assert failed(admin.get(f"{PAGE}checks/").text) == {}


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Start a second PingOne, as if in another region."""
    with running_sandbox(tmp_path_factory.mktemp("elsewhere"), "--users", "0") as started:
        yield started


def test_wrong_region_is_detected_and_corrected_with_a_click(
    admin_of: Callable[[Connection], Client],
    unconnected: Connection,
    sandbox: Sandbox,
    elsewhere: Sandbox,
    settings: Any,
) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {elsewhere.url: elsewhere.url, sandbox.url: sandbox.url}
    only_there = sandbox.copy("sandbox_environment", sandbox.details["environment_id"])
    set_columns(unconnected, auth_url=elsewhere.url, environment_id=only_there)
    admin = admin_of(unconnected)

    html = admin.get(f"{PAGE}checks/").text
    assert failed(html)["environment"] == "unknown-environment"
    right = re.search(r'name="auth_url" value="([^"]+)"', html)
    assert right
    assert right[1] == sandbox.url

    page = admin.post(f"{PAGE}auth-url/", {"auth_url": right[1]}, follow=True).text

    assert f"Changed the Auth URL to {sandbox.url}." in page
    assert AuditEntry.objects.filter(action="connection.settings-changed").count() == 1
    assert states(admin.get(f"{PAGE}checks/environment/").text)["environment"] == "passed"


def test_missing_role_is_named_with_its_consequences(
    admin_of: Callable[[Connection], Client], unconnected: Connection, sandbox: Sandbox
) -> None:
    admin = admin_of(connect(unconnected, sandbox, "enno.environment"))

    html = unescape(admin.get(f"{PAGE}checks/").text)
    assert failed(html) == {"read-users": "missing-permission"}
    assert "dir:read:user is missing" in html

    html = unescape(admin.get(f"{PAGE}capabilities/").text)
    assert verdicts(html)["List users"] == "cannot"
    assert "Identity Data Read Only" in html

    refused = admin.get("/o/acme/users/").text
    assert f'href="{PAGE}#kind-missing-permission"' in refused
    assert '<tr data-kind="missing-permission"' in admin.get(PAGE).text.partition('id="lately"')[2]


def test_invisible_environment_is_told_apart_from_a_missing_permission(
    admin_of: Callable[[Connection], Client], connection: Connection, sandbox: Sandbox
) -> None:
    set_columns(connection, managed_environment_id=UUID(sandbox.details["second_environment_id"]))
    admin = admin_of(connection)

    assert "has no role on the environment" in admin.get(f"{PAGE}checks/read-users/").text
    assert set(verdicts(admin.get(f"{PAGE}capabilities/").text).values()) == {"cannot"}

    set_columns(connection, managed_environment_id=uuid4())
    assert failed(admin.get(f"{PAGE}checks/").text) == {"managed-environment": "target-not-found"}


def test_revoked_grant_is_detected_counted_and_shown_to_everybody(
    admin_of: Callable[[Connection], Client], connection: Connection
) -> None:
    admin = admin_of(connection)
    refresh_token = connection.unseal("refresh_token")
    grants.revoke_tokens(open_client(connection), access_token="", refresh_token=refresh_token)

    renewed = admin.post(f"{PAGE}checks/refresh/", follow=True).text

    assert failed(renewed) == {"refresh": "token-refresh-failure"}
    assert ", then reconnect" in renewed
    lately = admin.get(PAGE).text.partition('id="lately"')[2]
    assert "Renewal of the access token" in lately
    support = admin.get(f"{PAGE}support.txt").content.decode()
    assert "token-refresh-failure: 1 time" in support
    assert refresh_token not in support
    agent = Client()
    agent.force_login(make_operator("agent@acme.test", Organization.objects.get(), "helpdesk_agent"))
    html = agent.get(PAGE).text
    assert "Ask an org admin of Acme: admin@acme.test." in html
    assert f'href="{PAGE}#kind-token-refresh-failure"' in html
