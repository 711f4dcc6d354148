"""Each check of the connection and its possible results, with canned PingOne answers."""

import base64
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx
import time_machine
from django.utils import timezone, translation

from console.models import Organization
from pingone_integration.calls import failed_calls
from pingone_integration.checks import BY_KEY, CHECKS, Result, State, Subject, network, run, run_all
from pingone_integration.connection.regions import REGIONS
from pingone_integration.models import Connection
from pingone_integration.texts import english
from tests.support.answers import error, listing
from tests.support.people import ADMINISTRATORS, API_URL, AUTH_URL, ENVIRONMENT
from tests.support.sign_on import CALLBACK, ISSUER, MARA, discoverable, discovery_document, tokens

DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
MANAGED = f"{API_URL}/v1/environments/{ENVIRONMENT}"
PERSON = f"{API_URL}/v1/environments/{ADMINISTRATORS}/users/{MARA}"
DATA_ADMIN = "d4c30000-0000-4000-8000-000000000001"
FORBIDDEN = error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")

Checked = Callable[..., Result]


@pytest.fixture
def connection(acme: Organization) -> Connection:
    """Return a connection made by Mara."""
    acme.connection.consented_by_id = str(MARA)
    acme.connection.consented_at = timezone.now() - timedelta(days=2)
    acme.connection.save()
    return acme.connection


@pytest.fixture
def checked(connection: Connection) -> Checked:
    """Return a function that runs a single check, after changing the given columns of the connection."""

    def checked(key: str, *, asked: bool = False, **columns: Any) -> Result:
        Connection.objects.filter(pk=connection.pk).update(**columns)
        return run(BY_KEY[key], Subject(connection, CALLBACK, renewal_asked_for=asked))

    return checked


def jwt(**claims: object) -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "x"}, claims)
    )
    return ".".join([*parts, "c2lnbmF0dXJl"])


def test_addresses_of_a_listed_host_pass(checked: Checked) -> None:
    assert checked("auth-url").state == State.PASSED
    assert API_URL in str(checked("api-url").finding.text)


@pytest.mark.parametrize(
    ("url", "kind"), [("", "settings-incomplete"), ("https://auth.pingone.evil.test", "invalid-api-url")]
)
def test_missing_or_unlisted_auth_url_fails(checked: Checked, url: str, kind: str) -> None:
    result = checked("auth-url", auth_url=url)

    assert (result.state, result.finding.kind) == (State.FAILED, kind)


def test_region_is_named(checked: Checked) -> None:
    assert "European Union" in str(checked("auth-url", auth_url="https://auth.pingone.eu").finding.text)


def test_host_names_are_looked_up(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def look_up(host: str, port: int, **more: Any) -> list[Any]:
        asked.append((host, port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    assert "192.0.2.7" in str(checked("host-name").finding.text)
    assert asked == [("auth.pingone.test", 443), ("api.pingone.test", 443)]


def test_host_name_without_an_address_fails(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    result = checked("host-name")

    assert (result.state, result.finding.kind) == (State.FAILED, "connection-failure")
    assert "cannot resolve auth.pingone.test." in str(result.finding.text)


@pytest.mark.parametrize(("days", "state"), [(90, State.PASSED), (5, State.WARNING)])
def test_certificate_shows_its_end(checked: Checked, monkeypatch: pytest.MonkeyPatch, days: int, state: State) -> None:
    ends = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(network, "_certificate_ends", lambda _: ends)

    result = checked("tls")

    assert result.state == state
    assert f"{ends:%Y-%m-%d}" in str(result.finding.text)


def test_host_without_tls_fails(checked: Checked, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"https://127.0.0.1:{nobody.getsockname()[1]}"
    settings.PINGONE_CUSTOM_HOSTS = {url: url}

    result = checked("tls", auth_url=url)

    assert (result.state, result.finding.kind) == (State.FAILED, "connection-failure")
    assert "Connection refused" in str(result.finding.text)


@pytest.mark.parametrize(
    ("url", "state"), [("http://127.0.0.1:8001", State.PASSED), ("http://sandbox.acme.test", State.WARNING)]
)
def test_plain_http_is_only_trusted_on_this_machine(checked: Checked, settings: Any, url: str, state: State) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {url: url}

    assert checked("tls", auth_url=url).state == state


def test_discovery_document_must_name_its_issuer(checked: Checked, wire: respx.MockRouter) -> None:
    discoverable(wire)
    assert ISSUER in str(checked("discovery").finding.text)

    discoverable(wire, issuer="https://evil.test/as")
    result = checked("discovery")
    assert (result.state, result.finding.kind) == (State.FAILED, "invalid-api-url")
    assert checked("environment").state == State.PASSED


def regions(wire: respx.MockRouter, *known_in: str) -> None:
    """Mock PingOne's regions; only those in `known_in` know the environment."""
    for region in REGIONS:
        issuer = f"{region.auth_url}/{ADMINISTRATORS}/as"
        route = wire.get(f"{issuer}/.well-known/openid-configuration")
        if region.code in known_in:
            route.respond(json=discovery_document(issuer))
        else:
            route.respond(404, json=error("NOT_FOUND"))


def test_environment_of_another_region_is_located(checked: Checked, wire: respx.MockRouter) -> None:
    regions(wire, "EU")

    result = checked("environment", auth_url="https://auth.pingone.com")

    assert (result.state, result.finding.kind) == (State.FAILED, "unknown-environment")
    assert result.finding.right_auth_url == "https://auth.pingone.eu"
    assert "https://auth.pingone.eu" in str(result.finding.advice)


def test_environment_of_no_region_is_reported(checked: Checked, wire: respx.MockRouter) -> None:
    regions(wire)
    wire.get(url__startswith="https://auth.pingone.asia").mock(side_effect=httpx.ConnectError("no route"))

    result = checked("environment", auth_url="https://auth.pingone.com")

    assert not result.finding.right_auth_url
    assert "No PingOne region has" in str(result.finding.text)


def test_environment_of_another_custom_host_is_located(checked: Checked, wire: respx.MockRouter, settings: Any) -> None:
    other = "https://login.acme.test"
    settings.PINGONE_CUSTOM_HOSTS = {AUTH_URL: API_URL, other: API_URL}
    wire.get(url__startswith=AUTH_URL).respond(404)
    issuer = f"{other}/{ADMINISTRATORS}/as"
    wire.get(f"{issuer}/.well-known/openid-configuration").respond(json=discovery_document(issuer))

    result = checked("environment")

    assert result.finding.right_auth_url == other
    assert f"It is at {other}." in str(result.finding.text)


def test_environment_of_a_custom_host_is_not_searched_in_the_regions(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(url__startswith=AUTH_URL).respond(404)

    assert checked("environment").finding.kind == "unknown-environment"
    assert {call.request.url.host for call in wire.calls} == {"auth.pingone.test"}


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, "invalid_grant", State.PASSED),
        (401, "invalid_client", State.FAILED),
        (400, "unauthorized_client", State.FAILED),
        (400, "invalid_request", State.CANNOT_TELL),
        (429, "", State.CANNOT_TELL),
        (503, "", State.FAILED),
    ],
)
def test_secret_is_tested_with_an_invalid_code(
    checked: Checked, wire: respx.MockRouter, connection: Connection, status: int, code: str, state: State
) -> None:
    discoverable(wire)
    wire.post(f"{ISSUER}/token").respond(status, json={"error": code} if code else {})

    result = checked("credentials")

    assert result.state == state
    asked = wire.calls.last.request.content.decode()
    assert "grant_type=authorization_code" in asked
    assert "the-refresh-token" not in asked
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED


def test_tokens_are_described_with_their_age(checked: Checked) -> None:
    result = checked("tokens")

    assert result.state == State.PASSED
    assert "Connected 2 days ago" in str(result.finding.text)
    assert "59 minutes" in str(result.finding.text)


def test_finding_is_translated_when_shown(checked: Checked) -> None:
    text = checked("tokens").finding.text

    with translation.override("de"):
        assert "2 Tage" in str(text)
        assert "2 days" in english(text)
    assert "2 days" in str(text)


@pytest.mark.parametrize(
    ("columns", "state", "kind"),
    [
        ({"sealed_refresh_token": ""}, State.WARNING, ""),
        ({"sealed_refresh_token": "spoilt"}, State.FAILED, "seal-broken"),
        ({"state": Connection.State.DISCONNECTED}, State.FAILED, "not-connected"),
        (
            {"state": Connection.State.RECONNECT_NEEDED, "state_kind": "token-refresh-failure"},
            State.FAILED,
            "token-refresh-failure",
        ),
    ],
)
def test_missing_tokens_are_reported(checked: Checked, columns: Any, state: State, kind: str) -> None:
    result = checked("tokens", **columns)

    assert (result.state, result.finding.kind) == (state, kind)


def test_valid_token_is_not_renewed(checked: Checked, wire: respx.MockRouter) -> None:
    assert "does not need to be renewed for 59 minutes" in str(checked("refresh").finding.text)
    assert not wire.calls


@pytest.mark.parametrize(("asked", "expires_in"), [(True, 3600), (False, -5), (True, -5)])
def test_token_is_renewed_once_when_due_or_requested(
    checked: Checked, wire: respx.MockRouter, connection: Connection, asked: bool, expires_in: int
) -> None:
    discoverable(wire)
    exchange = wire.post(f"{ISSUER}/token").respond(json=tokens())

    result = checked("refresh", asked=asked, access_token_expires_at=timezone.now() + timedelta(seconds=expires_in))

    assert "just renewed" in str(result.finding.text)
    assert exchange.call_count == 1
    connection.refresh_from_db()
    assert connection.unseal("access_token") == "new-access-token"


def test_renewal_refused_by_pingone_fails_with_its_code(checked: Checked, wire: respx.MockRouter) -> None:
    discoverable(wire)
    wire.post(f"{ISSUER}/token").respond(400, json={"error": "invalid_grant", "error_description": "x"})

    result = checked("refresh", access_token_expires_at=timezone.now())

    assert (result.state, result.finding.kind) == (State.FAILED, "token-refresh-failure")
    assert ("PingOne's code", "invalid_grant") in result.finding.ids


@pytest.mark.parametrize(
    ("off_by", "state", "words"),
    [
        (5, State.PASSED, "agree"),
        (120, State.WARNING, "2 minutes ahead of"),
        (-120, State.WARNING, "2 minutes behind"),
        (600, State.FAILED, "10 minutes ahead of"),
    ],
)
def test_clocks_are_compared(checked: Checked, wire: respx.MockRouter, off_by: int, state: State, words: str) -> None:
    now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
    there = format_datetime(now - timedelta(seconds=off_by), usegmt=True)
    wire.get(DISCOVERY).respond(200, headers={"Date": there})

    with time_machine.travel(now, tick=False):
        result = checked("clock")

    assert result.state == state
    assert words in str(result.finding.text)


def test_clock_cannot_be_judged_without_a_date(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(DISCOVERY).respond(200, headers={"Date": "yesterday"})

    assert checked("clock").state == State.CANNOT_TELL


@pytest.mark.parametrize(("status", "state"), [(401, State.PASSED), (403, State.PASSED), (502, State.FAILED)])
def test_api_is_asked_without_a_token(checked: Checked, wire: respx.MockRouter, status: int, state: State) -> None:
    wire.get(f"{API_URL}/v1/environments").respond(status)

    assert checked("api").state == state
    assert "Authorization" not in wire.calls.last.request.headers


def test_unreachable_api_fails(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(f"{API_URL}/v1/environments").mock(side_effect=httpx.ConnectError("refused"))

    assert checked("api").finding.kind == "connection-failure"


def visible(wire: respx.MockRouter, *ids: object) -> None:
    environments = [{"id": str(one), "name": "E"} for one in ids]
    wire.get(f"{API_URL}/v1/environments").respond(json=listing("environments", *environments))


def test_managed_environment_is_read(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(MANAGED).respond(json={"id": str(ENVIRONMENT), "name": "E", "status": "ACTIVE"})
    assert checked("managed-environment").state == State.PASSED

    wire.get(MANAGED).respond(json={"id": str(ENVIRONMENT), "name": "E", "status": "DELETE_PENDING"})
    assert checked("managed-environment").state == State.WARNING


def test_deleted_environment_is_not_a_missing_permission(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(MANAGED).respond(404, json=error("NOT_FOUND"))

    result = checked("managed-environment")

    assert (result.state, result.finding.kind) == (State.FAILED, "target-not-found")
    assert "no longer has" in str(result.finding.text)


def test_invisible_environment_is_told_apart_from_a_missing_permission(
    checked: Checked, wire: respx.MockRouter
) -> None:
    wire.get(MANAGED).respond(403, json=FORBIDDEN)

    visible(wire, ADMINISTRATORS)
    assert "has no role on the environment" in str(checked("managed-environment").finding.text)

    visible(wire, ENVIRONMENT)
    assert "is listed, but cannot be read" in str(checked("managed-environment").finding.text)

    wire.get(f"{API_URL}/v1/environments").respond(403, json=FORBIDDEN)
    assert checked("managed-environment").state == State.CANNOT_TELL


def test_missing_choice_of_an_environment_is_reported(checked: Checked) -> None:
    assert checked("managed-environment", managed_environment_id=None).finding.kind == "no-environment-chosen"


def test_list_checked_alone_tells_an_invisible_environment_from_a_missing_permission(
    checked: Checked, wire: respx.MockRouter
) -> None:
    wire.get(f"{MANAGED}/users").respond(403, json=FORBIDDEN)
    wire.get(MANAGED).respond(403, json=FORBIDDEN)
    visible(wire, ADMINISTRATORS)

    assert "has no role on the environment" in str(checked("read-users").finding.text)


def test_check_is_not_counted_as_a_failed_call(
    checked: Checked, wire: respx.MockRouter, connection: Connection
) -> None:
    wire.get(MANAGED).respond(404, json=error("NOT_FOUND"))

    checked("managed-environment")

    assert failed_calls.lately(connection) == []


@pytest.mark.parametrize("what", ["users", "populations", "groups"])
@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, {"_embedded": {}}, State.PASSED),
        (403, FORBIDDEN, State.FAILED),
        (403, {"message": "no such path"}, State.FAILED),
        (500, {}, State.CANNOT_TELL),
        (429, {}, State.CANNOT_TELL),
    ],
)
def test_lists_are_read(
    checked: Checked, wire: respx.MockRouter, what: str, status: int, body: Any, state: State
) -> None:
    wire.get(f"{MANAGED}/{what}").respond(status, json=body)
    wire.get(MANAGED).respond(json={"id": str(ENVIRONMENT), "name": "E"})

    result = checked(f"read-{what}")

    assert result.state == state
    if state == State.FAILED:
        assert "Identity Data Read Only" in str(result.finding.advice)


def test_environments_are_counted(checked: Checked, wire: respx.MockRouter) -> None:
    visible(wire, ENVIRONMENT)
    assert checked("read-environments").finding.text == "1 environment is visible."

    wire.get(f"{API_URL}/v1/environments").respond(403, json=FORBIDDEN)
    assert checked("read-environments").state == State.FAILED


def roles(wire: respx.MockRouter, *permissions: str, scope: str = "ENVIRONMENT", on: object = ENVIRONMENT) -> None:
    """Give Mara one role with these permissions, and no groups."""
    assignment = {"id": str(MARA), "role": {"id": DATA_ADMIN}, "scope": {"id": str(on), "type": scope}}
    role = {"id": DATA_ADMIN, "name": "Some role", "permissions": [{"id": one} for one in permissions]}
    wire.get(f"{PERSON}/roleAssignments").respond(json=listing("roleAssignments", assignment))
    wire.get(f"{PERSON}/memberOfGroups").respond(json=listing("groupMemberships"))
    wire.get(f"{API_URL}/v1/roles").respond(json=listing("roles", role))
    wire.get(f"{MANAGED}/roles").respond(json=listing("roles", role))


def test_changes_are_judged_by_roles_and_never_tried(checked: Checked, wire: respx.MockRouter) -> None:
    roles(wire, "dir:create:user", "dir:update:user")

    assert checked("change-users").state == State.PASSED
    result = checked("change-groups")

    assert (result.state, result.finding.kind) == (State.FAILED, "missing-permission")
    assert "dir:create:groupMembership" in str(result.finding.text)
    assert {call.request.method for call in wire.calls} == {"GET"}


def test_role_on_another_environment_does_not_count(checked: Checked, wire: respx.MockRouter) -> None:
    roles(wire, "dir:create:user", "dir:update:user", on=ADMINISTRATORS)

    assert checked("change-users").state == State.FAILED


def test_role_on_the_organization_counts(checked: Checked, wire: respx.MockRouter) -> None:
    roles(wire, "dir:create:user", "dir:update:user", scope="ORGANIZATION", on=DATA_ADMIN)

    assert checked("change-users").state == State.PASSED


@pytest.mark.parametrize(("status", "state"), [(200, State.WARNING), (403, State.FAILED)])
def test_role_on_a_population_counts_in_the_environment_of_the_population(
    checked: Checked, wire: respx.MockRouter, status: int, state: State
) -> None:
    roles(wire, "dir:create:user", "dir:update:user", scope="POPULATION", on=MARA)
    wire.get(f"{MANAGED}/populations/{MARA}").respond(status, json={"id": str(MARA)} if status == 200 else FORBIDDEN)

    assert checked("change-users").state == state


def test_roles_held_through_a_group_count(checked: Checked, wire: respx.MockRouter) -> None:
    roles(wire, "dir:create:user", "dir:update:user")
    assignments = wire.get(f"{PERSON}/roleAssignments").respond(json=listing("roleAssignments"))
    wire.get(f"{PERSON}/memberOfGroups").respond(json=listing("groupMemberships", {"id": DATA_ADMIN}))
    through = {"id": str(MARA), "role": {"id": DATA_ADMIN}, "scope": {"id": str(ENVIRONMENT), "type": "ENVIRONMENT"}}
    of_group = f"{API_URL}/v1/environments/{ADMINISTRATORS}/groups/{DATA_ADMIN}/roleAssignments"
    wire.get(of_group).respond(json=listing("roleAssignments", through))
    assert checked("change-users").state == State.PASSED
    assert assignments.called

    wire.get(of_group).respond(403, json=FORBIDDEN)
    assert checked("change-users").state == State.CANNOT_TELL


@pytest.mark.parametrize("hidden", [f"{PERSON}/roleAssignments", f"{API_URL}/v1/roles"])
def test_hidden_roles_are_not_guessed(checked: Checked, wire: respx.MockRouter, hidden: str) -> None:
    roles(wire, "dir:create:user")
    wire.get(hidden).respond(403, json=FORBIDDEN)

    assert checked("manage-passwords").state == State.CANNOT_TELL


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ({"rlgDirAccessRps": {"limit": 100}, "rlgDirWriteRps": {"limit": 50}}, State.PASSED, "100 reads, 50 changes"),
        ({"rlgDirAccessRps": {"limit": 2}}, State.WARNING, "2 reads"),
        ({}, State.CANNOT_TELL, "does not say"),
    ],
)
def test_license_limits_are_shown(
    checked: Checked, wire: respx.MockRouter, settings: Any, answer: Any, state: State, words: str
) -> None:
    wire.get(f"{MANAGED}/capabilities").respond(json={"licenseQuantities": answer})
    wire.get(f"{MANAGED}/rateLimitIpConfigs").respond(
        json={"_embedded": {"rateLimitIpConfigs": [{"type": "WHITELIST", "value": "203.0.113.0/24"}]}}
    )

    result = checked("rate-limits")

    assert result.state == state
    assert words in str(result.finding.text)
    assert "This server may use 35 %" in str(result.finding.text)
    assert "If this server's are among them, set OUTGOING_ADDRESSES." in str(result.finding.text)
    settings.OUTGOING_ADDRESSES = ["203.0.113.7"]
    excepted = str(checked("rate-limits").finding.text)
    assert "This server may use 100 %" in excepted
    assert "PingOne's allowed IPs include this server's." in excepted


def test_hidden_limits_are_not_guessed(checked: Checked, wire: respx.MockRouter) -> None:
    wire.get(f"{MANAGED}/capabilities").respond(403, json=FORBIDDEN)
    wire.get(f"{MANAGED}/rateLimitIpConfigs").respond(403, json=FORBIDDEN)

    assert checked("rate-limits").state == State.CANNOT_TELL


@pytest.mark.parametrize(("day", "state"), [("2026-11-24", State.WARNING), ("2027-03-02", State.FAILED)])
def test_refresh_token_in_the_old_format_is_reported(
    checked: Checked, connection: Connection, day: str, state: State
) -> None:
    with time_machine.travel(day):
        assert checked("refresh-token").state == State.PASSED

        result = checked("refresh-token", sealed_refresh_token=connection.seal("refresh_token", jwt(exp=1)))

    assert result.state == state
    assert "2027-03-02" in str(result.finding.text)


@pytest.mark.parametrize("odd", ["a.b.c", "..", "e30.e30.e30", "ä.ö.ü", "[1].[2].[3]"])
def test_refresh_token_in_any_other_format_is_opaque(checked: Checked, connection: Connection, odd: str) -> None:
    sealed = connection.seal("refresh_token", odd)

    assert checked("refresh-token", sealed_refresh_token=sealed).state == State.PASSED
    assert checked("sign-on-due", sealed_refresh_token=sealed).state == State.CANNOT_TELL


@pytest.mark.parametrize(("days", "state"), [(20, State.PASSED), (3, State.WARNING), (-1, State.FAILED)])
def test_refresh_token_end_is_shown_if_known(checked: Checked, connection: Connection, days: int, state: State) -> None:
    ends = timezone.now() + timedelta(days=days)
    sealed = connection.seal("refresh_token", jwt(exp=int(ends.timestamp())))

    result = checked("sign-on-due", sealed_refresh_token=sealed)

    assert result.state == state
    assert f"{ends:%Y-%m-%d}" in str(result.finding.text)


def test_opaque_refresh_token_end_is_marked_as_an_estimate(checked: Checked) -> None:
    issued = datetime(2026, 11, 1, tzinfo=UTC)

    result = checked("sign-on-due", refresh_token_issued_at=issued)

    assert result.state == State.CANNOT_TELL
    assert "2026-12-01" in str(result.finding.text)


def test_failed_check_skips_its_dependents_and_the_rest_continues(
    connection: Connection, wire: respx.MockRouter
) -> None:
    Connection.objects.filter(pk=connection.pk).update(auth_url="https://elsewhere.test")

    states = {result.check.key: result.state for result in run_all(Subject(connection, CALLBACK))}

    assert list(states) == [check.key for check in CHECKS]
    assert states["auth-url"] == State.FAILED
    assert states["credentials"] == states["read-users"] == State.SKIPPED
    assert states["tokens"] == states["refresh-token"] == State.PASSED
    assert not wire.calls


def test_wrong_secret_keeps_the_refresh_token_from_being_sent(
    connection: Connection, wire: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_addresses", lambda _: ["192.0.2.7"])
    monkeypatch.setattr(network, "_certificate_ends", lambda _: timezone.now() + timedelta(days=90))
    wire.get(f"{API_URL}/v1/environments").respond(401)
    discoverable(wire)
    refused = wire.post(f"{ISSUER}/token").respond(401, json={"error": "invalid_client"})
    Connection.objects.filter(pk=connection.pk).update(access_token_expires_at=timezone.now())

    states = {result.check.key: result.state for result in run_all(Subject(connection, CALLBACK))}

    assert (states["credentials"], states["refresh"]) == (State.FAILED, State.SKIPPED)
    assert not any("the-refresh-token" in call.request.content.decode() for call in refused.calls)
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED


def test_check_does_not_begin_after_the_time_limit(connection: Connection, wire: respx.MockRouter) -> None:
    results = list(run_all(Subject(connection, CALLBACK), within_s=-1))

    assert {result.state for result in results} == {State.SKIPPED}
    assert "took too long" in str(results[0].finding.text)
    assert not wire.calls


def test_check_only_needs_earlier_checks() -> None:
    for place, check in enumerate(CHECKS):
        assert set(check.needs) <= {earlier.key for earlier in CHECKS[:place]}
