"""Editing a user: only what was edited is checked, sent and compared, and names are written as PingOne holds them."""

import html
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from console.models import AuditEntry, Operator
from tests.support.answers import ADA, ada, listing

EDIT = f"/o/acme/users/{ADA}/actions/user.update/"
SCHEMA = "5c000000-0000-4000-8000-000000000001"
STORED: dict[str, Any] = {  # what the form would refuse, had it been typed
    "email": "not an address",
    "mobilePhone": "unknown",
    "timezone": "America/Argentina/Buenos_Aires",
    "locale": "x" * 300,
    "name": {"given": "Ada\u200b", "family": "O\u2019Quill (temp)", "formatted": "O\u2019Quill (temp), Ada"},
    "address": {"countryCode": "se", "streetAddress": "one\ntwo", "locality": "a\nb"},
    "badge": "grey",
    "level": "x" * 17_000,
    "shape": {"sides": 4},
}


@pytest.fixture
def wire(pingone: Any) -> Any:
    """Mock Ada and the schema, and return the mocked write."""
    cache.clear()
    pingone._assert_all_called = False
    described = {"type": "STRING", "schemaType": "CUSTOM", "enabled": True}
    attributes = [
        {"name": "badge", "enumeratedValues": [{"value": "red"}], **described},
        {"name": "level", "required": True, **described},
        {"name": "empty", "required": True, **described},
        {"name": "shape", **described, "type": "JSON"},
        {"name": "email", "schemaType": "STANDARD", "required": True},
    ]
    pingone.get("/schemas").respond(json=listing("schemas", {"id": SCHEMA, "name": "User"}))
    pingone.get(f"/schemas/{SCHEMA}/attributes").respond(json=listing("attributes", *attributes))
    pingone.get(f"/users/{ADA}").respond(json=ada(**STORED))
    return pingone.patch(f"/users/{ADA}").respond(json=ada(**STORED))


@pytest.fixture
def client(browser_of: Callable[..., Client], helpdesk: Operator) -> Client:
    return browser_of(helpdesk)


def sent(wire: Any) -> Any:
    return json.loads(wire.calls.last.request.content) if wire.called else None


def opened(client: Client) -> dict[str, Any]:
    """Open the form and return all its fields as a browser sends them back."""
    return fields_of(client.get(EDIT).text)


def fields_of(page: str) -> dict[str, Any]:
    form = page[page.index('action="/o/acme/users/') :]
    fields = {}
    for tag, name, rest in re.findall(r"<(input|textarea|select) ?([^>]*?name=\"[^\"]+\"[^>]*)>([^<]*)", form):
        named = re.search(r'name="([^"]+)"', name)
        assert named
        value = re.search(r'value="([^"]*)"', name)
        text = rest.removeprefix("\n").replace("\n", "\r\n") if tag == "textarea" else value[1] if value else ""
        if tag == "select":
            chosen = re.search(rf'name="{re.escape(named[1])}".*?<option value="([^"]*)" selected', form, re.DOTALL)
            text = chosen[1] if chosen else ""
        text = html.unescape(text)
        fields[html.unescape(named[1])] = text if tag == "textarea" else "".join(text.splitlines())
    fields.pop("csrfmiddlewaretoken")
    return fields


def post(client: Client, fields: dict[str, Any], **edits: Any) -> Any:
    return client.post(EDIT, {"submission": str(uuid4())} | fields | edits)


def test_editing_the_title_alone_sends_the_title_alone(client: Client, wire: Any) -> None:
    fields = opened(client)

    answer = post(client, fields, title="Chief")

    assert answer.status_code == 302, answer.text
    assert sent(wire) == {"title": "Chief"}
    assert fields["country_code"] == "se"  # the form was sent whole


def test_browser_does_not_ask_for_a_value_that_the_user_never_had(client: Client, wire: Any) -> None:
    page = client.get(EDIT).text

    assert not re.search(r'name="custom.empty"[^>]* required', page)
    assert re.search(r'name="custom.level"[^>]* required', page)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("country_code", "no"),
        ("mobile_phone", "none"),
        ("timezone", "America/Argentina/Cordoba"),
        ("email", "still not an address"),
        ("email", ""),
        ("family_name", "O'Quill (gone)"),
    ],
)
def test_edited_value_is_checked(client: Client, wire: Any, name: str, typed: str) -> None:
    answer = post(client, opened(client), title="Chief", **{name: typed})

    assert answer.status_code == 422
    assert re.search(rf'name="{name}"[^>]*aria-invalid="true"', answer.text)
    assert sent(wire) is None


def test_change_of_another_attribute_by_someone_else_is_no_conflict(client: Client, wire: Any, pingone: Any) -> None:
    fields = opened(client)
    theirs = {"nickname": "Addie", "name": {"given": "Adaline"}, "updatedAt": "2026-11-21T00:00:00.000Z"}
    pingone.get(f"/users/{ADA}").respond(json=ada(**STORED | theirs))

    post(client, fields, title="Chief")

    assert sent(wire) == {"title": "Chief"}


def test_part_of_the_name_goes_with_the_parts_as_others_left_them(client: Client, wire: Any, pingone: Any) -> None:
    pingone.get(f"/users/{ADA}").respond(json=ada())
    fields = opened(client)
    theirs = {"name": {"given": "Adaline", "family": "Berg"}, "updatedAt": "2026-11-21T00:00:00.000Z"}
    pingone.get(f"/users/{ADA}").respond(json=ada(**theirs))

    post(client, fields, family_name="Holm")

    assert sent(wire) == {"name": {"given": "Adaline", "family": "Holm"}}


def test_change_of_the_same_attribute_by_someone_else_is_a_conflict(client: Client, wire: Any, pingone: Any) -> None:
    fields = opened(client)
    pingone.get(f"/users/{ADA}").respond(json=ada(**STORED, title="Head"))  # with the same `updatedAt`

    answer = post(client, fields, title="Chief")

    assert answer.status_code == 409
    assert sent(wire) is None


def test_same_change_by_someone_else_is_no_conflict(client: Client, wire: Any, pingone: Any) -> None:
    fields = opened(client)
    pingone.get(f"/users/{ADA}").respond(json=ada(**STORED, title="Chief", updatedAt="2026-11-21T00:00:00.000Z"))

    assert "No changes to save." in post(client, fields, title="Chief").text


@pytest.mark.parametrize(
    ("name", "edits", "offered"),
    [
        ({"given": "Mara", "family": "Lind", "formatted": "Dr. Mara Lind"}, {"family_name": "Berg"}, "Dr. Mara Berg"),
        ({"given": "Mara", "family": "Lind", "formatted": "LIND Mara"}, {"given_name": "Maria"}, "LIND Maria"),
        (
            {"given": "Ann", "family": "Lee", "formatted": "Ann Lee"},
            {"given_name": "Lee", "family_name": "Ann"},
            "Lee Ann",
        ),
        ({"given": "Mara", "middle": "Elin", "formatted": "Mara Elin Lind"}, {"middle_name": ""}, "Mara Lind"),
        ({"given": "Mara", "family": "Lind", "formatted": "Mara Lind"}, {"given_name": "M. (Mara)"}, "M. Mara Lind"),
    ],
)
def test_formatted_name_with_the_former_name_is_told_and_offered(
    client: Client, wire: Any, pingone: Any, name: dict[str, str], edits: dict[str, str], offered: str
) -> None:
    pingone.get(f"/users/{ADA}").respond(json=ada(name=name))

    asked = post(client, opened(client), **edits)

    assert asked.status_code == 422
    assert sent(wire) is None
    assert f"The formatted name is still “{name['formatted']}”." in html.unescape(asked.text)
    fields = fields_of(asked.text)
    assert fields["formatted_name"] == offered

    post(client, fields)

    assert sent(wire)["name"]["formatted"] == offered


def test_formatted_name_is_kept_on_request(client: Client, wire: Any, pingone: Any) -> None:
    pingone.get(f"/users/{ADA}").respond(json=ada(name={"given": "Mara", "family": "Lind", "formatted": "Mara Lind"}))

    fields = fields_of(post(client, opened(client), family_name="Berg").text)
    post(client, fields, formatted_name="Mara Lind")

    assert sent(wire)["name"] == {"given": "Mara", "family": "Berg", "formatted": "Mara Lind"}


@pytest.mark.parametrize(
    "name", [{"given": "Mara", "family": "Lind"}, {"given": "Mara", "family": "Lind", "formatted": "M. Lindgren"}]
)
def test_formatted_name_without_the_former_name_is_not_asked_about(
    client: Client, wire: Any, pingone: Any, name: dict[str, str]
) -> None:
    pingone.get(f"/users/{ADA}").respond(json=ada(name=name))

    post(client, opened(client), family_name="Berg")

    assert sent(wire) == {"name": name | {"family": "Berg"}}


def test_record_names_the_values_that_were_edited(client: Client, wire: Any) -> None:
    post(client, opened(client), title="Chief")

    entry = AuditEntry.objects.current().get()
    assert entry.inputs["changes"] == {"title": "Chief"}
    assert entry.inputs["seen"] == {"title": "Analyst"}
