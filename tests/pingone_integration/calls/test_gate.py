"""The gate that every call passes: the order of its checks, and the results that the permit reports back."""

import re
from contextvars import copy_context
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
import respx
from django.utils import timezone

from pingone_integration.calls import rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.gate import admit
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import Busy, CallsPaused
from pingone_integration.models import JUST_READ_S, Connection
from tests.support.sign_on import ISSUER, discoverable, tokens

DOC = Path(__file__).parents[3] / "docs" / "calls.md"


def test_admission_costs_one_query(api: PingOneApi, django_assert_num_queries) -> None:
    with django_assert_num_queries(1), admit(api.connection_id, api.tokens) as permit:
        assert (permit.token.value, permit.is_trial) == ("the-access-token", False)


@pytest.fixture
def just_read(api: PingOneApi) -> Connection:
    """Return a row from the database, as a page has read it before its first call."""
    return Connection.objects.get(pk=api.connection_id)


def test_first_call_takes_the_row_that_was_just_read(just_read: Connection, django_assert_num_queries) -> None:
    with django_assert_num_queries(0), admit(just_read.pk, open_api(just_read).tokens) as permit:
        assert permit.token.value == "the-access-token"


def test_second_call_reads_the_row_again(just_read: Connection, django_assert_num_queries) -> None:
    with admit(just_read.pk, open_api(just_read).tokens):
        pass

    with django_assert_num_queries(1), admit(just_read.pk, open_api(just_read).tokens):
        pass


def test_call_after_a_moment_reads_the_row_again(just_read: Connection, django_assert_num_queries) -> None:
    assert just_read.read_at is not None
    just_read.read_at -= JUST_READ_S
    Connection.objects.update(calls_paused_until=timezone.now() + timedelta(seconds=30))

    with (
        django_assert_num_queries(1),
        pytest.raises(CallsPaused),
        admit(just_read.pk, open_api(just_read).tokens),
    ):
        pytest.fail("admitted")


def test_missing_slot_is_reported_before_any_query(api: PingOneApi, settings, django_assert_num_queries) -> None:
    settings.WEB_THREADS = 1
    elsewhere = copy_context()  # as in another request
    held = admit(api.connection_id, api.tokens)
    elsewhere.run(held.__enter__)

    with django_assert_num_queries(0), pytest.raises(Busy), admit(api.connection_id, api.tokens):
        pytest.fail("admitted")

    elsewhere.run(held.__exit__, None, None, None)


def test_pause_is_reported_before_the_token_is_renewed(api: PingOneApi, wire: respx.MockRouter) -> None:
    soon = timezone.now() + timedelta(seconds=30)
    Connection.objects.update(calls_paused_until=soon, access_token_expires_at=timezone.now())
    discoverable(wire)
    token_endpoint = wire.post(f"{ISSUER}/token").respond(json=tokens())

    with pytest.raises(CallsPaused), admit(api.connection_id, api.tokens):
        pytest.fail("admitted")

    assert not token_endpoint.called


def test_trial_counts_a_rejected_token_as_an_answer(api: PingOneApi, wire: respx.MockRouter) -> None:
    Connection.objects.update(calls_paused_until=timezone.now(), calls_paused_s=5)
    discoverable(wire)
    wire.post(f"{ISSUER}/token").respond(json=tokens())
    wire.get(f"{api.base_url}/users").mock(side_effect=[respx.MockResponse(401), respx.MockResponse(200, json={})])

    assert api.get("/users") == {}

    assert Connection.objects.get(pk=api.connection_id).calls_paused_until is None


def test_rate_limit_is_learned_from_the_connection_row(api: PingOneApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "_known", {})
    Connection.objects.update(licensed_calls=100)

    with admit(api.connection_id, api.tokens):
        assert rate_limit._known[api.connection_id].limit == 35


def test_numbers_in_the_documentation_name_existing_constants() -> None:
    rows = re.findall(r"^\|.*\| (`.*) \|$", DOC.read_text(), re.MULTILINE)
    named = [
        (name, path)
        for row in rows
        for names, path in re.findall(r"((?:`\w+`(?:, )?)+) in `([\w/]+)\.py`", row)
        for name in re.findall(r"`(\w+)`", names)
    ]

    assert len(rows) > 20
    for name, path in named:
        module = path if path.startswith("console/") else f"pingone_integration/{path}"
        assert hasattr(import_module(module.replace("/", ".")), name), f"{name} in {path}.py"
