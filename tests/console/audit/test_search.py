"""The audit log's filters by the beginning of a word: of a user, a group or a ticket."""

import importlib
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from console.audit import entries, terms
from console.audit.chain import verify
from console.audit.entries import Outcome, Subject
from console.audit.search import AuditFilterForm, each_of, matching, page_of
from console.audit.terms import Of, beginnings, folded
from console.models import AuditEntry, AuditTerm, Organization
from pingone_integration.typed.text import Kind, clean
from pingone_integration.values import text
from tests.support.answers import ADA, BO, HOSTILE_NAMES
from tests.support.record import VPN, as_org_admin, happened, joined

pytestmark = pytest.mark.database

MARA: dict[str, Any] = {"name": "Phone.Person", "full_name": "Mara Elin Lind", "email": "Mara.Lind@acme.test"}


@pytest.fixture
def found(acme):
    """Return a function that returns the IDs of the entries that match the filters."""

    def search(**filters: str) -> list[UUID]:
        form = AuditFilterForm(filters)
        assert form.is_valid(), form.errors
        return [row.entry for row in page_of(matching(as_org_admin(acme), form)).entries]

    return search


@pytest.fixture(params=[1, 4, terms.FEW], ids="few={}".format)
def small_blocks(monkeypatch, request):
    """Let a few entries fill several blocks, and several reads; how many are few decides the way they are read."""
    monkeypatch.setattr(terms, "FEW", request.param)
    monkeypatch.setattr(terms, "BLOCK", 3)
    monkeypatch.setattr(terms, "BLOCKS_AT_ONCE", 2)


@pytest.mark.parametrize(
    "filters",
    [
        {"ticket": "inc42"},
        {"ticket": "INC4"},
        {"ticket": "  Inc4217 "},
        {"user": "Phone.Person"},
        {"user": "phone.p"},
        {"user": "PHONE"},
        {"user": "mara.lind@ACME"},
        {"user": "Mara Lind"},
        {"user": "lind mara"},
        {"user": "Mara Elin Lind"},
        {"user": "eli"},
        {"user": "m l"},
        {"user": str(ADA)},
        {"user": "mara", "ticket": "inc", "group": "vpn"},
        {"group": "vpn"},
        {"group": "users"},
        {"group": "Users V"},
        {"group": str(VPN)},
        {"group": str(VPN).upper()},
        {"group": "vpn", "action": "group.add", "outcome": "succeeded", "operator": "AGENT@acme.test"},
    ],
)
def test_entry_is_found_by_a_beginning(found, acme, helpdesk, filters):
    mine = joined(acme, helpdesk, ticket="INC4217", **MARA).entry
    happened(acme, helpdesk, user_id=BO, name="bo.ek", full_name="Bo Ek", email="bo@acme.test", ticket="CHG42")

    assert found(**filters) == [mine]


@pytest.mark.parametrize(
    "filters",
    [
        {"ticket": "C42"},
        {"user": "person"},  # the middle of a username
        {"user": "acme.test"},
        {"user": "Mara Lindqvist"},  # each word counts
        {"user": "vpn"},
        {"group": "mara"},
        {"group": "vpn", "ticket": "chg"},
        {"ticket": "inc%"},
        {"user": "phone_person"},
    ],
)
def test_entry_is_not_found_by_anything_else(found, acme, helpdesk, filters):
    joined(acme, helpdesk, ticket="INC4217", **MARA)

    assert found(**filters) == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Zoë Åkesson", "zoe akes"),
        ("zoe akesson", "ZOË Å"),
        ("Seán O\u2019Quill", "sean o'q"),
        ("Seán O'Quill", "O\u2019QUILL"),
        ("Anna-Lena Berg", "lena"),
        ("Anna\u2010Lena Berg", "anna-lena"),
        ("Weiß", "WEISS"),
        ("İpek Şahin", "ipek sahin"),
        ("김민수", "김미"),
        ("王小明", "王"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u062e\u0648"),  # a zero-width non-joiner
        ("\u202eMara", "mara"),
    ],
)
def test_name_is_found_in_another_spelling(found, acme, helpdesk, name, typed):
    mine = happened(acme, helpdesk, full_name=name).entry

    assert found(user=typed) == [mine]


@given(name=st.text(max_size=30), cut=st.integers(0, 30))
def test_beginning_of_a_text_is_the_beginning_of_its_folded_form(name, cut):
    assert folded(name).startswith(folded(name[:cut]))
    assert folded(folded(name)) == folded(name)


@pytest.mark.parametrize("hostile", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_text_is_found_by_itself(found, acme, helpdesk, hostile):
    ticket = clean(hostile[:100].replace("\x00", ""), Kind.ID)  # as every form stores it
    named = {"name": hostile, "full_name": hostile, "ticket": ticket}
    mine = joined(acme, helpdesk, before={"group": hostile}, after={"group": hostile}, **named).entry
    typed = text(hostile).replace("\x00", "")

    for filters in ({"user": typed[:256]}, {"group": typed[:256]}, {"ticket": ticket}):
        assert found(**filters) == [mine]


def test_renamed_user_is_one_user(found, acme, helpdesk):
    old = happened(acme, helpdesk, name="mara.lind", full_name="Mara Lind")
    happened(acme, helpdesk, user_id=BO, name="mara.ek")
    new = happened(acme, helpdesk, name="mara.berg", full_name="Mara Berg")
    last = happened(acme, helpdesk, name="mara.berg", full_name="Mara Berg", outcome=None)

    every = [last.entry, new.entry, old.entry]
    assert found(user="mara.lind") == found(user="mara.berg") == found(user="Lind") == found(user=str(ADA)) == every
    assert found(user="mara.ek") != every
    assert [row.subject_name for row in (old, new)] == ["mara.lind", "mara.berg"]  # as it was then
    assert verify(acme) is None


def test_entry_without_an_answer_names_the_user_as_last_seen(found, acme, helpdesk):
    happened(acme, helpdesk, **MARA)

    refused = happened(acme, helpdesk, name="", outcome=Outcome.FAILED)

    assert (refused.subject_name, refused.subject_full_name) == (MARA["name"], MARA["full_name"])
    assert refused.entry in found(user="phone.person")


def test_only_the_latest_row_of_an_entry_is_indexed(found, acme, helpdesk):
    row = joined(acme, helpdesk, before={}, ticket="INC1")

    assert set(AuditTerm.objects.values_list("sequence", flat=True)) == {row.sequence}
    assert found(group="vpn") == [row.entry]  # the name was known only afterwards


def test_group_itself_is_found(found, acme, helpdesk):
    group = Subject(kind=AuditEntry.Subject.GROUP, id=VPN, name="VPN Users")
    mine = entries.record(acme, "group.members-exported", operator=helpdesk, subject=group).entry

    assert found(group="vpn us") == found(group=str(VPN)) == [mine]


def test_words_of_another_organization_find_nothing(found, acme, globex, helpdesk):
    joined(globex, helpdesk, ticket="INC42", **MARA)

    assert found(user="mara") == found(ticket="inc42") == found(group="vpn") == []


def test_pages_of_matches_lead_to_every_entry_and_back(acme, helpdesk, small_blocks, monkeypatch):
    monkeypatch.setattr("console.audit.search.PAGE_SIZE", 3)
    monkeypatch.setattr("console.audit.search.EXPORT_CHUNK", 2)
    rows = [happened(acme, helpdesk, ticket=f"INC{'7' if number % 3 else '1'}") for number in range(24)]
    newest_first = [row.entry for row in reversed(rows) if row.ticket == "INC7"]
    form = AuditFilterForm({"ticket": "inc7"})
    assert form.is_valid()

    pages = [page_of(matching(as_org_admin(acme), form))]
    while (older := pages[-1].older) is not None:
        pages.append(page_of(matching(as_org_admin(acme), form), before=older))
    assert [row.entry for page in pages for row in page.entries] == newest_first
    assert [row.entry for row in each_of(matching(as_org_admin(acme), form))] == newest_first

    back = pages[-1]
    for page in reversed(pages[:-1]):
        assert back.newer is not None
        back = page_of(matching(as_org_admin(acme), form), after=back.newer)
        assert [row.entry for row in back.entries] == [row.entry for row in page.entries]
    assert back.newer is None


@pytest.mark.parametrize("few", [1, 2, 3, 900])
def test_rare_and_common_words_meet_in_the_same_entries(found, acme, helpdesk, monkeypatch, few):
    monkeypatch.setattr(terms, "BLOCK", 12)  # six entries
    monkeypatch.setattr(terms, "FEW", few)
    names = ["Mara Lind", "Mara Berg", "Mara Ek", "Bo Lind", "Mara Ek", "Mara Berg"] * 3
    rows = [
        happened(acme, helpdesk, user_id=uuid4(), name=f"u{number}", full_name=name, ticket=f"INC{number % 2}")
        for number, name in enumerate(names)
    ]
    newest_first = list(zip(reversed(rows), reversed(names), strict=True))

    for typed in ("mara lind", "lind mara", "mara ek", "bo l", "mara bo"):
        words = set(typed.split())
        expected = [row.entry for row, name in newest_first if all(map(name.lower().__contains__, words))]
        assert found(user=typed) == expected, typed
    assert found(user="mara lind", ticket="inc1") == [
        row.entry for row, name in newest_first if name == "Mara Lind" and row.ticket == "INC1"
    ]


def test_old_matches_are_reached_past_empty_blocks(found, acme, helpdesk, small_blocks):
    oldest = happened(acme, helpdesk, ticket="OLD1").entry
    for _ in range(10):
        happened(acme, helpdesk, ticket="INC1")

    assert found(ticket="old") == [oldest]
    assert found(ticket="old", outcome="failed") == []


def test_search_reads_an_index(acme, helpdesk):
    happened(acme, helpdesk, ticket="INC1")
    form = AuditFilterForm({"ticket": "inc"})
    assert form.is_valid()
    with CaptureQueriesContext(connection) as queries:
        page_of(matching(as_org_admin(acme), form))

    asked = [query["sql"] for query in queries if "console_auditterm" in query["sql"]]
    assert len(asked) == 2  # the blocks, and the entries in them
    if connection.vendor == "sqlite":
        for sql in asked:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = str(cursor.fetchall())
            assert re.search(r"INDEX audit_term_in_block \(organization_id=\? AND block=\? AND term>\?", plan), plan


def test_entries_of_earlier_versions_are_found_after_the_upgrade(transactional_db):
    call_command("loaddata", Path(__file__).with_name("chain_before_actors.json"), verbosity=0)
    organization = Organization.objects.get()
    row = AuditEntry.objects.current().filter(subject_kind="user").exclude(subject_name="").latest("sequence")
    AuditTerm.objects.all().delete()

    importlib.import_module("console.migrations.0008_audit_search").index_earlier_entries(apps, None)

    form = AuditFilterForm({"user": row.subject_name.upper()[:-1], "ticket": row.ticket[:2].lower()})
    assert form.is_valid()
    assert row in matching(as_org_admin(organization), form).newest(50)
    assert set(AuditTerm.objects.values_list("sequence", flat=True)) <= set(
        AuditEntry.objects.current().values_list("sequence", flat=True)
    )
    assert verify(organization) is None


def test_ticket_is_one_word():
    assert beginnings(Of.TICKET, " INC  42 ") == (b"tinc 42",)
    assert beginnings(Of.PERSON, " Mara  mara LIND") == (b"umara", b"ulind")
