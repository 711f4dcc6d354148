"""The result file of a job: the list as it was given, with the outcomes beside it, and a list again."""

import csv
from uuid import uuid4

import pytest

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.jobs import lists, results
from console.jobs.files import kept
from console.jobs.new import make
from console.models import Job, JobRow

UPDATE = BY_KEY["user.update"]
LIST = (
    "Employee ID;Note;Title;Manager\r\n"
    'E1;"a; b";Lead;"=cmd|\' /C calc\'!A0"\r\n'
    "E2;'007;=1+1;\r\n"
    '\r\nE3;"="0012"" ";"two\nlines";Bo\r\n'
    "E4\r\n"
)


def job_of(access: OrgAccess, content: str) -> Job:
    people = kept.keep(access, "joiners.csv", [content.encode()])
    reading = lists.read_file(access, people, UPDATE)
    assert reading.columns
    lists.choose_columns(access, people, UPDATE, reading, reading.columns)
    job = make(access, UPDATE, people)
    lists.fill(access, job)
    return job


def result_of(job: Job) -> tuple[str, list[list[str]]]:
    text = "".join(results.result_lines(job))
    return text, list(csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True)))


def test_result_has_the_columns_as_they_were_given_and_what_became_of_each_row(
    access: OrgAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_AT_ONCE", 2)
    job = job_of(access, LIST.replace('"="0012"" "', '"=""0012"""'))
    rows = {row.key: row for row in JobRow.objects.filter(job=job)}
    changes = {"title": ["Analyst", "Lead"], "nickname": ["", "=Bo"], "same": ["x", "x"]}
    rows["E1"].verdict, rows["E1"].state, rows["E1"].shown = "change", "done", {"changes": changes}
    rows["E3"].verdict, rows["E3"].left_out = "no change", True
    rows["E4"].verdict, rows["E4"].state, rows["E4"].detail = "change", "failed", "@PingOne refused it."
    JobRow.objects.bulk_update(rows.values(), ["verdict", "state", "shown", "left_out", "detail"])

    text, lines = result_of(job)

    told = "The column “Title” has a formula, not a text: =1+1"
    assert lines == [
        ["Employee ID", "Note", "Title", "Manager", *results.COLUMNS],
        ["E1", "a; b", "Lead", "'=cmd|' /C calc'!A0", "change", "title: Analyst -> Lead; nickname: =Bo", "done", ""],
        ["E2", "'007", "'=1+1", "", "", "", "not reached", told],
        ["E3", "'0012", "two\nlines", "Bo", "no change", "", "left out", ""],
        ["E4", "", "", "", "change", "", "failed", "'@PingOne refused it."],
    ]
    assert text.startswith("\ufeff")


def test_result_is_a_list_again_and_its_result_has_no_column_twice(access: OrgAccess) -> None:
    text, _lines = result_of(job_of(access, "Username,Title\r\nmara,'=1\r\nbo,'-2\r\n"))

    again = job_of(access, text)
    _text, lines = result_of(again)

    assert [(row.key, row.values) for row in again.rows.order_by("number")] == [
        ("mara", {"title": "=1"}),
        ("bo", {"title": "-2"}),
    ]
    assert [line[:2] for line in lines] == [["Username", "Title"], ["mara", "'=1"], ["bo", "'-2"]]
    assert lines[0][2:] == list(results.COLUMNS)


def test_result_of_other_lists_names_the_users(access: OrgAccess) -> None:
    user_id = uuid4()
    job = make(access, BY_KEY["user.deactivate"], lists.from_selection(access, [user_id]))
    lists.fill(access, job)
    JobRow.objects.filter(job=job).update(
        user_id=user_id, label="mara", full_name="=Mara Lind", verdict="change", state="done"
    )

    _text, lines = result_of(job)

    assert lines == [
        ["User ID", "Username", "Name", *results.COLUMNS],
        [str(user_id), "mara", "'=Mara Lind", "change", "", "done", ""],
    ]
