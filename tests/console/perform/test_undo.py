"""Undo: what it runs, what it refuses, and that only one of several takes effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Lock
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import respx
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.catalogue import ACTIONS
from console.actions.outcome import Done, Refused, Unknown
from console.audit.entries import Circumstances, Outcome
from console.models import AuditEntry, Operator, UndoClaim
from console.perform.resolve import resolve
from console.perform.undo import undo
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, error, listing
from tests.support.performing import done, on_record, reads, refused, rows, run

pytestmark = pytest.mark.database

OTHER_POPULATION = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")
AT_ONCE = 6


@pytest.fixture
def access(helpdesk: Operator) -> OrgAccess:
    return enter_org(helpdesk, "acme")


@pytest.fixture
def deactivated(access: OrgAccess, pingone: respx.MockRouter) -> AuditEntry:
    """Deactivate Ada. Reads and writes from then on are those of the test."""
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    return done(run(access, "user.deactivate")).entry


def test_undo_runs_the_inverse_with_the_values_before(org_admin, pingone):
    access = enter_org(org_admin, "acme")
    moved = ada(population={"id": str(OTHER_POPULATION)}, _embedded=None)
    reads(pingone, ada(), moved, moved, ada())
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships"))
    wire = pingone.put(f"/users/{ADA}/population").respond(json={})
    entry = done(run(access, "user.move", inputs={"population_id": OTHER_POPULATION})).entry

    undone = done(undo(access, entry, Circumstances())).entry

    assert (undone.action, undone.outcome, undone.undoes) == ("user.move", "succeeded", entry.entry)
    assert wire.calls.last.request.content == b'{"id":"%s"}' % str(STAFF).encode()
    assert "already undone" in str(refused(undo(access, entry, Circumstances())).reason)


def test_undo_of_a_move_recorded_without_its_groups_runs(org_admin, pingone):
    access = enter_org(org_admin, "acme")
    before, after = ({"population_id": str(one), "population_name": ""} for one in (STAFF, OTHER_POPULATION))
    inputs = {"population_id": str(OTHER_POPULATION)}
    entry = on_record(access, "user.move", "succeeded", before=before, after=after, inputs=inputs)
    moved = ada(population={"id": str(OTHER_POPULATION)}, _embedded=None)
    reads(pingone, moved, ada())
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships"))
    pingone.put(f"/users/{ADA}/population").respond(json={})

    assert done(undo(access, entry, Circumstances())).then == ()


def test_undo_is_refused_if_the_user_has_changed_since(access, pingone):
    reads(pingone, ada(), ada(enabled=False), ada())
    pingone.put(f"/users/{ADA}/enabled").respond(json={})
    entry = done(run(access, "user.deactivate")).entry

    assert "changed since" in str(refused(undo(access, entry, Circumstances())).reason)
    assert rows()[-1] == ("user.activate", "refused")


def test_undo_of_a_profile_change_writes_only_the_changed_fields(access, pingone):
    chief = ada(title="Chief")
    reads(pingone, ada(), ada(), chief, chief, chief, ada())
    wire = pingone.patch(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=chief), httpx.Response(200, json=ada())]
    )
    entry = done(run(access, "user.update", inputs={"changes": {"title": "Chief"}})).entry

    undo(access, entry, Circumstances())

    assert wire.calls.last.request.content == b'{"title":"Analyst"}'


def test_undo_of_an_addition_removes_the_user_from_the_group(access, pingone):
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


def test_action_without_an_inverse_cannot_be_undone(access, pingone):
    reads(pingone, ada(account={"canAuthenticate": False, "status": "LOCKED"}), ada())
    pingone.post(f"/users/{ADA}").respond(json={})

    entry = done(run(access, "user.unlock")).entry

    assert "cannot be undone" in str(refused(undo(access, entry, Circumstances())).reason)


CHANGELESS = {  # inputs and values, by action that can be undone
    "user.activate": ({}, {"enabled": True}),
    "user.deactivate": ({}, {"enabled": False}),
    "user.update": ({"changes": {"title": "Chief"}}, {"title": "Chief"}),
    "user.move": ({"population_id": STAFF}, {"population_id": STAFF, "population_name": "Staff"}),
    "group.add": ({"group_id": ENGINEERS}, {"group": "Engineers", "direct_member": True}),
    "group.remove": ({"group_id": ENGINEERS}, {"group": "Engineers", "direct_member": False}),
}


def test_every_action_with_an_inverse_is_covered():
    assert {action.key for action in ACTIONS if action.undo} == CHANGELESS.keys()


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.NO_CHANGE, Outcome.UNKNOWN])
@pytest.mark.parametrize("key", CHANGELESS)
def test_undo_of_an_entry_without_a_change_is_refused_and_not_offered(key, outcome, org_admin, browser_of, pingone):
    access = enter_org(org_admin, "acme")
    inputs, values = CHANGELESS[key]
    entry = on_record(access, key, outcome, before=values, after=values, inputs=inputs)
    client = browser_of(org_admin)

    page = client.get(reverse("audit-entry", args=["acme", entry.entry])).text
    client.post(reverse("undo", args=["acme", entry.entry]), {"submission": str(uuid4())})
    result = undo(access, entry, Circumstances())

    assert 'class="notice-action"' not in page
    assert "nothing was changed" in str(refused(result).reason)
    assert [(row.outcome, row.undoes) for row in AuditEntry.objects.current().order_by("-sequence")[:2]] == [
        ("refused", entry.entry)
    ] * 2


def test_undo_of_a_group_renamed_meanwhile_is_still_no_change(access, pingone):
    values = [{"group": name, "direct_member": True} for name in ("Engineers", "Engineering")]
    inputs = {"group_id": ENGINEERS}
    entry = on_record(access, "group.add", Outcome.SUCCEEDED, before=values[0], after=values[1], inputs=inputs)

    assert "nothing was changed" in str(refused(undo(access, entry, Circumstances())).reason)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [(None, {"enabled": False}, "values before it"), ({"enabled": True}, None, "values after it")],
)
def test_undo_without_recorded_values_is_refused(access, pingone, before, after, reason):
    entry = on_record(access, "user.deactivate", Outcome.SUCCEEDED, before=before, after=after)

    assert reason in str(refused(undo(access, entry, Circumstances())).reason)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_several_undos_at_once_runs(access, deactivated, pingone):
    """Hold the write of the first until all others are over."""
    others_over, over, lock = Event(), 0, Lock()

    def write(request: httpx.Request) -> httpx.Response:
        others_over.wait(timeout=10)
        return httpx.Response(200, json={})

    def press(number: int) -> Any:
        nonlocal over
        try:
            return undo(access, deactivated, Circumstances())
        finally:
            connections.close_all()
            with lock:
                over += 1
                if over == AT_ONCE - 1:
                    others_over.set()

    wire = pingone.put(f"/users/{ADA}/enabled").mock(side_effect=write)
    earlier = wire.call_count
    pingone.get(f"/users/{ADA}").mock(side_effect=lambda _: httpx.Response(200, json=ada(enabled=others_over.is_set())))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(press, range(AT_ONCE)))

    assert wire.call_count - earlier == 1
    assert [type(result) for result in results].count(Done) == 1
    assert {str(result.reason) for result in results if isinstance(result, Refused)} <= {
        "This is being undone right now. Reload the page to see the result.",
        "This was already undone.",
    }
    assert UndoClaim.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_failed_undo_releases_its_claim(access, deactivated, pingone):
    reads(pingone, *[ada(enabled=False)] * 2, ada())
    pingone.put(f"/users/{ADA}/enabled").mock(
        side_effect=[httpx.Response(403, json=error("ACCESS_FAILED")), httpx.Response(200, json={})]
    )

    assert undo(access, deactivated, Circumstances()).recorded_as == "failed"
    assert not UndoClaim.objects.exists()
    done(undo(access, deactivated, Circumstances()))
    assert "already undone" in str(refused(undo(access, deactivated, Circumstances())).reason)


@pytest.mark.django_db(transaction=True)
def test_refused_undo_releases_its_claim(access, deactivated, pingone):
    reads(pingone, ada(), ada(enabled=False), ada())

    assert "changed since" in str(refused(undo(access, deactivated, Circumstances())).reason)
    assert not UndoClaim.objects.exists()
    done(undo(access, deactivated, Circumstances()))


@pytest.mark.django_db(transaction=True)
def test_undo_with_an_unknown_outcome_keeps_its_claim_until_it_is_resolved(access, deactivated, pingone):
    reads(pingone, *[ada(enabled=False)] * 3, ada())
    pingone.put(f"/users/{ADA}/enabled").mock(side_effect=[httpx.Response(502), httpx.Response(200, json={})])

    assert isinstance(undo(access, deactivated, Circumstances()), Unknown)
    assert UndoClaim.objects.exists()
    assert "not known" in str(refused(undo(access, deactivated, Circumstances())).reason)
    resolve(access, AuditEntry.objects.current().get(outcome="unknown"))
    done(undo(access, deactivated, Circumstances()))


@pytest.mark.parametrize("is_started", [True, False])
def test_claim_of_a_process_that_died_is_taken_over(access, deactivated, pingone, monkeypatch, is_started):
    submission = uuid4()
    if is_started:
        on_record(
            access, "user.activate", None, before={"enabled": False}, submission=submission, undoes=deactivated.entry
        )
    claim = UndoClaim.objects.create(
        organization=access.org, undone=deactivated.entry, submission=submission, at=timezone.now()
    )
    assert "being undone" in str(refused(undo(access, deactivated, Circumstances())).reason)

    monkeypatch.setattr("console.models.audit.LONGEST_RUN", timedelta(seconds=-1))
    claim.at -= timedelta(minutes=6)
    claim.save()
    reads(pingone, ada(enabled=False), ada())

    done(undo(access, deactivated, Circumstances()))


def test_undo_of_a_process_that_died_after_its_write_is_not_repeated(access, deactivated, pingone, monkeypatch):
    on_record(access, "user.activate", None, before={"enabled": False}, undoes=deactivated.entry)
    monkeypatch.setattr("console.models.audit.LONGEST_RUN", timedelta(seconds=-1))
    reads(pingone, ada())

    assert "changed since" in str(refused(undo(access, deactivated, Circumstances())).reason)


def test_double_submit_of_an_undo_runs_once(access, deactivated, pingone):
    reads(pingone, ada(enabled=False), ada())
    circumstances = Circumstances()
    done(undo(access, deactivated, circumstances))

    again = undo(access, deactivated, circumstances)

    assert again.recorded_as == "refused"
    assert [row[0] for row in rows()].count("user.activate") == 2  # started and succeeded
