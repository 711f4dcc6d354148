"""Editing a profile: custom attributes, optimistic locking, and input that is never lost."""

import html
import json
import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Membership, Operator
from console.users.remembered import known_attributes
from tests.support.answers import ADA, ada, error, listing
from tests.support.people import make_operator

SCHEMA = "5c000000-0000-4000-8000-000000000001"
EDIT = f"/o/acme/users/{ADA}/actions/user.update/"
HTMX = {"HX-Request": "true", "HX-Target": "action"}


def attribute(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "type": "STRING", "schemaType": "CUSTOM", "enabled": True} | members


ATTRIBUTES = [
    attribute("nickname", schemaType="STANDARD", enabled=False),
    attribute("email", schemaType="STANDARD", required=True),
    attribute("address", schemaType="STANDARD", type="COMPLEX"),
    attribute("costCenter", displayName="Cost center", regexValidation={"pattern": "x", "requirements": "Two digits"}),
    attribute("region", displayName="Sales region"),
    attribute("onPayroll", type="BOOLEAN"),
    attribute("skills", multiValued=True),
    attribute("badge", enumeratedValues=[{"value": "red"}, {"value": "blue"}, {"value": "grey", "archived": True}]),
    attribute("sites", multiValued=True, enumeratedValues=[{"value": "Lund"}, {"value": "Oslo"}]),
    attribute("entitlements", type="JSON"),
    attribute("oldThing", enabled=False),
]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def tell_schema(pingone: Any, *attributes: dict[str, Any]) -> Any:
    pingone._assert_all_called = False
    pingone.get("/schemas").respond(json=listing("schemas", {"id": SCHEMA, "name": "User"}))
    return pingone.get(f"/schemas/{SCHEMA}/attributes").respond(json=listing("attributes", *attributes))


@pytest.fixture
def schema(pingone: Any) -> Any:
    return tell_schema(pingone, *ATTRIBUTES)


@pytest.fixture
def edit(browser_of: Callable[..., Client], helpdesk: Operator) -> Callable[..., Any]:
    """Return a function that submits the form of Ada's profile."""
    client = browser_of(helpdesk)

    def edit(*, htmx: bool = True, **fields: Any) -> Any:
        return client.post(EDIT, {"submission": str(uuid4())} | fields, headers=HTMX if htmx else {})

    edit.client = client  # type: ignore[attr-defined]
    return edit


def sent(wire: Any) -> Any:
    return json.loads(wire.calls.last.request.content)


def fields_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the form, as a browser sends them."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {html.unescape(name): html.unescape(value) for name, value in hidden if name != "csrfmiddlewaretoken"}


def test_form_offers_the_attributes_of_the_environment(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada(skills=["Welding", "Law"], badge="grey", onPayroll=False))

    page = edit.client.get(EDIT).text

    assert "Sales region" in page
    assert "Two digits." in page
    assert re.search(r"Welding\nLaw</textarea>", page)
    assert '<option value="grey" selected>grey (archived)</option>' in page
    assert '<option value="false" selected>No</option>' in page
    assert 'name="nickname"' not in page
    assert "oldThing" not in page
    assert re.search(r'name="email"[^>]* required', page)


def test_schema_is_cached_for_minutes(edit, helpdesk, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    edit.client.get(EDIT)
    edit.client.get(EDIT)
    assert schema.call_count == 1

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        known_attributes(enter_org(helpdesk, "acme"))
    assert schema.call_count == 2


@pytest.mark.parametrize("way", ["open", "save"])
def test_user_and_schema_are_asked_for_at_the_same_time(edit, pingone, schema, way):
    together = Barrier(2, timeout=5)  # the first call waits here for the second

    def one_of(answer):
        def wait(request):
            if not schema.called:
                together.wait()
            return httpx.Response(200, json=answer)

        return wait

    pingone.get(f"/users/{ADA}").mock(side_effect=one_of(ada()))
    pingone.get("/schemas").mock(side_effect=one_of(listing("schemas", {"id": SCHEMA, "name": "User"})))

    response = edit.client.get(EDIT) if way == "open" else edit()

    assert "Cost center" in response.text
    assert schema.call_count == 1


def test_standard_attributes_can_be_edited_without_the_schema(edit, pingone):
    pingone.get("/schemas").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))
    pingone.get(f"/users/{ADA}").respond(json=ada())

    page = edit.client.get(EDIT).text

    assert "only the standard ones are shown" in page
    assert 'name="title" value="Analyst"' in page


def test_only_edited_attributes_are_sent_in_their_types(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada(costCenter="42", skills=["Law"], badge="grey", onPayroll=True))
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada())

    edit(
        **{
            "title": "Analyst",
            "custom.costCenter": "",
            "custom.region": "North",
            "custom.skills": "Law\r\nWelding\r\n",
            "custom.badge": "grey",
            "custom.sites": ["", "Oslo"],
            "custom.onPayroll": "false",
            "custom.entitlements": '{"level": 2}',
        }
    )

    assert sent(wire) == {
        "costCenter": None,
        "region": "North",
        "skills": ["Law", "Welding"],
        "sites": ["Oslo"],
        "onPayroll": False,
        "entitlements": {"level": 2},
    }
    entry = AuditEntry.objects.current().get()
    before = entry.before or {}
    assert before["costCenter"] == "42"
    assert before["custom.region"] == ""


def test_error_summary_links_to_fields_below(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    page = edit(country_code="Sweden", mobile_phone="none").text

    summary = page[page.index("Nothing was saved.") : page.index("Account</legend>")]
    assert re.findall(r'href="#(\w+)">([^<]+)<', summary) == [
        ("id_mobile_phone", "Mobile phone"),
        ("id_country_code", "Country"),
    ]


def test_empty_json_attribute_is_an_empty_box(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    box = re.search(r'<textarea name="custom.entitlements"[^>]*>([^<]*)<', edit.client.get(EDIT).text)

    assert box
    assert box[1].strip() == ""


def test_form_shows_the_username(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    page = edit.client.get(EDIT).text

    assert "<bdi>ada.berg</bdi>" in page[page.index("<h1") : page.index('id="action-title"')]


def test_untouched_form_changes_nothing(edit, pingone, schema):
    odd = ada(skills=["two\nlines"], costCenter=["once", "many"], entitlements=[1, {"a": None}], region=" padded ")
    pingone.get(f"/users/{ADA}").respond(json=odd)
    page = edit.client.get(EDIT).text

    response = edit(**fields_of(page), **{"custom.region": " padded ", "custom.entitlements": '[1, {"a": null}]'})

    assert "No changes to save." in response.text
    assert 'name="custom.skills"' not in page  # a form cannot return this value unchanged
    assert 'name="custom.costCenter"' not in page


def test_unticking_the_last_value_clears_the_attribute(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada(sites=["Lund"]))
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada())

    edit(**{"custom.sites": [""]})

    assert sent(wire) == {"sites": None}


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("{", "not JSON"),
        ("NaN", "not JSON"),
        ("[" * 15_000, "nested too deeply"),
        ('"' + "x" * 16_000 + '"', "too long"),
    ],
    ids=["broken", "no number", "deep", "long"],
)
def test_json_is_checked_before_it_is_sent(edit, pingone, schema, typed, complaint):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    response = edit(**{"custom.entitlements": typed})

    assert response.status_code == 422
    assert complaint in response.text


def test_refused_custom_value_is_shown_at_its_field(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.patch(f"/users/{ADA}").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "region"))

    response = edit(**{"custom.region": "Nowhere"})

    assert re.search(r'name="custom.region" value="Nowhere"[^>]*aria-invalid="true"', response.text)
    assert not re.search(r'name="region"[^>]*aria-invalid="true"', response.text)


def test_hostile_attribute_names_and_values_are_escaped(edit, pingone):
    hostile = '"><script>alert(1)</script>'
    evil = attribute(
        hostile,
        displayName=hostile,
        description=hostile,
        enumeratedValues=[{"value": hostile}],
        multiValued=True,
        regexValidation={"requirements": hostile},
    )
    tell_schema(pingone, evil, attribute("x", displayName=hostile, description=hostile))
    pingone.get(f"/users/{ADA}").respond(json=ada(x=hostile, **{hostile: [hostile]}))

    page = edit.client.get(EDIT).text
    answer = edit(**{"custom.x": hostile * 2, "seen_at": "2026-11-01T00:00:00Z"}).text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page + answer
    assert "In PingOne now" in answer


@pytest.fixture
def conflict(edit, pingone, schema):
    """Edit Ada's title and email address after somebody else has changed her title and skills."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    opened = fields_of(edit.client.get(EDIT).text)
    pingone.get(f"/users/{ADA}").respond(json=ada(title="Chief", skills=["Law"], updatedAt="2026-11-21T00:00:00.000Z"))
    return edit(htmx=False, **opened, title="Head", email="new@acme.test", **{"custom.skills": ""})


def test_conflict_shows_both_values_and_writes_nothing(conflict):
    page = re.sub(r"\s+", " ", conflict.text)

    assert conflict.status_code == 409
    assert 'Your value: <bdi class="user-value">Head</bdi>' in page
    assert 'In PingOne now: <bdi class="user-value">Chief</bdi> <span class="text-secondary">(changed' in page
    assert re.search(r'name="take.email" value="mine" required checked', page)  # nobody else changed the email
    assert not re.search(r'name="take.title" value="mine" required checked', page)
    assert "take.custom.skills" not in page  # only others changed the skills, so the agent has no choice to make


def test_conflict_choice_decides_what_is_written(edit, pingone, conflict):
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada(email="new@acme.test"))

    response = edit(htmx=False, **fields_of(conflict.text) | {"take.title": "theirs", "take.email": "mine"})

    assert response.status_code == 302
    assert sent(wire) == {"email": "new@acme.test"}


def test_input_is_kept_without_javascript_during_an_outage(edit, pingone):
    pingone.get("/schemas").mock(side_effect=httpx.ConnectError("no route"))
    pingone.get(f"/users/{ADA}").mock(side_effect=httpx.ConnectError("no route"))

    response = edit(htmx=False, title="Head of everything", username="ada.berg")

    assert response.status_code == 504
    assert 'value="Head of everything"' in response.text
    assert "No changes to save" not in response.text


@pytest.fixture
def after_expiry(edit, pingone, schema):
    """Open Ada's form, and return a function that submits it without a session."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    opened = fields_of(edit.client.get(EDIT).text)

    def send(headers: dict[str, str], **fields: str) -> Client:
        browser = Client()
        browser.post(EDIT, opened | {"title": "Head"} | fields, headers=headers)
        return browser

    return send


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "plain"])
def test_input_survives_an_expired_session(after_expiry, helpdesk, headers, pingone):
    browser = after_expiry(headers)
    browser.force_login(helpdesk)

    page = browser.get(EDIT).text

    assert 'name="title" value="Head"' in page
    assert "You were signed out before this was submitted." in page
    assert not AuditEntry.objects.current().filter(action="user.update").exists()
    assert 'name="title" value="Analyst"' in browser.get(EDIT).text  # the kept input is shown only once


def test_sign_in_leads_back_to_the_form(edit, pingone, schema):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    opened = fields_of(edit.client.get(EDIT).text)

    response = Client().post(EDIT, opened, headers=HTMX | {"HX-Current-URL": f"http://testserver/o/acme/users/{ADA}/"})

    assert response["HX-Redirect"] == f"/accounts/login/?next={EDIT}"


def test_kept_input_is_not_shown_to_another_operator(after_expiry, acme):
    browser = after_expiry({}, title="Secretive")
    browser.force_login(make_operator("second@acme.test", acme, Membership.Role.HELPDESK_AGENT))

    assert "Secretive" not in browser.get(EDIT).text


@pytest.mark.parametrize("mark", ["", "forged", "x:y:z"])
def test_input_without_a_valid_mark_is_not_kept(after_expiry, helpdesk, mark):
    browser = after_expiry({}, title="Injected", typed_by=mark)
    browser.force_login(helpdesk)

    assert "Injected" not in browser.get(EDIT).text
