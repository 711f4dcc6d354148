"""The choice of the managed environment, and disconnecting."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import respx
import time_machine
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, Membership
from pingone_integration.models import Connection
from tests.support.people import ADMINISTRATORS, API_URL, ENVIRONMENT, make_operator
from tests.support.sessions import signed_in_now
from tests.support.sign_on import ISSUER, discoverable

SETTINGS = "/o/acme/settings/connection/"
CHOICE = f"{SETTINGS}environments/"
DISCONNECT = f"{SETTINGS}disconnect/"
OTHER = UUID("11111111-2222-4333-8444-555555555555")


def environment(environment_id: UUID, name: str, **more: Any) -> dict[str, Any]:
    return {"id": str(environment_id), "name": name, "type": "SANDBOX", "region": "EU", "status": "ACTIVE"} | more


SEVERAL = [
    environment(ENVIRONMENT, "Acme production", type="PRODUCTION"),
    environment(OTHER, "Acme trial"),
    environment(ADMINISTRATORS, "Administrators"),
]


@pytest.fixture
def admin(browser_of, org_admin) -> Client:
    client: Client = browser_of(org_admin)
    return client


@pytest.fixture
def service() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        discoverable(router)
        router.post(f"{ISSUER}/revoke").respond(200)
        yield router


@pytest.fixture
def seen(service):
    """Return a function that mocks the environments that the administrator who connected can see."""

    def answer(environments: list[dict[str, Any]]) -> None:
        service.get(f"{API_URL}/v1/environments").respond(json={"_embedded": {"environments": environments}})

    return answer


def guard_on(page: str) -> str:
    found = re.search(r'name="guard" value="([^"]+)"', page)
    assert found
    return found[1]


def choose(client: Client, environment: str, *, guard: str | None = None) -> Any:
    """Press the button of an environment, without JavaScript. `guard`: of a list loaded elsewhere or earlier."""
    form = {"environment": environment, "guard": guard_on(client.get(CHOICE).text) if guard is None else guard}
    return client.post(CHOICE, form, follow=True)


def test_environments_are_shown_with_name_type_region_and_id(admin, seen) -> None:
    seen(SEVERAL)

    page = admin.get(CHOICE).text

    for words in ("Acme trial", "Production", "Sandbox", "European Union", str(OTHER), "Administrators sign in here"):
        assert words in page
    assert "Managed now" in page


def test_chosen_environment_becomes_the_managed_environment(admin, seen, acme) -> None:
    seen(SEVERAL)

    told = choose(admin, str(OTHER))

    assert "Acme now manages Acme trial." in told.text
    acme.connection.refresh_from_db()
    assert (acme.connection.managed_environment_id, acme.connection.managed_environment_name) == (OTHER, "Acme trial")
    assert AuditEntry.objects.get().after == {"managed_environment": "Acme trial"}


@pytest.mark.parametrize("chosen", ["", "nonsense", f"../{OTHER}", str(ADMINISTRATORS), str(OTHER)])
def test_environment_must_be_active_and_shown_by_pingone(admin, seen, acme, chosen) -> None:
    seen([SEVERAL[0], environment(OTHER, "Going", status="DELETE_PENDING")])

    told = choose(admin, chosen)

    assert "This environment is no longer available" in told.text
    assert "Being deleted" in told.text
    acme.connection.refresh_from_db()
    assert acme.connection.managed_environment_id == ENVIRONMENT


def again(connection: Connection) -> None:
    """Change what another approval changes."""
    Connection.objects.filter(pk=connection.pk).update(consented_at=timezone.now())


def test_expired_choice_says_so_and_changes_nothing(admin, seen, acme, browser_of, org_admin) -> None:
    seen(SEVERAL)
    guard = guard_on(admin.get(CHOICE).text)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        too_late = choose(signed_in_now(admin), str(OTHER), guard=guard)
    signed_in_now(admin)
    signed_in_again = choose(browser_of(org_admin), str(OTHER), guard=guard)
    made_up = [choose(admin, str(OTHER), guard=value) for value in ("", "made up", f"{guard}x")]
    again(acme.connection)
    connected_again = choose(admin, str(OTHER), guard=guard)

    for answer in (too_late, signed_in_again, *made_up, connected_again):
        assert "This choice has expired" in answer.text
        assert "Acme trial" in answer.text, "and the list is there to choose again"
    acme.connection.refresh_from_db()
    assert acme.connection.managed_environment_id == ENVIRONMENT


def test_choice_belongs_to_one_operator_and_organization(admin, seen, acme, globex, browser_of, stranger) -> None:
    seen(SEVERAL)
    guard = guard_on(admin.get(CHOICE).text)
    theirs = browser_of(stranger)
    colleague = browser_of(make_operator("second@acme.test", acme, Membership.Role.ORG_ADMIN))

    assert theirs.get(CHOICE).status_code == 404
    assert theirs.post(CHOICE, {"environment": str(OTHER), "guard": guard}).status_code == 404
    elsewhere = theirs.post(CHOICE.replace("acme", "globex"), {"environment": str(OTHER), "guard": guard}, follow=True)
    assert "This choice has expired" in elsewhere.text
    assert "This choice has expired" in choose(colleague, str(OTHER), guard=guard).text
    for connection in (acme.connection, globex.connection):
        connection.refresh_from_db()
        assert connection.managed_environment_id == ENVIRONMENT


@pytest.mark.parametrize("status", [200, 403])
def test_environment_page_names_the_missing_role_and_the_type_of_application(admin, service, seen, status) -> None:
    answer: dict[str, Any] = {"_embedded": {"environments": []}} if status == 200 else {"code": "ACCESS_FAILED"}
    service.get(f"{API_URL}/v1/environments").respond(status, json=answer)

    page = admin.get(CHOICE).text

    assert "only a <strong>Worker</strong> acts" in page
    assert "PingOne shows no environments" in page
    assert "Identity Data Admin" in page


def test_environments_can_be_searched_by_name_and_id(admin, seen) -> None:
    many = [environment(uuid4(), f"Customer {number}") for number in range(30)]
    seen([*many, environment(OTHER, "Überall GmbH")])

    assert "Name or ID contains" in admin.get(CHOICE).text
    by_name = admin.get(CHOICE, {"q": "überall"}).text
    by_id = admin.get(CHOICE, {"q": str(OTHER)[:8]}).text
    nothing = admin.get(CHOICE, {"q": "<b>"}).text

    assert "1 of 31 environments" in by_name
    assert "1 of 31 environments" in by_id
    assert "No environment has this name or ID" in nothing
    assert "<b>" not in nothing


def test_hostile_environment_name_is_escaped(admin, seen) -> None:
    seen([*SEVERAL, environment(uuid4(), "<script>alert(1)</script>{{ settings.SECRET_KEY }}"), {"id": "no uuid"}])

    page = admin.get(CHOICE).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ settings.SECRET_KEY }}" in page
    assert "<script>alert" not in page


def test_environment_choice_needs_a_connection(admin, acme) -> None:
    Connection.objects.filter(pk=acme.connection.pk).update(state=Connection.State.DISCONNECTED)

    response = admin.get(CHOICE)

    assert response.status_code == 409
    assert "not connected to PingOne" in response.text


def test_disconnecting_asks_for_confirmation_on_a_page(admin, acme, service) -> None:
    page = admin.get(DISCONNECT)

    assert "Disconnect PingOne?" in page.text
    assert "revoked in PingOne and deleted here" in page.text
    acme.connection.refresh_from_db()
    assert acme.connection.has_tokens


def test_disconnecting_revokes_and_erases_the_tokens_and_keeps_the_settings(admin, acme, service) -> None:
    told = admin.post(DISCONNECT, follow=True)

    assert "Disconnected Acme from PingOne." in told.text
    revoked = [call.request.content.decode() for call in service.calls if call.request.url.path.endswith("/revoke")]
    assert any("the-refresh-token" in body for body in revoked)
    assert any("the-access-token" in body for body in revoked)
    connection = Connection.objects.get(pk=acme.connection.pk)
    assert connection.state == Connection.State.DISCONNECTED
    assert not connection.has_tokens
    assert connection.unseal("client_secret") == "the-client-secret"
    assert "Disconnected here." in admin.get(SETTINGS).text
    assert AuditEntry.objects.get().action == "connection.disconnected"


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.ConnectError("gone")], ids=["outage", "unreachable"])
def test_unconfirmed_revocation_is_reported_and_the_tokens_are_erased(admin, acme, service, answer) -> None:
    service.post(f"{ISSUER}/revoke").mock(side_effect=[answer, answer])

    told = admin.post(DISCONNECT, follow=True)

    assert "PingOne did not confirm that it revoked them" in told.text
    assert "/o/acme/troubleshooting/#kind-" in told.text
    acme.connection.refresh_from_db()
    assert not acme.connection.has_tokens


def test_disconnecting_twice_is_harmless(admin, acme, service) -> None:
    admin.post(DISCONNECT)

    assert admin.post(DISCONNECT).headers["Location"] == SETTINGS
    assert admin.get(DISCONNECT).headers["Location"] == SETTINGS
