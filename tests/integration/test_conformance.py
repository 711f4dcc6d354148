"""`check_connection --conformance`: on the sandbox nothing differs; what another PingOne answers is named."""

from collections.abc import Callable
from io import StringIO
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.management import call_command

from console.models import Organization
from pingone_integration.checks.conformance import ASSUMPTIONS, conformance
from pingone_integration.connection.open_api import open_api
from pingone_integration.models import Connection
from tests.support.answers import ADA, listing

BYPASS = "The state of an MFA bypass is no error when none is in force."


def test_nothing_differs_in_the_sandbox(connection: Connection, administrator: httpx.Client) -> None:
    Organization.objects.create(slug="acme", name="Acme", connection=connection)
    administrator.post("users", json={"username": f"Upper.{uuid4()}"}).raise_for_status()
    told = StringIO()

    call_command("check_connection", "acme", "--conformance", stdout=told)

    assert told.getvalue().splitlines() == [f"{'as assumed':<12}{assumption.text}" for assumption in ASSUMPTIONS]
    connection.refresh_from_db()
    assert connection.state_now == Connection.State.CONNECTED


@pytest.fixture
def another_pingone(acme: Organization, pingone: respx.MockRouter) -> Callable[[httpx.Response], dict[str, str | None]]:
    """Return a function: every request but that for the first user gets this answer; return the differences."""

    def answering(response: httpx.Response) -> dict[str, str | None]:
        pingone.get("/users", params={"limit": "1"}).respond(json=listing("users", {"id": str(ADA), "username": "Ada"}))
        others = pingone.route(method="GET").mock(return_value=response)
        found = {outcome.assumption.text: outcome.differs for outcome in conformance(open_api(acme.connection))}
        assert others.call_count == len(ASSUMPTIONS) == len(found)
        assert {call.request.method for call in pingone.calls} == {"GET"}
        return found

    return answering


def test_each_different_answer_is_named_without_its_values(another_pingone) -> None:
    found = another_pingone(httpx.Response(200, json={"surprise": "mara.lind@acme.test"}))

    assert found.pop(BYPASS) == ""
    assert set(found.values()) == {"status 200, with surprise"}


def test_refusal_shows_nothing_about_an_assumption(another_pingone) -> None:
    assert set(another_pingone(httpx.Response(403, json={"code": "NO"})).values()) == {None}


def test_rate_limit_ends_the_trial(acme: Organization, pingone: respx.MockRouter) -> None:
    pingone.get("/users", params={"limit": "1"}).respond(json=listing("users", {"id": str(ADA), "username": "Ada"}))
    others = pingone.route(method="GET").respond(429, json={"code": "REQUEST_LIMITED"})

    outcomes = list(conformance(open_api(acme.connection)))

    assert {outcome.differs for outcome in outcomes} == {None}
    assert len(outcomes) == len(ASSUMPTIONS)
    assert {call.request.url for call in others.calls} == {others.calls[0].request.url}


def test_environment_without_users_leaves_out_what_needs_one(acme: Organization, pingone: respx.MockRouter) -> None:
    pingone.get("/users", params={"limit": "1"}).respond(json=listing("users"))
    pingone.route(method="GET").respond(404, json=listing("users"))

    outcomes = {one.assumption.text: one.differs for one in conformance(open_api(acme.connection))}

    assert outcomes[BYPASS] is None
    assert outcomes["A user who does not exist answers 404."] == ""
    assert outcomes["Usernames are compared in any case."] is None
