"""The connect flow against a PingOne of canned answers: what is asked, what is stored, and every way it can fail."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
import time_machine
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.utils import timezone
from joserfc.jwk import RSAKey

from console.models import Organization
from pingone_integration import authorization
from pingone_integration.errors import (
    AuthenticationError,
    ConnectionFailure,
    InvalidApiUrl,
    PingOneError,
    SettingsIncomplete,
    SignOnUnverified,
    StateRejected,
    Unavailable,
    UnknownEnvironment,
)
from pingone_integration.models import AuthorizationRequest, Connection
from tests.conftest import ADMINISTRATORS, API_URL, AUTH_URL, ENVIRONMENT
from tests.pingone_integration.sign_on import (
    CLIENT_ID,
    ISSUER,
    MARA,
    discoverable,
    discovery_document,
    has_keys,
    id_token,
    tokens,
)

CALLBACK = "https://console.test/connect/callback/"
MINE = "digest of my session"
Reason = StateRejected.Reason


@pytest.fixture
def connection(acme: Organization) -> Connection:
    """Acme's, with settings and nothing else."""
    row = acme.connection
    row.state = Connection.State.NOT_CONNECTED
    row.sealed_access_token = row.sealed_refresh_token = ""
    row.access_token_expires_at = row.managed_environment_id = None
    row.managed_environment_name = ""
    row.save()
    return row


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def begin(connection: Connection, wire: respx.MockRouter) -> dict[str, str]:
    """The query that the browser is sent to PingOne with."""
    discoverable(wire)
    url = authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def environments(wire: respx.MockRouter, *ids: object, status: str = "ACTIVE") -> respx.Route:
    listed = [{"id": str(one), "name": f"Environment {one}", "status": status, "region": "EU"} for one in ids]
    return wire.get(f"{API_URL}/v1/environments").respond(json={"_embedded": {"environments": listed}})


def approves(wire: respx.MockRouter, asked: dict[str, str], **changes: Any) -> respx.Route:
    """PingOne's side of an approved sign-on."""
    discoverable(wire)
    has_keys(wire)
    answer = tokens(id_token=id_token(nonce=asked["nonce"], name="Mara Lind", email="mara@acme.test"))
    return wire.post(f"{ISSUER}/token").respond(json=answer | changes)


def finish(asked: dict[str, str], *, bound_to: str = MINE) -> Connection:
    return authorization.finish(state=asked["state"], code="the-code", redirect_uri=CALLBACK, bound_to=bound_to)


def form_of(call: respx.models.Call) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.request.content.decode()).items()}


def test_connect_asks_for_a_code_and_keeps_what_proves_the_return_sealed(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)

    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == CALLBACK
    assert asked["scope"] == "openid profile email"
    assert asked["code_challenge_method"] == "S256"
    request = AuthorizationRequest.objects.get()
    assert asked["code_challenge"] == create_s256_code_challenge(request.unseal("code_verifier"))
    assert asked["nonce"] == request.unseal("nonce")
    stored = " ".join(str(getattr(request, field.name)) for field in AuthorizationRequest._meta.concrete_fields)
    assert not any(secret in stored for secret in (asked["state"], asked["nonce"]))


def test_an_approved_sign_on_connects(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT, ADMINISTRATORS)

    connected = finish(asked)

    sent = form_of(exchange.calls.last)
    assert (sent["grant_type"], sent["code"], sent["redirect_uri"]) == ("authorization_code", "the-code", CALLBACK)
    assert create_s256_code_challenge(sent["code_verifier"]) == asked["code_challenge"]
    assert connected.state == Connection.State.CONNECTED
    assert connected.unseal("access_token") == "new-access-token"
    assert connected.unseal("refresh_token") == "new-refresh-token"
    assert (connected.consented_by, connected.consented_by_id) == ("Mara Lind (mara@acme.test)", str(MARA))
    assert connected.scope == "openid profile email"
    assert connected.access_token_expires_at is not None
    assert timedelta(minutes=59) < connected.access_token_expires_at - timezone.now() <= timedelta(hours=1)
    assert connected.events.get().cause == "Approved by Mara Lind (mara@acme.test)."


@pytest.mark.parametrize(
    ("visible", "managed"),
    [
        ((ENVIRONMENT, ADMINISTRATORS), ENVIRONMENT),
        ((ADMINISTRATORS,), ADMINISTRATORS),
        ((ENVIRONMENT, MARA), None),
        ((), None),
    ],
)
def test_the_only_environment_with_users_is_managed_without_asking(
    connection: Connection, wire: respx.MockRouter, visible: tuple, managed: object
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, *visible)

    assert finish(asked).managed_environment_id == managed


def test_an_environment_about_to_be_deleted_is_not_taken_without_asking(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, ENVIRONMENT, status="DELETE_PENDING")

    assert finish(asked).managed_environment_id is None


def test_connecting_again_keeps_the_environment_that_is_still_visible(
    acme: Organization, wire: respx.MockRouter
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environments(wire, MARA, ENVIRONMENT, ADMINISTRATORS)

    assert finish(asked).managed_environment_id == ENVIRONMENT


def test_connecting_again_as_somebody_who_does_not_see_the_environment_asks_anew(
    acme: Organization, wire: respx.MockRouter
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environments(wire, MARA, CLIENT_ID)

    assert finish(asked).managed_environment_id is None


def test_a_list_of_environments_that_fails_does_not_undo_the_connect(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    wire.get(f"{API_URL}/v1/environments").respond(403, json={"code": "ACCESS_FAILED"})

    assert finish(asked).state == Connection.State.CONNECTED


def test_a_replaced_grant_is_revoked_after_the_new_one_is_stored(acme: Organization, wire: respx.MockRouter) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    stored_when_revoked = []

    def revoked(request: httpx.Request) -> httpx.Response:
        stored_when_revoked.append(Connection.objects.get().unseal("access_token"))
        return httpx.Response(200)

    revocation = wire.post(f"{ISSUER}/revoke").mock(side_effect=revoked)
    environments(wire, ENVIRONMENT)

    finish(asked)

    assert [form_of(call)["token"] for call in revocation.calls] == ["the-refresh-token", "the-access-token"]
    assert set(stored_when_revoked) == {"new-access-token"}


def test_a_return_counts_once(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)
    finish(asked)

    with pytest.raises(StateRejected) as caught:
        finish(asked)

    assert caught.value.reason == Reason.REPLAYED
    assert exchange.call_count == 1


def test_a_return_after_ten_minutes_is_stale(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)), pytest.raises(StateRejected) as caught:
        finish(asked)

    assert caught.value.reason == Reason.STALE


@pytest.mark.parametrize("state", ["", "a-state-that-nobody-issued"])
def test_a_return_that_nobody_waits_for_is_refused(connection: Connection, state: str, wire: respx.MockRouter) -> None:
    begin(connection, wire)

    with pytest.raises(StateRejected) as caught:
        finish({"state": state})

    assert caught.value.reason == (Reason.FOREIGN if state else Reason.MISSING)


def test_a_return_in_another_session_is_foreign_and_spoils_nothing(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, ENVIRONMENT)

    with pytest.raises(StateRejected) as caught:
        finish(asked, bound_to="digest of another session")

    assert caught.value.reason == Reason.FOREIGN
    assert finish(asked).state == Connection.State.CONNECTED


def test_two_tabs_each_finish_their_own_connect(connection: Connection, wire: respx.MockRouter) -> None:
    first, second = begin(connection, wire), begin(connection, wire)
    environments(wire, ENVIRONMENT)
    wire.post(f"{ISSUER}/revoke").respond(200)
    for asked in (second, first):
        approves(wire, asked)
        assert finish(asked).state == Connection.State.CONNECTED

    assert connection.events.count() == 2


def test_a_refusal_uses_up_the_connect_and_leaves_the_grant_alone(acme: Organization, wire: respx.MockRouter) -> None:
    asked = begin(acme.connection, wire)
    before = Connection.objects.values().get()

    refused = authorization.refuse(state=asked["state"], bound_to=MINE, error="access_denied", description="cancelled")

    assert refused == acme.connection
    assert Connection.objects.values().get() == before
    with pytest.raises(StateRejected):
        finish(asked)


def test_a_refusal_with_a_foreign_state_is_nobodys(acme: Organization, wire: respx.MockRouter) -> None:
    asked = begin(acme.connection, wire)

    assert authorization.refuse(state=asked["state"], bound_to="other", error="access_denied", description="") is None
    assert authorization.connection_of(asked["state"]) == acme.connection
    assert authorization.connection_of("unknown") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": f"{AUTH_URL}/{ENVIRONMENT}/as"},
        {"aud": "another-application"},
        {"aud": [CLIENT_ID, "another-application"]},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"key": RSAKey.generate_key(2048, {"kid": "the-key"})},
        {"key": RSAKey.generate_key(2048, {"kid": "unknown"})},
        {"alg": "RS512"},
    ],
    ids=[
        "another nonce",
        "no nonce",
        "another issuer",
        "another audience",
        "two audiences",
        "expired",
        "no expiry",
        "nobody",
        "another key",
        "unknown key",
        "another algorithm",
    ],
)
def test_an_id_token_that_proves_nothing_connects_nobody_and_its_tokens_are_revoked(
    acme: Organization, wire: respx.MockRouter, changes: dict
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked, id_token=id_token(**{"nonce": asked["nonce"]} | changes))
    revocation = wire.post(f"{ISSUER}/revoke").respond(200)
    before = Connection.objects.values().get()

    with pytest.raises(SignOnUnverified):
        finish(asked)

    assert Connection.objects.values().get() == before
    assert form_of(revocation.calls[0])["token"] == "new-refresh-token"


def unsigned(nonce: str) -> str:
    _, claims, _ = id_token(nonce=nonce).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{header}.{claims}."


@pytest.mark.parametrize("forged", ["", "rubbish", "a.b.c", unsigned], ids=["none", "rubbish", "dotted", "unsigned"])
def test_what_is_no_signed_id_token_connects_nobody(
    connection: Connection, wire: respx.MockRouter, forged: Any
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, id_token=forged(asked["nonce"]) if callable(forged) else forged)
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(SignOnUnverified):
        finish(asked)


def test_a_clock_that_is_half_a_minute_off_does_no_harm(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    now = int(timezone.now().timestamp())
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], iat=now + 30, exp=now - 30))
    environments(wire, ENVIRONMENT)

    assert finish(asked).consented_by == str(MARA)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Mara Lind", "preferred_username": "mara", "email": "m@acme.test"}, "Mara Lind (mara)"),
        ({"given_name": "Mara", "family_name": "Lind"}, "Mara Lind"),
        ({"email": "m@acme.test"}, "m@acme.test"),
        ({}, str(MARA)),
        ({"name": "<b>\x00{{ x }}"}, "<b>\ufffd{{ x }}"),
        ({"name": "M" * 500}, "M" * 300),
        ({"name": {"given": 1}}, "{'given': 1}"),
    ],
    ids=["full", "parts", "address", "nothing", "hostile", "long", "odd"],
)
def test_who_approved_is_recorded_whatever_the_name_is(
    connection: Connection, wire: respx.MockRouter, claims: dict[str, Any], name: str
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], **claims))
    environments(wire, ENVIRONMENT)

    assert finish(asked).consented_by == name


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": "invalid_client"}, AuthenticationError),
        (400, {"error": "invalid_client"}, AuthenticationError),
        (400, {"error": "invalid_grant", "error_description": "(Correlation ID: 1f0c-aa-22-bb)"}, AuthenticationError),
        (400, {"error": "UNAUTHORIZED_CLIENT"}, AuthenticationError),
        (500, {"error": "server_error"}, Unavailable),
        (400, {"error": "temporarily_unavailable"}, Unavailable),
        (302, None, Unavailable),
        (403, None, Unavailable),
        (200, None, Unavailable),
        (200, {}, Unavailable),
        (200, tokens(access_token=""), Unavailable),
        (200, tokens(access_token="line\nbreak"), Unavailable),
        (200, tokens(token_type="mac"), Unavailable),
        (200, ["no object"], Unavailable),
    ],
)
def test_a_failed_exchange_leaves_everything_as_it_was(
    acme: Organization, wire: respx.MockRouter, status: int, body: Any, expected: type[PingOneError]
) -> None:
    asked = begin(acme.connection, wire)
    answer = {"json": body} if body is not None else {"html": "<h1>gateway</h1>"}
    wire.post(f"{ISSUER}/token").respond(status, **answer)
    before = Connection.objects.values().get()

    with pytest.raises(expected) as caught:
        finish(asked)

    assert Connection.objects.values().get() == before
    if isinstance(body, dict) and "error_description" in body:
        assert caught.value.trace.correlation_id == "1f0c-aa-22-bb"


@pytest.mark.parametrize("secret", ["plain-Secret_1.~", "p%3Aa:s/s+w=o&r?d #~ é漢\"'"])
def test_client_id_and_secret_are_encoded_for_basic_authentication(
    connection: Connection, wire: respx.MockRouter, secret: str
) -> None:
    connection.sealed_client_secret = connection.seal("client_secret", secret)
    connection.save()
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)

    finish(asked)

    scheme, _, encoded = exchange.calls.last.request.headers["Authorization"].partition(" ")
    pair = base64.b64decode(encoded).decode("ascii")
    assert scheme == "Basic"
    assert [parse_qs(f"x={part}")["x"][0] for part in pair.split(":")] == [CLIENT_ID, secret]
    assert "client_secret" not in form_of(exchange.calls.last)


def test_client_id_and_secret_travel_in_the_body_when_that_is_chosen(
    connection: Connection, wire: respx.MockRouter
) -> None:
    connection.client_authentication = Connection.ClientAuthentication.POST
    connection.sealed_client_secret = connection.seal("client_secret", "s/e+c r=e&t é")
    connection.save()
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)

    finish(asked)

    assert "Authorization" not in exchange.calls.last.request.headers
    sent = form_of(exchange.calls.last)
    assert (sent["client_id"], sent["client_secret"], sent["code"]) == (CLIENT_ID, "s/e+c r=e&t é", "the-code")


def test_settings_that_are_not_complete_are_told_before_anything_is_asked(
    connection: Connection, wire: respx.MockRouter
) -> None:
    connection.sealed_client_secret = ""

    with pytest.raises(SettingsIncomplete):
        begin(connection, wire)

    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{AUTH_URL}/{ENVIRONMENT}/as"},
        {"token_endpoint": "https://elsewhere.test/token"},
        {"token_endpoint": f"{AUTH_URL}.elsewhere.test/token"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"revocation_endpoint": None},
        {"authorization_endpoint": f"{AUTH_URL}@elsewhere.test/"},
    ],
    ids=str,
)
def test_a_discovery_document_that_points_elsewhere_is_not_followed(
    connection: Connection, wire: respx.MockRouter, changes: dict
) -> None:
    document = discovery_document() | changes
    wire.get(f"{ISSUER}/.well-known/openid-configuration").respond(json=document)

    with pytest.raises(InvalidApiUrl):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert wire.calls.call_count == 1


def test_an_auth_url_that_is_no_longer_listed_is_not_contacted(
    connection: Connection, wire: respx.MockRouter, settings: Any
) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {}

    with pytest.raises(InvalidApiUrl):
        begin(connection, wire)

    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(404), UnknownEnvironment),
        (httpx.Response(400, json={"code": "INVALID_REQUEST"}), UnknownEnvironment),
        (httpx.Response(503, html="<h1>busy</h1>"), Unavailable),
        (httpx.Response(200, html="<h1>sign in to the network</h1>"), Unavailable),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test/"}), Unavailable),
        (httpx.ConnectError("no such host"), ConnectionFailure),
        (httpx.ReadTimeout("no answer"), ConnectionFailure),
    ],
    ids=repr,
)
def test_what_cannot_work_is_told_before_the_browser_leaves(
    connection: Connection, wire: respx.MockRouter, answer: Any, expected: type[PingOneError]
) -> None:
    for issuer in (ISSUER, f"{AUTH_URL}/as"):
        wire.get(f"{issuer}/.well-known/openid-configuration").mock(side_effect=[answer])

    with pytest.raises(expected):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert not AuthorizationRequest.objects.exists()


def test_a_custom_domain_has_no_environment_in_its_paths(connection: Connection, wire: respx.MockRouter) -> None:
    issuer = f"{AUTH_URL}/as"
    wire.get(f"{ISSUER}/.well-known/openid-configuration").respond(404)
    wire.get(f"{issuer}/.well-known/openid-configuration").respond(json=discovery_document(issuer))

    url = authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert url.startswith(f"{issuer}/authorize?")


def test_a_regional_host_is_asked_with_the_environment_in_the_path_only(
    connection: Connection, wire: respx.MockRouter
) -> None:
    connection.auth_url = "https://auth.pingone.eu"
    wire.get(f"https://auth.pingone.eu/{ADMINISTRATORS}/as/.well-known/openid-configuration").respond(404)

    with pytest.raises(UnknownEnvironment):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)


def test_disconnecting_erases_the_tokens_and_revokes_them(acme: Organization, wire: respx.MockRouter) -> None:
    discoverable(wire)
    revocation = wire.post(f"{ISSUER}/revoke").respond(200)

    authorization.disconnect(acme.connection)

    acme.connection.refresh_from_db()
    assert acme.connection.state == Connection.State.DISCONNECTED
    assert (acme.connection.sealed_access_token, acme.connection.sealed_refresh_token) == ("", "")
    assert [form_of(call)["token"] for call in revocation.calls] == ["the-refresh-token", "the-access-token"]
    assert acme.connection.events.get().state == Connection.State.DISCONNECTED


def test_disconnecting_while_pingone_is_away_erases_the_tokens_and_says_so(
    acme: Organization, wire: respx.MockRouter
) -> None:
    wire.get(f"{ISSUER}/.well-known/openid-configuration").mock(side_effect=httpx.ConnectError("unplugged"))

    with pytest.raises(ConnectionFailure):
        authorization.disconnect(acme.connection)

    assert Connection.objects.get().state == Connection.State.DISCONNECTED
    assert Connection.objects.get().sealed_refresh_token == ""


def test_a_revocation_that_fails_for_one_token_is_tried_for_the_other(
    acme: Organization, wire: respx.MockRouter
) -> None:
    discoverable(wire)
    revocation = wire.post(f"{ISSUER}/revoke").respond(503)

    with pytest.raises(Unavailable):
        authorization.disconnect(acme.connection)

    assert revocation.call_count == 2


def test_a_page_of_keys_that_is_none_connects_nobody(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    wire.get(f"{ISSUER}/jwks").respond(json={"keys": "none"})
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(Unavailable):
        finish(asked)
