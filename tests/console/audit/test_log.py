"""The audit log's pages: filters, pagination, wording, export, and the resolution of unknown outcomes."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.functional import lazy

from console.access import Actor
from console.audit import entries, wording
from console.audit.entries import Circumstances, Outcome, Subject
from console.audit.search import PAGE_SIZE, AuditFilterForm, matching
from console.models import AuditEntry
from console.models.audit import CHANNELS, OUTCOMES, SUBJECTS
from tests.support.answers import ADA, BO, HOSTILE_NAMES, STAFF, ada
from tests.support.record import as_org_admin, happened

pytestmark = pytest.mark.database

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LANGUAGE = lazy(translation.get_language, str)()  # a text that names the language it is shown in


@pytest.fixture
def log(browser_of, auditor):
    """Return a function that requests the log as an auditor."""
    return lambda path="", **query: browser_of(auditor).get(f"/o/acme/audit/{path}?{urlencode(query)}")


def entries_in(response) -> list[UUID]:
    return [UUID(found) for found in re.findall(r'<th scope="row"><a href="/o/acme/audit/([\w-]+)/">', response.text)]


def test_log_shows_each_entry_on_one_line_with_outcome_and_change(log, acme, helpdesk):
    happened(acme, helpdesk, ticket="INC1")

    text = log().text

    assert text.count("User deactivated") == 1
    assert "Status: activated → deactivated" in text
    for shown in ("agent@acme.test", "ada.berg", "Succeeded", "INC1"):
        assert shown in text


def test_user_page_lists_recent_actions_on_the_user(browser_of, acme, helpdesk, auditor, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    mine = happened(acme, helpdesk, outcome=Outcome.FAILED).entry
    happened(acme, helpdesk, user_id=BO, name="bo.ek")

    page = browser_of(auditor).get(f"/o/acme/users/{ADA}/").text

    lately = page[page.index('id="lately"') :].partition("</section>")[0]
    assert re.findall(r'href="([^"]+)"', lately) == [f"/o/acme/audit/?user={ADA}", f"/o/acme/audit/{mine}/"]
    assert "agent@acme.test" in lately
    assert "Failed" in lately


def test_operator_page_lists_recent_actions_of_the_operator(browser_of, acme, helpdesk, org_admin):
    mine = happened(acme, helpdesk).entry
    happened(acme, org_admin, user_id=BO, name="bo.ek")
    membership = helpdesk.memberships.get()

    page = browser_of(org_admin).get(f"/o/acme/settings/members/{membership.pk}/").text

    lately = page[page.index('id="lately"') :].partition("</section>")[0]
    assert re.findall(r'href="([^"]+)"', lately) == [
        "/o/acme/audit/?operator=agent%40acme.test",
        f"/o/acme/audit/{mine}/",
    ]
    assert "ada.berg" in lately


def test_failed_action_is_not_shown_as_done(log, acme, helpdesk):
    happened(acme, helpdesk, outcome=Outcome.FAILED)

    text = log().text

    assert "User deactivated" not in text
    assert "Deactivate" in text


def test_each_filter_narrows_the_log(log, acme, helpdesk, org_admin):
    mine = happened(acme, helpdesk, ticket="INC1").entry
    other = happened(
        acme, org_admin, action="user.unlock", user_id=BO, name="bo.ek", ticket="INC2", outcome=Outcome.UNKNOWN
    ).entry
    unfinished = happened(acme, org_admin, action="user.lock", user_id=BO, name="bo.ek", outcome=None).entry

    assert entries_in(log()) == [unfinished, other, mine]
    assert entries_in(log(operator="AGENT@acme.test")) == [mine]
    assert entries_in(log(operator="nobody@acme.test")) == []
    assert entries_in(log(user=str(ADA))) == [mine]
    assert entries_in(log(user="bo.ek")) == [unfinished, other]
    assert entries_in(log(action="user.unlock")) == [other]
    assert entries_in(log(outcome="unknown")) == [other]
    assert entries_in(log(outcome="started")) == [unfinished]
    assert entries_in(log(ticket="INC1")) == [mine]
    assert entries_in(log(ticket="INC2", user="bo.ek")) == [other]
    assert entries_in(log(ticket="INC2", user="ada.berg")) == []


def test_log_days_use_the_readers_time_zone(log, acme, helpdesk, time_machine, browser_of, auditor):
    rows = []
    for day in range(3):
        time_machine.move_to(NOON + timedelta(days=day), tick=False)
        rows.append(happened(acme, helpdesk).entry)
    time_machine.move_to(NOON + timedelta(days=3), tick=False)

    assert entries_in(log(since="2026-11-25")) == [rows[2], rows[1]]
    assert entries_in(log(until="2026-11-25")) == [rows[1], rows[0]]
    assert entries_in(log(since="2026-11-25", until="2026-11-25")) == [rows[1]]
    assert entries_in(log(since="2026-12-01")) == []
    assert entries_in(log(until="2026-11-01")) == []
    client = browser_of(auditor)
    client.cookies["timezone"] = "Pacific/Kiritimati"  # fourteen hours ahead: noon UTC is on the next day
    assert entries_in(client.get("/o/acme/audit/?since=2026-11-27")) == [rows[2]]


def test_invalid_filter_is_reported_and_ignored(log, acme, helpdesk):
    mine = happened(acme, helpdesk).entry

    response = log(since="yesterday", outcome="splendid", before="x", after="-1")

    assert response.status_code == 422
    assert entries_in(response) == [mine]


def test_log_pages_lead_through_all_entries_and_back(log, acme, helpdesk):
    total = 2 * PAGE_SIZE + 3
    rows = [
        entries.record(acme, "policy.changed", operator=helpdesk, subject=Subject(kind=AuditEntry.Subject.POLICY)).entry
        for _ in range(total)
    ]
    newest_first = rows[::-1]

    first = log(action="policy.changed")
    second = log(**dict(pair.split("=") for pair in first.context["pager"].next[1:].split("&")))
    third = log(**dict(pair.split("=") for pair in second.context["pager"].next[1:].split("&")))
    back = log(**dict(pair.split("=") for pair in third.context["pager"].previous[1:].split("&")))

    assert entries_in(first) + entries_in(second) + entries_in(third) == newest_first
    assert first.context["pager"].previous == third.context["pager"].next == ""
    assert entries_in(back) == entries_in(second)
    assert "action=policy.changed" in back.context["pager"].next


def test_full_page_needs_no_more_queries_than_one_line(browser_of, auditor, acme, helpdesk, django_assert_num_queries):
    client = browser_of(auditor)
    happened(acme, helpdesk)
    client.get("/o/acme/audit/")
    with CaptureQueriesContext(connection) as one_line:
        client.get("/o/acme/audit/")
    for _ in range(PAGE_SIZE):
        happened(acme, helpdesk)

    with django_assert_num_queries(len(one_line)):
        client.get("/o/acme/audit/")


def test_each_filter_uses_an_index(acme, helpdesk):
    filters = {"operator": helpdesk, "subject_id": "x", "action": "x", "outcome": "failed"} | {
        "subject_population": STAFF
    }
    for chosen in ({name: value} for name, value in filters.items()):
        found = AuditEntry.objects.current().filter(organization=acme, **chosen).order_by("-sequence")[:50]
        plan = found.explain()
        assert f"audit_by_{next(iter(chosen)).removesuffix('_id')}" in plan
        assert "TEMP B-TREE" not in plan


def test_unfinished_entries_are_found_by_sequence_number(acme, helpdesk):
    happened(acme, helpdesk)
    form = AuditFilterForm({"outcome": "started"})
    assert form.is_valid()

    assert not matching(as_org_admin(acme), form).rows.exists()
    unfinished = happened(acme, helpdesk, outcome=None)
    assert matching(as_org_admin(acme), form).rows.get() == unfinished
    assert f'"sequence" IN ({unfinished.sequence})' in str(matching(as_org_admin(acme), form).rows.query)


def test_log_shows_nothing_of_another_organization(log, globex, stranger, browser_of, auditor):
    theirs = happened(globex, stranger)

    assert entries_in(log()) == []
    assert log(f"{theirs.entry}/").status_code == 404
    assert browser_of(auditor).post(f"/o/acme/audit/{theirs.entry}/read-again/").status_code == 404
    assert str(theirs.entry) not in "".join(log("export/jsonl/").getvalue().decode())


def test_entry_page_shows_everything_on_record(log, acme, helpdesk):
    row = happened(
        acme, helpdesk, outcome=Outcome.FAILED, ticket="INC1", reason="Left on Friday", source_address="203.0.113.9"
    )

    text = log(f"{row.entry}/").text

    for shown in ("Failed", "ada.berg", "agent@acme.test", "203.0.113.9", "INC1", "Left on Friday"):
        assert shown in text
    for shown in (str(row.entry), "e-1", "c-1", "missing-permission", str(ADA), "activated", "not read"):
        assert shown in text
    assert "Undo" not in text


def test_entry_page_offers_undo_only_with_permission(browser_of, acme, helpdesk, auditor):
    row = happened(acme, helpdesk)

    assert "Undo" in browser_of(helpdesk).get(f"/o/acme/audit/{row.entry}/").text
    assert "Undo" not in browser_of(auditor).get(f"/o/acme/audit/{row.entry}/").text


def test_unknown_outcome_is_marked_and_resolved_by_reading_the_user(browser_of, acme, helpdesk, pingone):
    row = happened(acme, helpdesk, outcome=Outcome.UNKNOWN)
    client = browser_of(helpdesk)
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False))
    assert "audit-open" in client.get("/o/acme/audit/").text
    assert "Check the user now" in client.get(f"/o/acme/audit/{row.entry}/").text

    response = client.post(f"/o/acme/audit/{row.entry}/read-again/", follow=True)

    assert "it has happened" in response.text
    assert AuditEntry.objects.current().get().outcome == "succeeded"
    assert "audit-open" not in client.get("/o/acme/audit/").text


def test_unknown_outcome_stays_if_reading_cannot_resolve_it(browser_of, acme, helpdesk, pingone):
    row = happened(acme, helpdesk, action="user.verify-email", outcome=Outcome.UNKNOWN)
    pingone.get(f"/users/{ADA}").mock(return_value=httpx.Response(200, json=ada()))

    response = browser_of(helpdesk).post(f"/o/acme/audit/{row.entry}/read-again/", follow=True)

    assert "The outcome is still unknown" in response.text
    assert AuditEntry.objects.current().get().outcome == "unknown"


def test_auditor_cannot_resolve_an_unknown_outcome(browser_of, acme, helpdesk, auditor):
    row = happened(acme, helpdesk, outcome=Outcome.UNKNOWN)

    assert browser_of(auditor).post(f"/o/acme/audit/{row.entry}/read-again/").status_code == 403
    assert "Check the user now" not in browser_of(auditor).get(f"/o/acme/audit/{row.entry}/").text


def test_action_of_a_dead_process_can_be_resolved(browser_of, acme, helpdesk, pingone, time_machine):
    row = happened(acme, helpdesk, outcome=None)
    pingone.get(f"/users/{ADA}").respond(json=ada())
    time_machine.move_to(timezone.now() + timedelta(minutes=6), tick=False)

    browser_of(helpdesk).post(f"/o/acme/audit/{row.entry}/read-again/")

    assert AuditEntry.objects.current().get().outcome == "failed"  # Ada can still sign in, so it has not happened


def test_csv_export_has_every_match_and_no_formula(log, acme, helpdesk):
    happened(acme, helpdesk, name='=HYPERLINK("http://evil.test")', reason="+1", ticket="@x")
    happened(acme, helpdesk, name="bo.ek", user_id=BO)

    response = log("export/csv/", user=str(ADA))

    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    assert response["Content-Disposition"].startswith('attachment; filename="audit-acme-')
    assert [row["outcome"] for row in rows] == ["succeeded"]
    assert rows[0]["subject_name"] == '\'=HYPERLINK("http://evil.test")'
    assert (rows[0]["reason"], rows[0]["ticket"]) == ("'+1", "'@x")
    assert rows[0]["changes"] == "Status: activated → deactivated"


def test_csv_export_is_in_english_for_every_reader(log, acme, helpdesk, monkeypatch):
    monkeypatch.setitem(wording._LABELS, "enabled", LANGUAGE)
    happened(acme, helpdesk)

    with translation.override("de"):
        page, exported = log().text, log("export/csv/").getvalue().decode()

    assert "de: activated → deactivated" in page
    assert "en: activated → deactivated" in exported


def test_translated_texts_are_stored_in_english(acme, helpdesk):
    about = Subject(kind=AuditEntry.Subject.POLICY, name=LANGUAGE)
    actor = Actor(kind=AuditEntry.Actor.OPERATOR, operator=helpdesk)

    with translation.override("de"):
        recorded = entries.record(acme, "policy.changed", subject=about, reason=LANGUAGE, inputs={"x": LANGUAGE})
        refused = entries.refuse(
            acme, actor, "user.lock", about, circumstances=Circumstances(), inputs={}, reason=LANGUAGE
        )
        closed = entries.close(happened(acme, helpdesk, outcome=None), Outcome.UNKNOWN, note=LANGUAGE)

    assert (recorded.subject_name, recorded.reason, recorded.inputs) == ("en", "en", {"x": "en"})
    assert refused is not None
    assert (refused.note, closed.note) == ("en", "en")


def test_every_choice_of_an_entry_has_words_for_pages():
    assert set(OUTCOMES) == set(AuditEntry.Outcome)
    assert set(SUBJECTS) == set(AuditEntry.Subject)
    assert set(CHANNELS) == set(AuditEntry.Channel)


def test_recent_activity_names_an_unknown_operator_and_an_object_without_name(acme):
    line = wording.Line(entries.record(acme, "policy.changed", subject=Subject(kind=AuditEntry.Subject.POLICY)))

    assert (line.who, line.whom) == ("unknown", "Policy")


def test_json_export_has_every_match_with_all_fields(log, acme, helpdesk):
    rows = [happened(acme, helpdesk), happened(acme, helpdesk, outcome=Outcome.FAILED)]

    lines = [json.loads(line) for line in log("export/jsonl/").getvalue().decode().splitlines()]

    assert [line["entry"] for line in lines] == [str(row.entry) for row in reversed(rows)]
    assert lines[1]["before"] == {"enabled": True}
    assert lines[1]["hash"] == rows[0].hash


def test_export_continues_after_one_chunk(log, acme, helpdesk, monkeypatch):
    monkeypatch.setattr("console.audit.search.EXPORT_CHUNK", 2)
    for _ in range(5):
        happened(acme, helpdesk)

    assert len(log("export/jsonl/").getvalue().splitlines()) == 5


@pytest.mark.parametrize("path", ["export/xlsx/", "export/csv/?since=yesterday"])
def test_unknown_export_is_not_found(browser_of, auditor, path):
    assert browser_of(auditor).get(f"/o/acme/audit/{path}").status_code == 404


def test_helpdesk_agent_can_read_the_log_but_not_export_it(browser_of, helpdesk):
    client = browser_of(helpdesk)

    assert client.get("/o/acme/audit/").status_code == 200
    assert "CSV" not in client.get("/o/acme/audit/").text
    assert "xport" not in client.get("/o/acme/").text
    assert client.get("/o/acme/audit/export/csv/").status_code == 403


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_text_is_escaped_in_log_and_exports(log, acme, helpdesk, name):
    row = entries.record(
        acme,
        "policy.changed",
        operator=helpdesk,
        subject=Subject(kind=AuditEntry.Subject.POLICY, name=name),
        reason=name,
        inputs={"x": name, name: 1},
        before={name: name},
        after={name: [name, {name: name}]},
    )

    pages = log().text + log(f"{row.entry}/").text
    exports = log("export/csv/").getvalue().decode() + log("export/jsonl/").getvalue().decode()

    assert "<script>alert" not in pages
    assert "<img src=x" not in pages
    assert "\x00" not in pages + exports
    assert not any("49" in told for told in re.findall(r'class="audit-changes"><bdi>(.*?)</bdi>', log().text))


def test_user_page_links_to_the_log(browser_of, helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    page = browser_of(helpdesk).get(f"/o/acme/users/{ADA}/").text

    assert f"/o/acme/audit/?user={ADA}" in page
