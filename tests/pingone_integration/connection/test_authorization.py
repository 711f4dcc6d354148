"""The connect flow with canned PingOne answers: the authorization request, the return, and the stored grant."""

from contextvars import Context
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
import respx
import time_machine
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.utils import timezone

from console.models import Organization
from pingone_integration.calls import concurrency
from pingone_integration.connection import authorization
from pingone_integration.errors import (
    Busy,
    ConnectionFailure,
    StateRejected,
    Unavailable,
)
from pingone_integration.models import AuthorizationRequest, Connection
from tests.support.people import ADMINISTRATORS, API_URL, ENVIRONMENT
from tests.support.sign_on import (
    CALLBACK,
    CLIENT_ID,
    ISSUER,
    MARA,
    MINE,
    approves,
    begin,
    discoverable,
    environments,
    finish,
    form_of,
)

pytestmark = pytest.mark.database

Reason = StateRejected.Reason


def test_connect_asks_for_a_code_and_seals_the_secrets_of_the_return(
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


def test_approved_sign_in_connects(connection: Connection, wire: respx.MockRouter) -> None:
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
        ((ENVIRONMENT,), ENVIRONMENT),
        ((ADMINISTRATORS,), ADMINISTRATORS),
        ((ENVIRONMENT, ADMINISTRATORS), None),
        ((ENVIRONMENT, MARA), None),
        ((), None),
    ],
)
def test_only_the_one_possible_environment_is_managed_without_asking(
    connection: Connection, wire: respx.MockRouter, visible: tuple, managed: object
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, *visible)

    assert finish(asked).managed_environment_id == managed


def test_environment_about_to_be_deleted_is_not_chosen_without_asking(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, ENVIRONMENT, status="DELETE_PENDING")

    assert finish(asked).managed_environment_id is None


def test_connecting_again_keeps_an_environment_that_is_still_visible(
    acme: Organization, wire: respx.MockRouter
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environments(wire, MARA, ENVIRONMENT, ADMINISTRATORS)

    assert finish(asked).managed_environment_id == ENVIRONMENT


def test_connect_without_a_refresh_token_says_when_access_ends(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, refresh_token="")
    environments(wire, ENVIRONMENT)

    connected = finish(asked)

    ends = connected.access_token_expires_at
    assert ends is not None
    assert connected.events.get().cause.endswith(
        f"Refresh Token grant is off. Access ends at {ends:%Y-%m-%d %H:%M} UTC."
    )


@pytest.mark.parametrize("visible", [(MARA, CLIENT_ID), (MARA,)], ids=["two others", "one other"])
def test_connecting_again_asks_for_the_environment_if_it_is_no_longer_visible(
    acme: Organization, wire: respx.MockRouter, visible: tuple
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environments(wire, *visible)

    assert finish(asked).managed_environment_id is None


def test_connect_succeeds_without_the_list_of_environments(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    wire.get(f"{API_URL}/v1/environments").respond(403, json={"code": "ACCESS_FAILED"})

    assert finish(asked).state == Connection.State.CONNECTED


def test_replaced_grant_is_revoked_after_the_new_grant_is_stored(acme: Organization, wire: respx.MockRouter) -> None:
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


def test_return_counts_once(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)
    finish(asked)

    with pytest.raises(StateRejected) as caught:
        finish(asked)

    assert caught.value.reason == Reason.REPLAYED
    assert exchange.call_count == 1


def test_return_after_ten_minutes_is_stale(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)), pytest.raises(StateRejected) as caught:
        finish(asked)

    assert caught.value.reason == Reason.STALE


@pytest.mark.parametrize("state", ["", "a-state-that-nobody-issued"])
def test_return_with_an_unknown_state_is_refused(connection: Connection, state: str, wire: respx.MockRouter) -> None:
    begin(connection, wire)

    with pytest.raises(StateRejected) as caught:
        finish({"state": state})

    assert caught.value.reason == (Reason.FOREIGN if state else Reason.MISSING)


def test_return_in_another_session_is_foreign_and_leaves_the_request_usable(
    connection: Connection, wire: respx.MockRouter
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, ENVIRONMENT)

    with pytest.raises(StateRejected) as caught:
        finish(asked, bound_to="digest of another session")

    assert caught.value.reason == Reason.FOREIGN
    assert finish(asked).state == Connection.State.CONNECTED


def test_return_without_a_slot_leaves_the_request_usable(
    connection: Connection, wire: respx.MockRouter, settings
) -> None:
    settings.WEB_THREADS = 1
    asked = begin(connection, wire)
    approves(wire, asked)
    environments(wire, ENVIRONMENT)
    another, held = Context(), concurrency.slot(connection.pk)
    another.run(held.__enter__)

    with pytest.raises(Busy):
        finish(asked)

    another.run(held.__exit__, None, None, None)
    assert finish(asked).state == Connection.State.CONNECTED


def test_return_counts_once_when_it_arrives_twice_at_once(connection: Connection, wire: respx.MockRouter) -> None:
    begin(connection, wire)
    attempts = [AuthorizationRequest.objects.get() for _ in range(2)]  # both read it while it was unused

    authorization._use_up(attempts[0])
    with pytest.raises(StateRejected) as caught:
        authorization._use_up(attempts[1])

    assert caught.value.reason == Reason.REPLAYED


def test_connects_in_two_tabs_both_finish(connection: Connection, wire: respx.MockRouter) -> None:
    first, second = begin(connection, wire), begin(connection, wire)
    environments(wire, ENVIRONMENT)
    wire.post(f"{ISSUER}/revoke").respond(200)
    for asked in (second, first):
        approves(wire, asked)
        assert finish(asked).state == Connection.State.CONNECTED

    assert connection.events.count() == 2


def test_refusal_uses_up_the_request_and_leaves_the_grant_alone(acme: Organization, wire: respx.MockRouter) -> None:
    asked = begin(acme.connection, wire)
    before = Connection.objects.values().get()

    refused = authorization.refuse(state=asked["state"], bound_to=MINE, error="access_denied", description="cancelled")

    assert refused == acme.connection
    assert Connection.objects.values().get() == before
    with pytest.raises(StateRejected):
        finish(asked)


def test_refusal_with_a_foreign_state_is_ignored(acme: Organization, wire: respx.MockRouter) -> None:
    asked = begin(acme.connection, wire)

    assert authorization.refuse(state=asked["state"], bound_to="other", error="access_denied", description="") is None
    assert authorization.connection_of(asked["state"]) == acme.connection
    assert authorization.connection_of("unknown") is None


def test_disconnecting_erases_the_tokens_and_revokes_them(acme: Organization, wire: respx.MockRouter) -> None:
    discoverable(wire)
    revocation = wire.post(f"{ISSUER}/revoke").respond(200)

    authorization.disconnect(acme.connection)

    acme.connection.refresh_from_db()
    assert acme.connection.state == Connection.State.DISCONNECTED
    assert (acme.connection.sealed_access_token, acme.connection.sealed_refresh_token) == ("", "")
    assert [form_of(call)["token"] for call in revocation.calls] == ["the-refresh-token", "the-access-token"]
    assert acme.connection.events.get().state == Connection.State.DISCONNECTED


def test_connecting_does_not_wait_for_a_refresh_of_the_grant_it_replaces(
    acme: Organization, wire: respx.MockRouter
) -> None:
    in_a_moment = timezone.now() + timedelta(seconds=20)
    Connection.objects.update(lease_owner=uuid4(), lease_until=in_a_moment)
    asked = begin(acme.connection, wire)
    approves(wire, asked)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environments(wire, ENVIRONMENT)

    connected = finish(asked)

    assert (connected.lease_owner, connected.lease_until) == (None, None)


def test_disconnecting_while_pingone_is_unreachable_erases_the_tokens_and_reports_the_failure(
    acme: Organization, wire: respx.MockRouter
) -> None:
    wire.get(f"{ISSUER}/.well-known/openid-configuration").mock(side_effect=httpx.ConnectError("unplugged"))

    with pytest.raises(ConnectionFailure):
        authorization.disconnect(acme.connection)

    assert Connection.objects.get().state == Connection.State.DISCONNECTED
    assert Connection.objects.get().sealed_refresh_token == ""


def test_revocation_that_fails_for_one_token_is_tried_for_the_other(acme: Organization, wire: respx.MockRouter) -> None:
    discoverable(wire)
    revocation = wire.post(f"{ISSUER}/revoke").respond(503)

    with pytest.raises(Unavailable):
        authorization.disconnect(acme.connection)

    assert revocation.call_count == 2
