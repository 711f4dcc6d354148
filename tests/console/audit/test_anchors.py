"""`verify_audit --against`: the log compared with lines of the process log or of an export, kept on another machine."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from console.audit import entries
from console.audit.chain import FIRST_PREVIOUS_HASH, digest, verify
from console.audit.entries import Subject
from console.models import AuditEntry, AuditHead, Operator, Organization
from tests.support.record import happened

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def cut(organization: Organization, last: int) -> None:
    """Remove all rows after `last`, with a head that fits."""
    sql("DELETE FROM console_auditentry WHERE sequence > %s", last)
    row = AuditEntry.objects.get(sequence=last)
    sql("UPDATE console_audithead SET sequence = %s, hash = %s", last, row.hash)
    assert verify(organization) is None  # the chain alone does not show it


def rewrite(organization: Organization, first: int) -> None:
    """Forge a row and compute the rest of the chain anew, with the head."""
    row: AuditEntry | None = None
    for row in AuditEntry.objects.filter(sequence__gte=first).order_by("sequence"):
        before = AuditEntry.objects.filter(sequence=row.sequence - 1).first()
        row.previous_hash = before.hash if before else FIRST_PREVIOUS_HASH
        row.operator_email = "mallory@acme.test" if row.sequence == first else row.operator_email
        sql(
            "UPDATE console_auditentry SET operator_email = %s, previous_hash = %s, hash = %s WHERE sequence = %s",
            row.operator_email,
            row.previous_hash,
            digest(row),
            row.sequence,
        )
    row = AuditEntry.objects.order_by("sequence").last()
    assert row
    AuditHead.objects.update(hash=row.hash)
    assert verify(organization) is None  # the chain alone does not show it


@pytest.fixture(params=["process log", "export", "journal"])
def lines(request, acme, helpdesk, org_admin, browser_of, audit_lines, tmp_path: Path) -> Path:
    """Return a file with the lines of eight rows of four entries."""
    for _ in range(4):
        happened(acme, helpdesk)
    kept = tmp_path / "lines.jsonl"
    if request.param == "export":
        exported = browser_of(org_admin).get("/o/acme/audit/export/jsonl/")
        text = b"".join(exported.streaming_content).decode()
    else:
        prefix = "Nov 27 12:00:00 host console[7]: " if request.param == "journal" else ""
        text = "".join(f"{prefix}{line}\n" for line in audit_lines()) + "Starting gunicorn\n{}\n\n"
    kept.write_text(text)
    return kept


def against(file: Path, *organization: str) -> str:
    """Return what the command says, with "broken: " in front if it ends with an error."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command("verify_audit", *organization, "--against", str(file), stdout=output, stderr=errors)
    except CommandError as error:
        return f"broken: {errors.getvalue()} {error}"
    return output.getvalue()


def test_untouched_log_is_as_in_the_lines(acme, helpdesk, lines):
    happened(acme, helpdesk)  # later than the lines

    assert "acme: as in the lines, rows compared:" in against(lines)


def test_cut_tail_is_seen_and_named(acme, lines):
    cut(acme, 5)

    told = against(lines, "acme")

    assert told.startswith("broken: acme: missing: ")
    assert ("rows 6 to 8 of the lines" in told) or ("rows 6, 8 of the lines" in told)  # an export has latest rows only


def test_new_rows_in_place_of_the_cut_ones_are_seen(acme, helpdesk, lines):
    cut(acme, 4)
    happened(acme, helpdesk)
    happened(acme, helpdesk)
    assert verify(acme) is None

    assert "rewritten from row " in against(lines, "acme")


def test_log_rewritten_from_some_row_on_is_seen(acme, lines):
    rewrite(acme, 4)

    told = against(lines)

    assert "broken: acme: rewritten from row 4 on: row" in told
    assert "8 of the lines" in told


def test_removed_log_is_seen(acme, lines):
    sql("DELETE FROM console_auditentry")
    sql("DELETE FROM console_audithead")
    assert verify(acme) is None

    assert "broken: acme: missing: row" in against(lines, "acme")


def test_lines_of_other_organizations_are_left_out(acme, globex, stranger, lines):
    happened(globex, stranger)

    assert "not have" not in against(lines, "acme")
    with pytest.raises(CommandError, match="has no lines of this audit log"):
        call_command("verify_audit", "globex", "--against", str(lines), stdout=io.StringIO())


@pytest.mark.parametrize("text", ["", "no JSON\n", '{"sequence": 1}\n', '["hash"]\n', "\x00\xff{\n", "[" * 10_000])
def test_file_without_lines_of_the_log_is_no_proof(acme, tmp_path, text):
    file = tmp_path / "other.txt"
    file.write_text(text)

    assert "has no lines of this audit log" in against(file)


def test_missing_file_is_named(acme, tmp_path):
    assert "No such file" in against(tmp_path / "none")


def test_cut_tail_of_the_servers_chain_is_seen(acme, audit_lines, tmp_path):
    operator = Operator.objects.create_user("former@acme.test")
    subject = Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.pk)
    for _ in range(3):
        entries.record(None, "operator.signed-in", subject=subject, operator=operator)
    file = tmp_path / "lines"
    file.write_text("\n".join(audit_lines()))
    assert "server: as in the lines, rows compared: 3" in against(file)

    sql("DELETE FROM console_auditentry WHERE sequence = 3")
    last = AuditEntry.objects.get(sequence=2)
    sql("UPDATE console_serveraudithead SET sequence = 2, hash = %s", last.hash)

    assert "server: missing: row 3 of the lines" in against(file)
