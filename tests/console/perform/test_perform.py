"""`perform`, the only path for actions: checks, audit entries, idempotency, undo and unknown outcomes."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import translation
from django.utils.functional import lazy

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.actions.outcome import AlreadySubmitted, Conflict, Failed, Unknown
from console.audit import entries
from console.audit.entries import Circumstances
from console.models import AuditEntry, Membership, Operator, TicketPolicy
from console.perform.resolve import resolve
from console.perform.user_operation import perform
from pingone_integration.errors import MissingPermission, NotConnected, NotFound
from tests.support.answers import ADA, STAFF, ada, error
from tests.support.performing import done, reads, refused, rows, run

pytestmark = pytest.mark.database

LANGUAGE = lazy(translation.get_language, str)()  # a text that names the language it is shown in
OTHER_POPULATION = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")


@pytest.fixture
def access(helpdesk: Operator) -> OrgAccess:
    return enter_org(helpdesk, "acme")


def test_action_is_on_record_with_the_values_before_and_after(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    wire = pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})

    performed = done(run(access, "user.deactivate", ticket="INC1", reason="Left", source_address="203.0.113.9"))

    entry = AuditEntry.objects.current().get()
    assert rows() == [("user.deactivate", "started"), ("user.deactivate", "succeeded")]
    assert (entry.before, entry.after) == ({"enabled": True}, {"enabled": False})
    assert (entry.subject_name, entry.ticket, entry.reason) == ("ada.berg", "INC1", "Left")
    assert wire.calls.last.request.headers["X-Ping-External-Transaction-ID"] == str(entry.entry)
    assert performed.user is not None
    assert not performed.user.enabled


def test_long_subject_name_is_shortened_on_record(access, pingone):
    letters = random.Random(1)  # noqa: S311 - no secret, but nothing that compresses either
    endless = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz\N{GRINNING FACE}", k=10_000))
    reads(pingone, ada(username=endless), ada(username=endless, enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})

    run(access, "user.deactivate")

    assert AuditEntry.objects.current().get().subject_name == endless[: entries.LONGEST_NAME]


def test_action_does_not_run_if_it_cannot_be_recorded(access, pingone, monkeypatch):
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    reads(pingone, ada())
    monkeypatch.setattr(entries, "append", full)

    with pytest.raises(OSError, match="disk full"):
        run(access, "user.deactivate")  # respx fails the test if a write reaches PingOne


def test_permission_is_checked_again_when_the_action_runs(access, pingone):
    Membership.objects.update(role=Membership.Role.AUDITOR)

    with pytest.raises(PermissionDenied):
        run(access, "user.deactivate")

    assert rows() == []


def test_removed_member_gets_not_found_when_the_action_runs(access, pingone):
    Membership.objects.all().delete()

    with pytest.raises(Http404):
        run(access, "user.deactivate")


def test_double_submit_has_one_effect_and_returns_its_entry(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    wire = pingone.put(f"/users/{ADA}/enabled").respond(json={})
    submission = uuid4()
    run(access, "user.deactivate", submission=submission)

    again = run(access, "user.deactivate", submission=submission)

    assert isinstance(again, AlreadySubmitted)
    assert again.entry.outcome == "succeeded"
    assert wire.call_count == 1


def test_refusal_is_on_record_with_the_ids_of_pingone(access, pingone):
    reads(pingone, ada())
    pingone.put(f"/users/{ADA}/enabled").respond(403, json=error("ACCESS_FAILED"), headers={"Correlation-Id": "c-77"})

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, MissingPermission)

    entry = AuditEntry.objects.current().get()
    assert (entry.outcome, entry.error_kind) == ("failed", "missing-permission")
    assert (entry.error_id, entry.correlation_id) == ("a8f8ecb4-df02-4e4a-a94d-a60c3299d5b6", "c-77")


def test_action_on_a_missing_user_is_on_record(access, pingone):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, NotFound)

    assert rows() == [("user.deactivate", "started"), ("user.deactivate", "failed")]


def test_action_without_a_connection_is_on_record(access, pingone):
    access.org.connection.state = "disconnected"
    access.org.connection.save()

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, NotConnected)

    assert rows()[-1] == ("user.deactivate", "failed")


def test_bug_during_the_call_leaves_the_outcome_unknown(access, pingone, monkeypatch):
    reads(pingone, ada())
    monkeypatch.delattr("pingone_integration.calls.api.PingOneApi.put")

    with pytest.raises(AttributeError):
        run(access, "user.deactivate")

    assert rows()[-1] == ("user.deactivate", "unknown")


def test_action_succeeds_even_if_it_cannot_be_read_back(access, pingone):
    pingone.get(f"/users/{ADA}").mock(side_effect=[httpx.Response(200, json=ada()), httpx.Response(429)])
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    performed = done(run(access, "user.deactivate"))

    assert (performed.entry.outcome, performed.entry.after, performed.user) == ("succeeded", None, None)
    assert "could not be verified" in performed.entry.note


def test_effect_that_pingone_does_not_show_is_unknown_after_a_second_look(access, pingone):
    locked = ada(account={"canAuthenticate": False, "status": "LOCKED"})
    reads(pingone, locked, locked, locked)
    pingone.post(f"/users/{ADA}").respond(json={})

    performed = run(access, "user.unlock")

    assert isinstance(performed, Unknown)
    assert performed.entry.outcome == "unknown"
    assert "does not show it" in str(performed.error.title)


def test_effect_that_pingone_shows_at_the_second_look_is_done(access, pingone):
    locked = ada(account={"canAuthenticate": False, "status": "LOCKED"})
    reads(pingone, locked, locked, ada())
    pingone.post(f"/users/{ADA}").respond(json={})

    assert done(run(access, "user.unlock")).is_seen


def test_action_runs_even_if_the_values_before_cannot_be_read(access, pingone):
    reads(pingone, ada(), ada())
    pingone.get(f"/users/{ADA}/password").respond(403, json=error("ACCESS_FAILED"))
    pingone.post(f"/users/{ADA}/password").respond(json={})

    assert done(run(access, "password.force-change")).entry.outcome == "succeeded"


def test_temporary_password_is_returned_and_kept_nowhere(access, pingone, audit_lines):
    reads(pingone, ada(), ada())
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "OK"})
    wire = pingone.put(f"/users/{ADA}/password").respond(json={})

    password = done(run(access, "password.set-temporary")).result

    assert password in wire.calls.last.request.content.decode()
    assert not any(password in str(row) for row in AuditEntry.objects.values())
    assert password not in "".join(audit_lines())


def test_note_is_stored_in_english_and_shown_in_the_language_of_the_reader(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    action = replace(BY_KEY["user.deactivate"], note_of=lambda _: LANGUAGE)

    with translation.override("de"):
        performed = done(perform(access, action, ADA, {}, Circumstances()))

        assert str(performed.note) == "de"
    assert performed.entry.note == "en"


def test_reason_of_a_refusal_is_stored_in_english_and_shown_in_the_language_of_the_reader(access, monkeypatch):
    monkeypatch.setattr(TicketPolicy, "problem_with", lambda *_: LANGUAGE)

    with translation.override("de"):
        result = refused(run(access, "user.deactivate"))

        assert str(result.reason) == "de"
    assert result.entry is not None
    assert result.entry.note == "en"


def test_created_user_is_named_in_the_closing_row(org_admin, pingone):
    pingone.post("/users").respond(201, json=ada())
    reads(pingone, ada())

    inputs = {"profile": {"username": "ada.berg", "costCenter": "42"}, "population_id": STAFF}
    entry = done(run(enter_org(org_admin, "acme"), "user.create", None, inputs=inputs)).entry

    assert (entry.subject_id, entry.subject_name) == (str(ADA), "ada.berg")
    assert entry.after is not None
    assert entry.after["email"] == "ada.berg@acme.test"
    assert entry.note == "PingOne did not save: costCenter."


def test_deleted_user_is_on_record_with_the_values_before(org_admin, pingone):
    pingone.get(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=ada()), httpx.Response(404, json=error("NOT_FOUND"))]
    )
    pingone.delete(f"/users/{ADA}").respond(204)

    entry = done(run(enter_org(org_admin, "acme"), "user.delete")).entry

    assert entry.before is not None
    assert (entry.before["email"], entry.after) == ("ada.berg@acme.test", {"exists": False})


@pytest.mark.parametrize("ticket", ["", "CHG7", "INC", "INC1 "])
def test_ticket_must_match_the_pattern_of_the_organization(access, pingone, ticket):
    TicketPolicy.objects.create(
        organization=access.org, action="user.deactivate", requirement="pattern", pattern="INC#####"
    )

    result = run(access, "user.deactivate", ticket=ticket)

    expected = (
        "Enter a ticket number like INC12345." if ticket else "This action needs a ticket. Enter a ticket number."
    )
    assert refused(result).reason == expected
    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.ticket, entry.note) == ("refused", ticket, refused(result).reason)


def test_conflict_with_another_change_is_on_record(access, pingone):
    reads(pingone, ada(), ada())
    seen_at = datetime(2026, 1, 1, tzinfo=UTC)

    result = run(access, "user.update", inputs={"changes": {"title": "Chief"}, "seen_at": seen_at})

    assert isinstance(result, Conflict)
    assert rows()[-1] == ("user.update", "conflict")


def test_bug_after_the_call_leaves_the_outcome_unknown(access, pingone, monkeypatch):
    reads(pingone, ada())
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    monkeypatch.delattr("console.perform.user_operation._look_again")

    with pytest.raises(NameError):
        run(access, "user.deactivate")

    assert rows()[-1] == ("user.deactivate", "unknown")


def test_audit_rows_name_the_actor(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    run(access, "user.deactivate")

    assert {(row.actor, row.operator) for row in AuditEntry.objects.all()} == {("operator", access.operator)}


@pytest.mark.parametrize(("enabled", "outcome"), [(False, "succeeded"), (True, "failed")])
def test_unknown_outcome_is_resolved_by_reading_the_user(access, pingone, enabled, outcome):
    reads(pingone, ada(), ada(enabled=enabled))
    pingone.put(f"/users/{ADA}/enabled").respond(502)
    assert isinstance(run(access, "user.deactivate"), Unknown)

    settled = resolve(access, AuditEntry.objects.current().get())

    assert (settled.outcome, settled.revision) == (outcome, 2)
    assert "agent@acme.test" in settled.note


def test_unknown_outcome_is_no_change_if_it_was_so_before(access, pingone):
    reads(pingone, *[ada(enabled=False)] * 2)
    pingone.put(f"/users/{ADA}/enabled").respond(502)
    assert isinstance(run(access, "user.deactivate"), Unknown)

    settled = resolve(access, AuditEntry.objects.current().get())

    assert (settled.outcome, settled.before) == ("no change", settled.after)


def test_outcome_without_a_visible_effect_stays_unknown(access, pingone):
    reads(pingone, ada(), ada())
    pingone.post(f"/users/{ADA}/password").respond(502)
    assert isinstance(run(access, "password.send-recovery-code"), Unknown)

    assert resolve(access, AuditEntry.objects.current().get()).outcome == "unknown"


def test_running_action_is_not_resolved(access, acme, helpdesk, pingone):
    row = entries.start(
        acme,
        enter_org(helpdesk, "acme").actor,
        "user.deactivate",
        entries.Subject(kind=AuditEntry.Subject.USER, id=ADA),
        entry=uuid4(),
        circumstances=Circumstances(),
        inputs={},
        before={"enabled": True},
    )
    assert row is not None

    assert resolve(access, row) == row
