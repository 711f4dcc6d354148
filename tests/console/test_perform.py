"""The one path that acts: what is checked, what is on record, and what happens exactly once."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.actions.outcome import AlreadySubmitted, Conflict, Done, Failed, NoChange, Refused, Result, Unknown
from console.audit import entries
from console.audit.entries import Circumstances
from console.models import AuditEntry, Membership, Operator, TicketPolicy
from console.perform import perform, resolve, undo
from pingone_integration.errors import MissingPermission, NotConnected, NotFound
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, error

pytestmark = pytest.mark.database

OTHER_POPULATION = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")


@pytest.fixture
def access(helpdesk: Operator) -> OrgAccess:
    return enter_org(helpdesk, "acme")


def run(access: OrgAccess, key: str, user_id: UUID | None = ADA, *, inputs: Any = None, **circumstances) -> Result:
    return perform(access, BY_KEY[key], user_id, inputs or {}, Circumstances(**circumstances))


def done(result: Result) -> Done:
    assert isinstance(result, Done)
    return result


def refused(result: Result) -> Refused:
    assert isinstance(result, Refused)
    return result


def rows() -> list[tuple[str, str]]:
    return [(row.action, row.outcome) for row in AuditEntry.objects.order_by("sequence")]


def reads(pingone, *states: dict[str, Any]) -> Any:
    """The user as read one time after the other."""
    return pingone.get(f"/users/{ADA}").mock(side_effect=[httpx.Response(200, json=state) for state in states])


def test_an_action_is_on_record_with_the_values_before_and_after(access, pingone):
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


def test_a_name_of_any_length_fits_into_the_record(access, pingone):
    letters = random.Random(1)  # noqa: S311 - no secret, but nothing that compresses either
    endless = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz\N{GRINNING FACE}", k=10_000))
    reads(pingone, ada(username=endless), ada(username=endless, enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})

    run(access, "user.deactivate")

    assert AuditEntry.objects.current().get().subject_name == endless[: entries.LONGEST_NAME]


def test_if_it_cannot_be_written_down_it_does_not_happen(access, pingone, monkeypatch):
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    reads(pingone, ada())
    monkeypatch.setattr(entries, "append", full)

    with pytest.raises(OSError, match="disk full"):
        run(access, "user.deactivate")  # respx fails the test if PingOne is asked to


def test_a_right_that_was_taken_away_meanwhile_counts(access, pingone):
    Membership.objects.update(role=Membership.Role.AUDITOR)

    with pytest.raises(PermissionDenied):
        run(access, "user.deactivate")

    assert rows() == []


def test_somebody_removed_meanwhile_is_a_stranger(access, pingone):
    Membership.objects.all().delete()

    with pytest.raises(Http404):
        run(access, "user.deactivate")


def test_the_same_form_has_one_effect_and_tells_of_it_again(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    wire = pingone.put(f"/users/{ADA}/enabled").respond(json={})
    submission = uuid4()
    run(access, "user.deactivate", submission=submission)

    again = run(access, "user.deactivate", submission=submission)

    assert isinstance(again, AlreadySubmitted)
    assert again.entry.outcome == "succeeded"
    assert wire.call_count == 1


def test_a_refusal_is_on_record_with_pingones_ids(access, pingone):
    reads(pingone, ada())
    pingone.put(f"/users/{ADA}/enabled").respond(403, json=error("ACCESS_FAILED"), headers={"Correlation-Id": "c-77"})

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, MissingPermission)

    entry = AuditEntry.objects.current().get()
    assert (entry.outcome, entry.error_kind) == ("failed", "missing-permission")
    assert (entry.error_id, entry.correlation_id) == ("a8f8ecb4-df02-4e4a-a94d-a60c3299d5b6", "c-77")


def test_an_attempt_on_somebody_who_is_not_there_is_on_record(access, pingone):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, NotFound)

    assert rows() == [("user.deactivate", "started"), ("user.deactivate", "failed")]


def test_an_attempt_without_a_connection_is_on_record(access, pingone):
    access.org.connection.state = "disconnected"
    access.org.connection.save()

    result = run(access, "user.deactivate")

    assert isinstance(result, Failed)
    assert isinstance(result.error, NotConnected)

    assert rows()[-1] == ("user.deactivate", "failed")


def test_a_mistake_of_ours_in_the_middle_leaves_the_outcome_unknown(access, pingone, monkeypatch):
    reads(pingone, ada())
    monkeypatch.delattr("pingone_integration.calls.api.PingOneApi.put")

    with pytest.raises(AttributeError):
        run(access, "user.deactivate")

    assert rows()[-1] == ("user.deactivate", "unknown")


def test_what_cannot_be_read_back_has_happened_all_the_same(access, pingone):
    pingone.get(f"/users/{ADA}").mock(side_effect=[httpx.Response(200, json=ada()), httpx.Response(429)])
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    performed = done(run(access, "user.deactivate"))

    assert (performed.entry.outcome, performed.entry.after, performed.user) == ("succeeded", None, None)
    assert "could not be read back" in performed.entry.note


def test_what_pingone_takes_and_does_not_show_is_told(access, pingone):
    locked = ada(account={"canAuthenticate": False, "status": "LOCKED"})
    reads(pingone, locked, locked)
    pingone.post(f"/users/{ADA}").respond(json={})

    performed = done(run(access, "user.unlock"))

    assert (performed.entry.outcome, performed.is_seen) == ("succeeded", False)
    assert "does not show it" in performed.entry.note


def test_values_that_may_not_be_seen_keep_nobody_from_acting(access, pingone):
    reads(pingone, ada(), ada())
    pingone.get(f"/users/{ADA}/password").respond(403, json=error("ACCESS_FAILED"))
    pingone.post(f"/users/{ADA}/password").respond(json={})

    assert done(run(access, "password.force-change")).entry.outcome == "succeeded"


def test_a_temporary_password_is_handed_over_and_kept_nowhere(access, pingone, audit_lines):
    reads(pingone, ada(), ada())
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "OK"})
    wire = pingone.put(f"/users/{ADA}/password").respond(json={})

    password = done(run(access, "password.set-temporary")).result

    assert password in wire.calls.last.request.content.decode()
    assert not any(password in str(row) for row in AuditEntry.objects.values())
    assert password not in "".join(audit_lines())


def test_a_created_user_is_named_in_the_closing_row(org_admin, pingone):
    pingone.post("/users").respond(201, json=ada())
    reads(pingone, ada())

    inputs = {"profile": {"username": "ada.berg", "costCenter": "42"}, "population_id": STAFF}
    entry = done(run(enter_org(org_admin, "acme"), "user.create", None, inputs=inputs)).entry

    assert (entry.subject_id, entry.subject_name) == (str(ADA), "ada.berg")
    assert entry.after is not None
    assert entry.after["email"] == "ada.berg@acme.test"
    assert entry.note == "PingOne did not take: costCenter."


def test_a_deleted_user_is_on_record_as_they_were(org_admin, pingone):
    pingone.get(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=ada()), httpx.Response(404, json=error("NOT_FOUND"))]
    )
    pingone.delete(f"/users/{ADA}").respond(204)

    entry = done(run(enter_org(org_admin, "acme"), "user.delete")).entry

    assert entry.before is not None
    assert (entry.before["email"], entry.after) == ("ada.berg@acme.test", {"exists": False})


@pytest.mark.parametrize("ticket", ["", "CHG7", "INC", "INC1 "])
def test_the_organization_decides_what_a_ticket_looks_like(access, pingone, ticket):
    TicketPolicy.objects.create(
        organization=access.org, action="user.deactivate", requirement="pattern", pattern=r"INC\d+"
    )

    result = run(access, "user.deactivate", ticket=ticket)

    assert "ticket reference" in refused(result).reason
    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.ticket, entry.note) == ("refused", ticket, refused(result).reason)


def test_undo_runs_the_inverse_with_the_values_before(org_admin, pingone):
    access = enter_org(org_admin, "acme")
    moved = ada(population={"id": str(OTHER_POPULATION)}, _embedded=None)
    reads(pingone, ada(), moved, moved, ada())
    wire = pingone.put(f"/users/{ADA}/population").respond(json={})
    entry = done(run(access, "user.move", inputs={"population_id": OTHER_POPULATION})).entry

    undone = done(undo(access, entry, Circumstances())).entry

    assert (undone.action, undone.outcome, undone.undoes) == ("user.move", "succeeded", entry.entry)
    assert wire.calls.last.request.content == b'{"id":"%s"}' % str(STAFF).encode()
    assert "undone already" in refused(undo(access, entry, Circumstances())).reason


def test_undo_refuses_when_the_user_has_changed_since(access, pingone):
    reads(pingone, ada(), ada(enabled=False), ada())
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    entry = done(run(access, "user.deactivate")).entry

    assert "changed since" in refused(undo(access, entry, Circumstances())).reason
    assert rows()[-1] == ("user.activate", "refused")


def test_undoing_a_profile_change_writes_only_what_it_changed(access, pingone):
    chief = ada(title="Chief")
    reads(pingone, ada(), ada(), chief, chief, chief, ada())
    wire = pingone.patch(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=chief), httpx.Response(200, json=ada())]
    )
    entry = done(run(access, "user.update", inputs={"changes": {"title": "Chief"}})).entry

    undo(access, entry, Circumstances())

    assert wire.calls.last.request.content == b'{"title":"Analyst"}'


def test_undoing_an_addition_removes_from_the_group(access, pingone):
    reads(pingone, *[ada()] * 4)
    member = httpx.Response(200, json={"id": str(ENGINEERS), "name": "Engineers", "type": "DIRECT"})
    none = httpx.Response(404, json=error("NOT_FOUND"))
    pingone.get(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").mock(side_effect=[none, member, member, member, none])
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Engineers"})
    pingone.post(f"/users/{ADA}/memberOfGroups").respond(201, json={})
    pingone.delete(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").respond(204)
    entry = done(run(access, "group.add", inputs={"group_id": ENGINEERS})).entry

    undone = done(undo(access, entry, Circumstances())).entry

    assert (undone.action, undone.after) == ("group.remove", {"group": "Engineers", "direct_member": False})


def test_what_was_so_already_is_no_change_and_has_no_undo(access, pingone):
    reads(pingone, ada(enabled=False), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    result = run(access, "user.deactivate")

    assert isinstance(result, NoChange)
    assert (result.entry.outcome, result.entry.before) == ("no change", result.entry.after)
    assert "cannot be undone" in refused(undo(access, result.entry, Circumstances())).reason


def test_what_somebody_else_changed_meanwhile_is_a_conflict_on_record(access, pingone):
    reads(pingone, ada(), ada())
    seen_at = datetime(2026, 1, 1, tzinfo=UTC)

    result = run(access, "user.update", inputs={"changes": {"title": "Chief"}, "seen_at": seen_at})

    assert isinstance(result, Conflict)
    assert rows()[-1] == ("user.update", "conflict")


def test_a_mistake_of_ours_after_the_call_leaves_the_outcome_unknown(access, pingone, monkeypatch):
    reads(pingone, ada())
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    monkeypatch.delattr("console.perform._look_again")

    with pytest.raises(NameError):
        run(access, "user.deactivate")

    assert rows()[-1] == ("user.deactivate", "unknown")


def test_an_entry_names_its_actor_on_each_row(access, pingone):
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    run(access, "user.deactivate")

    assert {(row.actor, row.operator) for row in AuditEntry.objects.all()} == {("operator", access.operator)}


def test_what_has_no_inverse_cannot_be_undone(access, pingone):
    reads(pingone, ada(account={"canAuthenticate": False, "status": "LOCKED"}), ada())
    pingone.post(f"/users/{ADA}").respond(json={})

    entry = done(run(access, "user.unlock")).entry

    assert "cannot be undone" in refused(undo(access, entry, Circumstances())).reason


@pytest.mark.parametrize(("enabled", "outcome"), [(False, "succeeded"), (True, "failed")])
def test_reading_the_user_again_settles_an_unknown_outcome(access, pingone, enabled, outcome):
    reads(pingone, ada(), ada(enabled=enabled))
    pingone.put(f"/users/{ADA}/enabled").respond(502)
    assert isinstance(run(access, "user.deactivate"), Unknown)

    settled = resolve(access, AuditEntry.objects.current().get())

    assert (settled.outcome, settled.revision) == (outcome, 2)
    assert "agent@acme.test" in settled.note


def test_an_outcome_that_cannot_be_seen_stays_unknown(access, pingone):
    reads(pingone, ada(), ada())
    pingone.post(f"/users/{ADA}/password").respond(502)
    assert isinstance(run(access, "password.send-recovery-code"), Unknown)

    assert resolve(access, AuditEntry.objects.current().get()).outcome == "unknown"


def test_an_action_that_still_runs_is_not_settled_by_somebody_else(access, acme, helpdesk, pingone):
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
