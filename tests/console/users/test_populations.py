"""Population data: synced on request, stored with the time, and separate for each organization."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
import respx
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from console.models import Operator, Organization
from pingone_integration import population_sync
from pingone_integration.connection.open_api import open_api
from pingone_integration.models import Connection, SyncedPopulation

pytestmark = pytest.mark.database

STAFF = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
PARTNERS = "1d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
POLICY = "2c4e6a80-1357-4bdf-9ace-02468bdf1357"

BrowserOf = Callable[[Operator], Client]


def listed(*populations: dict[str, object]) -> dict[str, object]:
    return {"_embedded": {"populations": list(populations)}, "size": len(populations)}


def staff(**changes: object) -> dict[str, object]:
    return {
        "id": STAFF,
        "name": "Staff",
        "default": True,
        "userCount": 1284,
        "passwordPolicy": {"id": POLICY},
    } | changes


def partners(**changes: object) -> dict[str, object]:
    return {"id": PARTNERS, "name": "Partners <b>&</b> {{ friends }}", "userCount": 3} | changes


def answer(pingone: respx.MockRouter, *populations: dict[str, object]) -> None:
    pingone.get("/populations").respond(json=listed(*populations))
    if any("passwordPolicy" in population for population in populations):
        policies = {"_embedded": {"passwordPolicies": [{"id": POLICY, "name": "Strict"}]}}
        pingone.get("/passwordPolicies").respond(json=policies)


def test_sync_lists_the_populations_of_pingone(
    browser_of: BrowserOf, helpdesk: Operator, acme: Organization, pingone: respx.MockRouter
) -> None:
    answer(pingone, partners(), staff())

    response = browser_of(helpdesk).post(reverse("sync-populations", args=["acme"]), follow=True)

    text = response.content.decode()
    assert "Synced 2 populations from PingOne." in text
    assert text.index("Staff") < text.index("Partners")  # the default population comes first
    assert "Strict" in text
    assert "1287 users" in text
    assert "&lt;b&gt;&amp;&lt;/b&gt; {{ friends }}" in text
    assert f"{reverse('users', args=['acme'])}?population={STAFF}" in text


def test_population_page_makes_no_call(browser_of: BrowserOf, auditor: Operator, pingone: respx.MockRouter) -> None:
    response = browser_of(auditor).get(reverse("populations", args=["acme"]))

    assert "No population data yet" in response.content.decode()
    assert not pingone.calls


def test_auditor_sees_populations_but_cannot_sync_them(browser_of: BrowserOf, auditor: Operator) -> None:
    client = browser_of(auditor)

    assert reverse("sync-populations", args=["acme"]) not in client.get("/o/acme/populations/").content.decode()
    assert client.post("/o/acme/populations/sync/").status_code == 403


def test_second_sync_updates_and_removes_populations(acme: Organization, pingone: respx.MockRouter) -> None:
    connection = acme.connection
    answer(pingone, staff(), partners())
    population_sync.sync(connection, open_api(connection))
    answer(pingone, staff(name="Everybody", userCount=5))

    population_sync.sync(connection, open_api(connection))

    assert [(row.name, row.user_count) for row in population_sync.synced(connection)] == [("Everybody", 5)]


def test_failed_sync_keeps_the_previous_data(acme: Organization, pingone: respx.MockRouter) -> None:
    connection = acme.connection
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
        answer(pingone, staff())
        acme.connection.access_token_expires_at = datetime(2027, 1, 1, tzinfo=UTC)
        acme.connection.save()
        population_sync.sync(connection, open_api(connection))
    pingone.get("/populations").respond(403, json={"code": "ACCESS_FAILED"})

    with pytest.raises(CommandError, match="acme"):
        call_command("sync_populations", "acme", stdout=StringIO(), stderr=StringIO())

    assert [row.name for row in population_sync.synced(connection)] == ["Staff"]
    assert population_sync.synced_at(connection) == datetime(2026, 11, 1, tzinfo=UTC)


def test_sync_accepts_extreme_values_and_duplicates(acme: Organization, pingone: respx.MockRouter) -> None:
    answer(pingone, staff(name="x" * 5000, userCount=2**70), partners(userCount=-1), partners(name="Partners, again"))

    population_sync.sync(acme.connection, open_api(acme.connection))

    kept = [(row.name, row.user_count) for row in population_sync.synced(acme.connection)]
    assert kept == [("x" * 256, None), ("Partners, again", 3)]


def test_unreadable_password_policy_is_shown_by_id(acme: Organization, pingone: respx.MockRouter) -> None:
    pingone.get("/populations").respond(json=listed(staff()))
    pingone.get("/passwordPolicies").respond(403, json={"code": "ACCESS_FAILED"})

    population_sync.sync(acme.connection, open_api(acme.connection))

    assert population_sync.synced(acme.connection).get().password_policy == POLICY


def test_new_environment_has_no_populations(acme: Organization, pingone: respx.MockRouter) -> None:
    answer(pingone, staff())
    population_sync.sync(acme.connection, open_api(acme.connection))

    acme.connection.managed_environment_id = UUID("99999999-9a34-4f0d-8c55-2f6e0d9a7711")

    assert not population_sync.synced(acme.connection)
    assert population_sync.synced_at(acme.connection) is None


def test_sync_command_skips_organizations_that_are_not_connected(
    acme: Organization, globex: Organization, pingone: respx.MockRouter
) -> None:
    globex.connection.state = Connection.State.DISCONNECTED
    globex.connection.save()
    answer(pingone, staff())
    pingone.get("/capabilities").respond(json={"licenseQuantities": {"rlgDirAccessRps": {"limit": 100}}})
    pingone.get("/rateLimitIpConfigs").respond(403, json={"code": "ACCESS_FAILED"})
    out = StringIO()

    call_command("sync_populations", stdout=out)

    assert out.getvalue().splitlines() == ["acme: populations synced: 1", "globex: disconnected, skipped"]
    assert Connection.objects.get(pk=acme.connection_id).licensed_calls == 100
    assert {row.connection_id for row in SyncedPopulation.objects.all()} == {acme.connection_id}


def test_sync_command_refuses_an_unknown_organization(acme: Organization) -> None:
    with pytest.raises(CommandError, match="No such organization: acne"):
        call_command("sync_populations", "acne")


def test_populations_are_not_shown_to_another_organization(
    browser_of: BrowserOf, acme: Organization, stranger: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, staff())
    population_sync.sync(acme.connection, open_api(acme.connection))
    client = browser_of(stranger)

    assert client.get("/o/acme/populations/").status_code == 404
    assert "Staff" not in client.get("/o/globex/populations/").content.decode()
