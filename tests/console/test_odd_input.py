"""Odd input: values that Python or Django cannot parse are refused in words, and never make an internal error."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import respx
from django.core.cache import cache
from django.test import Client

from console.actions.action import Action
from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Membership, Operator, Organization
from tests.support.answers import ADA, ada
from tests.support.asking import page_of, typed_for
from tests.support.people import API_URL, make_operator

ODD = {
    "digits": "9" * 5000,
    "not ASCII digits": "\u0661\u0662",
    "not a number": "NaN",
    "huge exponent": "1e999999",
    "last day": "9999-12-31",
    "last minute": "9999-12-31T23:59",
    "first day": "0001-01-01",
    "first minute": "0001-01-01T00:00",
    "deep array": "[" * 100_000,
    "deep object": '{"a":' * 50_000,
    "big number in JSON": '{"n": ' + "9" * 5000 + "}",
    "JSON text": '"text"',
    "JSON null": "null",
    "JSON array": "[]",
    "empty object": "{}",
    "NUL": "a\0b",
    "control characters": "a\x1b\x7f\u202eb",
    "two bytes a letter": "\u00e9" * 256,
    "long": "x" * 100_000,
    "another ID": str(uuid4()),
}
FAR_WEST = "America/Los_Angeles"  # where the last minute of 9999 is in the year 10000 by UTC
FAR_EAST = "Pacific/Kiritimati"


@pytest.fixture(autouse=True)
def _pingone() -> Iterator[None]:
    cache.clear()
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).respond(json=ada())
        router.route().respond(404)
        yield
    cache.clear()


def browser(operator: Operator, time_zone: str = "UTC") -> Client:
    client = Client()
    client.force_login(operator)
    client.cookies["timezone"] = time_zone
    return client


def far_browsers(operator: Operator) -> tuple[Client, Client]:
    return browser(operator, FAR_WEST), browser(operator, FAR_EAST)


def is_a_time(odd: str) -> bool:
    return "day" in odd or "minute" in odd


def one_field_of_each_class() -> list[tuple[Action, str]]:
    fields = {
        (type(field), name == "submission"): (action, name) for action in ACTIONS for name, field in fields_of(action)
    }
    return list(fields.values())


def fields_of(action: Action) -> list[tuple[str, Any]]:
    return list(action.form.base_fields.items())


@pytest.mark.parametrize(("action", "name"), one_field_of_each_class())
def test_action_refuses_odd_input(org_admin: Operator, action: Action, name: str) -> None:
    good, (west, east) = typed_for(action), far_browsers(org_admin)
    for odd, value in ODD.items():
        for client in (west, east) if is_a_time(odd) else (west,):
            form = good | {"submission": str(uuid4()), name: value}
            assert client.post(page_of(action), form).status_code < 500, odd


@pytest.mark.parametrize("name", ["path", "query", "media_type", "body", "submission"])
def test_call_api_refuses_odd_input(org_admin: Operator, name: str) -> None:
    client = browser(org_admin)
    good = {"method": "POST", "path": "/users", "submission": str(uuid4()), "reason": "a test"}

    for odd, value in ODD.items():
        assert client.post("/o/acme/call-api/", good | {name: value}).status_code < 500, odd


@pytest.mark.parametrize("address", ["/o/acme/audit/", "/o/acme/audit/export/csv/"])
def test_audit_log_refuses_odd_filters(org_admin: Operator, address: str) -> None:
    west, east = far_browsers(org_admin)
    for odd, value in ODD.items():
        for client in (west, east) if is_a_time(odd) else (west,):
            for names in (("since", "until"), ("before",), ("user",)):
                answer = client.get(f"{address}?{urlencode(dict.fromkeys(names, value[:5000]))}")
                assert answer.status_code < 500, (names, odd)
                answer.getvalue()


@pytest.mark.parametrize("form", ["login", "add", "reauthenticate"])
def test_passkey_forms_refuse_odd_credentials(org_admin: Operator, form: str) -> None:
    client, address = Client() if form == "login" else browser(org_admin), f"/accounts/2fa/webauthn/{form}/"
    client.get(address)

    for odd, value in ODD.items():
        assert client.post(address, {"credential": value, "name": "Key"}).status_code < 500, odd


@pytest.mark.django_db
@pytest.mark.parametrize("credential", ['{"id": 5}', '{"id": "a", "rawId": "a", "response": {}, "type": "public-key"}'])
def test_passkey_sign_in_refuses_an_incomplete_credential(credential: str) -> None:
    client = Client()
    client.get("/accounts/2fa/webauthn/login/")

    assert client.post("/accounts/2fa/webauthn/login/", {"credential": credential}).status_code < 500


def test_number_too_long_for_python_is_reported_at_the_body(org_admin: Operator) -> None:
    call = {"method": "POST", "path": "/users", "body": json.dumps({"n": 1}).replace("1", "9" * 5000)}

    assert "a number that is too long" in browser(org_admin).post("/o/acme/call-api/", call).text


def test_idempotency_key_of_another_operator_is_a_bad_request(acme: Organization, org_admin: Operator) -> None:
    colleague = make_operator("bo@acme.test", acme, Membership.Role.ORG_ADMIN)
    form = {"submission": str(uuid4())}
    action = f"/o/acme/users/{ADA}/actions/user.unlock/"
    browser(org_admin).post(action, form)

    answer = browser(colleague).post(action, form)

    assert answer.status_code == 400
    assert AuditEntry.objects.values("operator").distinct().count() == 1
