"""The audit log's hash chain: code cannot change a row, and a change in the database is detected."""

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from console.access import Actor
from console.audit import entries
from console.audit.chain import COVERED, digest, verify
from console.audit.entries import Circumstances, Outcome, Subject
from console.models import AppendOnlyError, AuditEntry, AuditHead, Operator, Organization
from pingone_integration.errors import MissingPermission, Trace

pytestmark = pytest.mark.database

ADA = Subject(kind=AuditEntry.Subject.USER, id=UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"), name="ada")


def sign_in(organization: Organization, operator: Operator) -> AuditEntry:
    return entries.record(
        organization,
        "operator.signed-in",
        operator=operator,
        subject=Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.id, name=operator.email),
    )


def actor(operator: Operator) -> Actor:
    return Actor(kind=AuditEntry.Actor.OPERATOR, operator=operator)


def started(organization: Organization, operator: Operator, **circumstances) -> AuditEntry:
    row = start(organization, operator, **circumstances)
    assert row is not None
    return row


def start(organization: Organization, operator: Operator, **circumstances) -> AuditEntry | None:
    return entries.start(
        organization,
        actor(operator),
        "user.unlock",
        ADA,
        entry=uuid4(),
        circumstances=Circumstances(**circumstances),
        inputs={"until": datetime(2026, 12, 1, tzinfo=UTC), "group_id": ADA.id},
        before={"locked": True, "weight": 1.0},
    )


def behind_the_back(statement: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def five(acme: Organization, helpdesk: Operator) -> list[AuditEntry]:
    return [sign_in(acme, helpdesk) for _ in range(5)]


def test_dump_keeps_everything_that_the_hash_covers(acme, helpdesk):
    entries.close(started(acme, helpdesk, ticket="INC1"), Outcome.SUCCEEDED, after={"locked": False})

    dump = serializers.serialize("json", AuditEntry.objects.all())
    loaded = [one.object for one in serializers.deserialize("json", dump) if isinstance(one.object, AuditEntry)]

    assert len(loaded) == 2
    assert all(digest(row) == row.hash for row in loaded)


def test_action_writes_a_started_row_and_a_closing_row(acme, helpdesk):
    row = started(acme, helpdesk, ticket="INC1", reason="Called in", source_address="203.0.113.9")
    entries.close(row, Outcome.SUCCEEDED, after={"locked": False})

    first, last = AuditEntry.objects.order_by("sequence")
    assert (first.entry, first.outcome, first.after) == (last.entry, "started", None)
    assert (last.outcome, last.before, last.after) == ("succeeded", {"locked": True, "weight": 1.0}, {"locked": False})
    assert (last.operator, last.operator_email, last.ticket) == (helpdesk, "agent@acme.test", "INC1")
    assert (last.subject_id, last.subject_name, last.started_at) == (str(ADA.id), "ada", first.at)
    assert AuditEntry.objects.current().get() == last
    assert verify(acme) is None


def test_failure_keeps_the_ids_for_pingone_support(acme, helpdesk):
    error = MissingPermission("no", trace=Trace(error_id="e-1", correlation_id="c-1"))

    row = entries.close(started(acme, helpdesk), Outcome.FAILED, error=error)

    assert (row.error_kind, row.error_id, row.correlation_id) == ("missing-permission", "e-1", "c-1")


def test_double_submit_starts_one_action_and_finds_its_outcome(acme, helpdesk):
    submission = uuid4()
    entries.close(started(acme, helpdesk, submission=submission), Outcome.SUCCEEDED)

    assert start(acme, helpdesk, submission=submission) is None

    sent = entries.submitted(acme, actor(helpdesk), submission)
    assert sent is not None
    assert sent.outcome == "succeeded"
    assert AuditEntry.objects.count() == 2
    assert verify(acme) is None


def test_chain_of_the_previous_version_holds_and_continues(transactional_db):
    call_command("loaddata", Path(__file__).with_name("chain_before_actors.json"), verbosity=0)
    organization, operator = Organization.objects.get(), Operator.objects.get()
    before = AuditEntry.objects.count()

    entries.close(started(organization, operator), Outcome.NO_CHANGE)

    assert before == 12
    assert set(AuditEntry.objects.filter(sequence__lte=before).values_list("actor", flat=True)) == {""}
    assert verify(organization) is None


def test_unknown_event_is_refused(acme, helpdesk):
    with pytest.raises(ValueError, match="operator\\.danced"):
        entries.record(acme, "operator.danced", subject=ADA)


def test_characters_that_databases_cannot_store_are_replaced(acme, helpdesk):
    row = entries.record(
        acme, "policy.changed", operator=helpdesk, reason="a\x00b", after={"n\ud800": "x\x00"}, subject=ADA
    )

    row.refresh_from_db()
    assert (row.reason, row.after) == ("a\ufffdb", {"n\ufffd": "x\ufffd"})
    assert verify(acme) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda row: AuditEntry.objects.filter(pk=row.pk).update(outcome="failed"),
        lambda row: AuditEntry.objects.filter(pk=row.pk).delete(),
        lambda row: AuditEntry.objects.bulk_update([row], ["outcome"]),
        lambda row: AuditEntry.objects.bulk_create([row]),
        lambda row: AuditEntry.objects.update_or_create(pk=row.pk, defaults={"outcome": "failed"}),
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: AuditEntry(organization=row.organization, outcome="succeeded").save(),
        lambda row: row.organization.audit_entries.update(outcome="failed"),
    ],
)
def test_audit_rows_cannot_be_written_outside_the_chain(acme, helpdesk, change):
    row = sign_in(acme, helpdesk)

    with pytest.raises(AppendOnlyError):
        change(row)

    assert AuditEntry.objects.get().outcome == "succeeded"


def test_hash_covers_every_column(acme, helpdesk):
    assert {field.attname for field in AuditEntry._meta.concrete_fields} - set(COVERED) == {"id", "hash"}
    row = entries.close(started(acme, helpdesk), Outcome.FAILED, error=MissingPermission(""), note="a note")
    true = digest(row)
    for name in COVERED:
        kept = getattr(row, name)
        setattr(row, name, {"x": 1} if isinstance(kept, dict) else timezone.now() if "_at" in name else uuid4())
        assert digest(row) != true, name
        setattr(row, name, kept)


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["UPDATE console_auditentry SET operator_email = 'mallory@acme.test' WHERE sequence = 3"], "row 3 was edited"),
        (["UPDATE console_auditentry SET note = 'harmless' WHERE sequence = 1"], "row 1 was edited"),
        (["DELETE FROM console_auditentry WHERE sequence = 2"], "row 2 was removed"),
        (["DELETE FROM console_auditentry WHERE sequence = 5"], "row 5 was removed"),
        (
            ["DELETE FROM console_auditentry WHERE sequence > 3"],
            "row 4 was removed, with all rows after it up to 5",
        ),
        (["DELETE FROM console_auditentry"], "row 1 was removed, with all rows after it up to 5"),
        (
            [
                "UPDATE console_auditentry SET sequence = 99 WHERE sequence = 2",
                "UPDATE console_auditentry SET sequence = 2 WHERE sequence = 4",
                "UPDATE console_auditentry SET sequence = 4 WHERE sequence = 99",
            ],
            "row 2 was edited or moved (",
        ),
        (
            [
                "DELETE FROM console_auditentry WHERE sequence = 2",
                "UPDATE console_auditentry SET sequence = sequence - 1 WHERE sequence = 3",
                "UPDATE console_auditentry SET sequence = sequence - 1 WHERE sequence = 4",
                "UPDATE console_auditentry SET sequence = sequence - 1 WHERE sequence = 5",
            ],
            "row 2 was edited or moved (",
        ),
        (["DELETE FROM console_audithead"], "row 1 was added outside the chain"),
        (["UPDATE console_audithead SET sequence = 4"], "row 5 was added outside the chain"),
    ],
)
def test_verify_audit_names_the_first_tampered_row(five, statements, told):
    for statement in statements:
        behind_the_back(statement)
    errors = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_audit", "acme", stderr=errors)

    assert told in errors.getvalue()


def test_rewritten_row_with_a_valid_hash_breaks_the_next_row(acme, five):
    five[2].operator_email = "mallory@acme.test"
    forged = digest(five[2])
    behind_the_back(
        "UPDATE console_auditentry SET operator_email = 'mallory@acme.test', hash = %s WHERE sequence = 3", forged
    )

    found = verify(acme)

    assert found is not None
    assert (found.sequence, found.what[:15]) == (4, "does not follow")


def test_rewritten_last_row_does_not_match_the_head(acme, five):
    five[4].operator_email = "mallory@acme.test"
    behind_the_back(
        "UPDATE console_auditentry SET operator_email = 'mallory@acme.test', hash = %s WHERE sequence = 5",
        digest(five[4]),
    )

    found = verify(acme)

    assert found is not None
    assert (found.sequence, found.what) == (5, "was replaced")


def test_verify_audit_checks_every_organization(acme, globex, helpdesk, stranger):
    sign_in(acme, helpdesk)
    output = io.StringIO()

    call_command("verify_audit", stdout=output)

    assert output.getvalue() == "acme: chain intact, rows checked: 1\nglobex: chain intact, rows checked: 0\n"


def test_verify_audit_refuses_an_unknown_slug(acme):
    with pytest.raises(CommandError, match="nowhere"):
        call_command("verify_audit", "nowhere")


def test_each_organization_has_its_own_chain(acme, globex, helpdesk):
    rows = [sign_in(acme, helpdesk), sign_in(globex, helpdesk), sign_in(acme, helpdesk)]

    assert [row.sequence for row in rows] == [1, 1, 2]
    assert verify(acme) is None
    assert verify(globex) is None


def test_audit_times_never_go_backwards(acme, helpdesk, time_machine):
    time_machine.move_to(datetime(2026, 11, 24, 12, 0, tzinfo=UTC), tick=False)
    first = sign_in(acme, helpdesk)
    time_machine.move_to(datetime(2026, 11, 24, 11, 0, tzinfo=UTC), tick=False)
    second = sign_in(acme, helpdesk)

    assert second.at == first.at


@pytest.mark.django_db(transaction=True)
def test_audit_start_inside_a_transaction_is_refused(acme, helpdesk):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        started(acme, helpdesk)

    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_keep_one_chain(acme, helpdesk):
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(5):
                entries.close(started(acme, helpdesk), Outcome.SUCCEEDED)
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert not [thread for thread in threads if thread.is_alive()], "a writer waits for a lock"
    assert not failures
    assert AuditHead.objects.get().sequence == AuditEntry.objects.count() == 60
    assert verify(acme) is None


def test_audit_row_is_one_json_line_without_profile_values(acme, helpdesk, audit_lines):
    row = entries.start(
        acme,
        actor(helpdesk),
        "user.update",
        ADA,
        entry=uuid4(),
        circumstances=Circumstances(ticket="INC1"),
        inputs={"mobile_phone": "+46701234567", "group_id": ADA.id},
        before={"mobile_phone": "+4670000000"},
    )
    assert row is not None

    [line] = audit_lines()
    told = json.loads(line)
    assert told["action"] == "user.update"
    assert told["operator"] == "agent@acme.test"
    assert told["hash"] == row.hash
    assert told["ids"] == {"group_id": str(ADA.id)}
    assert "+4670" not in line
