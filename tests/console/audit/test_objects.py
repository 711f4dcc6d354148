"""The group, device or session of an action: named wherever the entry is shown or exported."""

import csv
import io
import json
import re
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.utils import timezone
from django.utils.html import escape

from console.actions.catalogue import ACTIONS, BY_KEY
from console.actions.effect import shows
from console.actions.notices import notice_of
from console.actions.outcome import AlreadySubmitted, NoChange
from console.audit import entries
from console.audit.entries import Outcome
from console.audit.objects import object_of
from console.models import AuditEntry
from pingone_integration.errors import ChangedMeanwhile
from pingone_integration.models import SyncedPopulation
from tests.support.answers import ADA, HOSTILE_NAMES, ada
from tests.support.people import ENVIRONMENT
from tests.support.record import VPN, happened, joined

pytestmark = pytest.mark.database

PHONE = UUID("3b2a4190-8f7e-4d5c-8b3a-29107f6e5d4c")
SALES = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6")
IPHONE = {"paired": True, "device": "Text message +1 555", "nickname": "iPhone"}

IN_SALES = {"group": "VPN", "group_population": "Sales"}
MOVED = {"population_id": str(SALES), "population_name": "Sales"}
PORTAL = {"signed_on": True, "client": "Portal", "from": "203.0.113.9"}

# The action, its inputs and values before, and the kind and name of its object.
RECORDED: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("group.add", {"group_id": VPN}, {"group": "VPN", "direct_member": False}, "group", "VPN"),
    ("group.remove", {"group_id": VPN}, IN_SALES, "group", "VPN (Sales)"),
    ("device.remove", {"device_id": PHONE}, IPHONE, "device", "iPhone (Text message +1 555)"),
    ("device.unlock", {"device_id": PHONE}, IPHONE | {"nickname": ""}, "device", "Text message +1 555"),
    ("session.end", {"session_id": PHONE}, PORTAL, "session", "Portal, 203.0.113.9"),
    ("user.move", {"population_id": SALES}, {"population_id": "p1"}, "population", "Sales"),
]


@pytest.fixture
def pages(browser_of, org_admin, helpdesk, pingone):
    """Return a function that returns every page that shows the entry, as its text by name."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    client = browser_of(org_admin)
    membership = helpdesk.memberships.get()

    def read(entry: AuditEntry) -> dict[str, str]:
        user_page = client.get(f"/o/acme/users/{ADA}/").text
        return {
            "list": client.get("/o/acme/audit/").text,
            "entry": client.get(f"/o/acme/audit/{entry.entry}/").text,
            "user": user_page[user_page.index('id="lately"') :].partition("</section>")[0],
            "member": client.get(f"/o/acme/settings/members/{membership.pk}/").text,
        }

    return read


@pytest.fixture
def exports(browser_of, auditor):
    """Return a function that returns the newest entry as a line of the CSV and of the JSON lines."""

    def read() -> list[dict[str, str]]:
        client = browser_of(auditor)
        lines = client.get("/o/acme/audit/export/csv/").getvalue().decode("utf-8-sig")
        exact = client.get("/o/acme/audit/export/jsonl/?action=group.add").getvalue().decode()
        return [next(csv.DictReader(io.StringIO(lines))), *(json.loads(line) for line in exact.splitlines()[:1])]

    return read


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.form.id_fields()], ids=lambda one: one.key)
def test_action_on_an_object_records_its_id(action):
    entry = AuditEntry(action=action.key, inputs={name: str(VPN) for name in action.form.id_fields()})

    assert (found := object_of(entry)) is not None
    assert (found.id, found.name) == (str(VPN), "")
    assert found.label


def test_each_page_and_export_names_the_object(acme, helpdesk, pages, browser_of, auditor, audit_lines):
    rows = [
        happened(acme, helpdesk, action=action, inputs=inputs, before=before, after=MOVED)
        for action, inputs, before, _kind, _name in RECORDED
    ]
    shown = pages(rows[0])
    lines = browser_of(auditor).get("/o/acme/audit/export/csv/").getvalue().decode("utf-8-sig")
    cells = list(csv.DictReader(io.StringIO(lines)))[::-1]
    exact = browser_of(auditor).get("/o/acme/audit/export/jsonl/").getvalue().decode().splitlines()[1:][::-1]
    logged = [json.loads(line) for line in audit_lines()][1::2]

    for row, cell, line, log, (_action, inputs, _before, kind, name) in zip(
        rows, cells, map(json.loads, exact), logged, RECORDED, strict=False
    ):
        object_id = str(next(iter(inputs.values())))
        assert (cell["object_kind"], cell["object_id"], cell["object_name"].lstrip("'")) == (kind, object_id, name)
        assert (line["object_kind"], line["object_id"], line["object_name"]) == (kind, object_id, name)
        assert (log["object_kind"], log["object_id"]) == (kind, object_id)
        assert log.get("object_name") == (None if kind == "device" else name)  # a device's is a phone number
        assert f"<bdi>{name}</bdi>" in shown["list"]
        assert f"<bdi>{name}</bdi>" in shown["member"]
        assert row is rows[0] or f"<bdi>{name}</bdi>" in shown["user"]  # the five latest
    assert f'<a href="/o/acme/groups/{VPN}/"><bdi>VPN</bdi></a>' in shown["entry"]
    assert "Phone" not in shown["entry"]


def test_object_without_a_name_is_shown_by_its_id(acme, helpdesk, pages):
    row = joined(acme, helpdesk, before={"enabled": True}, outcome=Outcome.FAILED)

    assert all(f"<bdi>{VPN}</bdi>" in text for text in pages(row).values())


@pytest.mark.parametrize("hostile", [HOSTILE_NAMES["markup"], HOSTILE_NAMES["a right-to-left override"]])
def test_hostile_names_and_notes_are_escaped_and_isolated(acme, helpdesk, pages, hostile):
    named = {"name": hostile, "full_name": hostile, "ticket": hostile[:100], "note": hostile}
    row = joined(acme, helpdesk, before={"group": hostile, "group_population": hostile}, after={}, **named)

    for name, text in pages(row).items():
        assert "<script>alert" not in text, name
        not_isolated = re.sub(r'<bdi>.*?</bdi>|<title>.*?</title>|"[^"]*"', "", text, flags=re.DOTALL)
        assert escape(hostile) not in not_isolated, name


def test_note_reaches_every_page(acme, helpdesk, pages, exports):
    row = joined(acme, helpdesk, note="The result could not be verified.")

    assert all("The result could not be verified." in text for name, text in pages(row).items())
    assert [line["note"] for line in exports()] == ["The result could not be verified."] * 2


def test_times_are_shown_with_seconds_and_zone(acme, helpdesk, pages, browser_of, org_admin, time_machine):
    time_machine.move_to("2026-11-24T23:30:15Z", tick=False)
    row = joined(acme, helpdesk)

    assert all("24 Nov 2026, 23:30:15 UTC" in text for text in pages(row).values())
    client = browser_of(org_admin)
    client.cookies["timezone"] = "Europe/Stockholm"
    assert "25 Nov 2026, 00:30:15 CET" in client.get("/o/acme/audit/").text


def test_export_is_on_record_with_its_filters(browser_of, auditor, helpdesk, acme):
    happened(acme, helpdesk, ticket="INC42")
    client = browser_of(auditor)

    for kind in ("csv", "jsonl"):
        exported = client.get(f"/o/acme/audit/export/{kind}/?ticket=inc4&since=2020-01-01").getvalue().decode()
        row = AuditEntry.objects.latest("sequence")
        assert (row.action, row.outcome, row.operator) == ("audit.exported", "succeeded", auditor)
        assert row.inputs == {"format": kind, "ticket": "inc4", "since": "2020-01-01"}
        assert row.source_address == "127.0.0.1"
        assert str(row.entry) not in exported
    text = client.get("/o/acme/audit/").text
    assert "Audit log exported" in text
    assert "inc4" in client.get(f"/o/acme/audit/{row.entry}/").text


def test_refused_export_and_head_are_not_on_record_as_exports(browser_of, auditor, helpdesk):
    assert browser_of(helpdesk).get("/o/acme/audit/export/csv/").status_code == 403
    assert browser_of(auditor).head("/o/acme/audit/export/csv/").status_code == 405
    assert browser_of(auditor).get("/o/acme/audit/export/csv/?since=soon").status_code == 404

    assert [row.action for row in AuditEntry.objects.all()] == ["access.refused"]


@pytest.mark.parametrize("outcome", [Outcome.CONFLICT, Outcome.FAILED])
def test_conflict_is_no_failure_of_the_operator(acme, helpdesk, pages, browser_of, auditor, outcome):
    """Entries of earlier versions have the outcome failed, with the kind of PingOne's error."""
    started = happened(acme, helpdesk, action="user.update", outcome=None)
    row = entries.close(started, outcome, error=ChangedMeanwhile())

    shown = pages(row)
    assert all("Conflict" in text for text in shown.values())
    assert 'data-outcome="failed"' not in shown["list"] + shown["entry"]
    assert "user-bad" not in shown["user"]
    client = browser_of(auditor)
    assert str(row.entry) in client.get("/o/acme/audit/?outcome=conflict").text
    assert str(row.entry) not in client.get("/o/acme/audit/?outcome=failed").text
    assert "conflict" in client.get("/o/acme/audit/export/csv/").getvalue().decode()


def test_group_of_a_population_is_recorded_with_it(acme, helpdesk, browser_of, pingone):
    SyncedPopulation.objects.create(
        connection=acme.connection,
        environment_id=ENVIRONMENT,
        population_id=SALES,
        name="Sales",
        is_default=False,
        synced_at=timezone.now(),
    )
    group = {"id": str(VPN), "name": "VPN", "population": {"id": str(SALES)}}
    joined_group = {"id": str(VPN), "name": "VPN", "type": "DIRECT", "_embedded": {"group": group}}
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/groups/{VPN}").respond(json=group)
    answers = [httpx.Response(404), httpx.Response(200, json=joined_group)]
    pingone.get(f"/users/{ADA}/memberOfGroups/{VPN}").mock(side_effect=answers)
    pingone.post(f"/users/{ADA}/memberOfGroups").respond(201, json=joined_group)

    sent = {"group_id": str(VPN), "submission": str(uuid4())}
    page = browser_of(helpdesk).post(f"/o/acme/users/{ADA}/actions/group.add/", sent, follow=True).text

    assert "Added Ada Berg to VPN (Sales)." in page
    row = AuditEntry.objects.latest("sequence")
    assert (found := object_of(row)) is not None
    assert found.name == "VPN (Sales)"
    assert (row.subject_full_name, row.subject_email) == ("Ada Berg", "ada.berg@acme.test")


def test_entry_of_an_earlier_version_can_be_undone():
    now = {"group": "VPN", "direct_member": True, "group_population": "Sales"}

    assert shows({"group": "VPN", "direct_member": True}, now)
    assert shows(now, now)
    assert not shows(now | {"group_population": "Field"}, now)
    assert not shows(now | {"direct_member": False}, now)
    assert not shows(now, None)


def test_action_without_an_object_has_none():
    assert object_of(AuditEntry(action="user.lock", inputs={"until": "2026"})) is None
    assert BY_KEY["user.lock"].form.id_fields() == []


NOTE = "The result could not be verified."


@pytest.mark.parametrize("case", [partial(NoChange, note=NOTE), AlreadySubmitted], ids=["no change", "submitted"])
def test_note_reaches_the_notice(case):
    entry = AuditEntry(action="user.lock", outcome=Outcome.NO_CHANGE, note=NOTE)

    notice = notice_of(case(entry=entry), BY_KEY["user.lock"], name="Ada", in_words=str)

    assert str(notice.text).endswith(f" {NOTE}")
