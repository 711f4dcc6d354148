"""The statistics of failed calls: a count and an example for PingOne support, without personal data."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx
import time_machine
from django.db import DatabaseError
from django.utils import timezone

from console.models import Organization
from pingone_integration.calls import failed_calls
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.connection.open_api import open_api
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import (
    MissingPermission,
    NotFound,
    PingOneError,
    RateLimited,
    StaleCursor,
    TokenRefreshFailure,
    Unavailable,
)
from pingone_integration.models import Connection, FailedCalls
from tests.support.answers import ADA, error
from tests.support.sign_on import ISSUER, discoverable

FORBIDDEN = error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")


@pytest.fixture
def connection(acme: Organization) -> Connection:
    return acme.connection


@pytest.fixture
def api(connection: Connection) -> PingOneApi:
    return open_api(connection, transaction_id=UUID(int=7))


def fails(expected: type[PingOneError], call: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(expected):
        call(*args, **more)


def test_failed_calls_are_counted_by_kind_with_the_latest_as_the_example(
    pingone: respx.MockRouter, api: PingOneApi, connection: Connection
) -> None:
    pingone.get(f"/users/{ADA}/password").respond(403, json=FORBIDDEN, headers={"Correlation-Id": "c-1"})
    pingone.post("/users").respond(429, json={})
    with time_machine.travel(datetime(2026, 11, 20, 8, tzinfo=UTC), tick=False):
        fails(MissingPermission, api.get, f"/users/{ADA}/password")
    with time_machine.travel(datetime(2026, 11, 21, 9, tzinfo=UTC), tick=False):
        fails(MissingPermission, api.get, f"/users/{ADA}/password")
        fails(MissingPermission, api.get, f"/users/{ADA}/password")
        fails(RateLimited, api.post, "/users", {"username": "ada.berg"})

        found = {one.kind: one for one in failed_calls.lately(connection)}

    forbidden = found["missing-permission"]
    assert forbidden.count == 3
    assert forbidden.first_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert forbidden.last_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert forbidden.example.call == "GET /users/{id}/password"
    assert forbidden.example.status == 403
    assert dict(forbidden.ids) == {
        "PingOne's code": "ACCESS_FAILED",
        "PingOne error ID": FORBIDDEN["id"],
        "Correlation ID": "c-1",
        "Transaction ID": str(UUID(int=7)),
    }
    assert (found["rate-limited"].count, found["rate-limited"].example.call) == (1, "POST /users")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (f"/users/{ADA}/memberOfGroups/{ADA}", "GET /users/{id}/memberOfGroups/{id}"),
        ("/users/adaberg", "GET /users/{id}"),
        ("/ada.berg@acme.test/odd", "GET /{id}/odd"),
    ],
)
def test_example_names_no_person(
    pingone: respx.MockRouter, api: PingOneApi, connection: Connection, path: str, kept: str
) -> None:
    pingone.get(path).mock(side_effect=httpx.ReadTimeout("slow"))

    fails(Unavailable, api.exchange, "GET", path, query=(("filter", 'username eq "ada.berg"'),), content=None)

    assert FailedCalls.objects.get().call == kept
    assert "berg" not in str(FailedCalls.objects.values())


def test_trouble_is_listed_before_ordinary_failures(
    pingone: respx.MockRouter, api: PingOneApi, connection: Connection
) -> None:
    pingone.get("/groups").respond(500)
    pingone.get("/users").respond(404, json=error("NOT_FOUND"))
    with time_machine.travel(timezone.now() - timedelta(hours=1)):
        fails(Unavailable, api.get, "/groups")
    fails(NotFound, api.get, "/users")

    assert [(one.kind, one.is_ordinary) for one in failed_calls.lately(connection)] == [
        ("unavailable", False),
        ("target-not-found", True),
    ]


def test_list_that_restarts_by_itself_is_no_failure(pingone: respx.MockRouter, api: PingOneApi) -> None:
    pingone.get("/users").respond(400, json=error("INVALID_DATA", "INVALID_PARAMETER", "cursor"))
    version = StoredTokens(api.connection_id).current().version

    fails(StaleCursor, api.get_page, "/users", "users", lambda item: item, cursor=f"{version}.old")

    assert not FailedCalls.objects.exists()


def test_failed_renewal_is_counted_once(pingone: respx.MockRouter, api: PingOneApi, connection: Connection) -> None:
    pingone.get("/users").respond(401, json=error("ACCESS_FAILED", "INVALID_TOKEN"))
    discoverable(pingone)
    pingone.post(f"{ISSUER}/token").respond(400, json={"error": "invalid_grant"})

    fails(TokenRefreshFailure, api.get, "/users")
    fails(TokenRefreshFailure, api.get, "/users")

    found = failed_calls.lately(connection)
    assert [(one.kind, one.count, one.example.call) for one in found] == [
        ("token-refresh-failure", 1, "Renewal of the access token")
    ]


def test_failed_calls_are_deleted_after_thirty_days(
    pingone: respx.MockRouter, api: PingOneApi, connection: Connection
) -> None:
    pingone.get("/users").respond(404, json=error("NOT_FOUND"))
    with time_machine.travel(timezone.now() - timedelta(days=31)):
        fails(NotFound, api.get, "/users")
    assert failed_calls.lately(connection) == []
    assert FailedCalls.objects.count() == 1

    fails(NotFound, api.get, "/users")

    assert FailedCalls.objects.get().day == timezone.now().date()


def test_failure_that_cannot_be_counted_is_still_raised(
    pingone: respx.MockRouter,
    api: PingOneApi,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(FailedCalls.objects, "get_or_create", broken)
    pingone.get("/users").respond(404, json=error("NOT_FOUND"))

    fails(NotFound, api.get, "/users")

    assert "could not be counted" in caplog.text


def test_failed_calls_are_counted_per_connection(
    pingone: respx.MockRouter, api: PingOneApi, globex: Organization
) -> None:
    pingone.get("/users").respond(500)

    fails(Unavailable, api.get, "/users")

    assert failed_calls.lately(globex.connection) == []


def test_parallel_failed_calls_are_counted(pingone: respx.MockRouter, api: PingOneApi, connection: Connection) -> None:
    pingone.get("/users").respond(500)
    pingone.get("/groups").respond(500)

    at_once(api, lambda api: api.get("/users"), lambda api: api.get("/groups"))

    assert [one.count for one in failed_calls.lately(connection)] == [2]
