"""The lists that jobs are made of: kept, read page by page, stored as rows by the worker."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.jobs import limits, lists, runner
from console.jobs.files import kept
from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import meanings_of, with_meanings
from console.jobs.files.table import MOST_BYTES
from console.jobs.listed import KeyKind
from console.jobs.new import make
from console.models import (
    AuditEntry,
    ColumnMeanings,
    Job,
    JobRow,
    JobWork,
    ListPart,
    Membership,
    Operator,
    Organization,
    PeopleList,
)
from pingone_integration.user_search import BadFilter
from tests.support.answers import ENGINEERS, STAFF
from tests.support.narrowed import PARTNERS, narrow
from tests.support.paged_directory import Directory, person
from tests.support.people import make_operator
from tests.support.synced import sync_populations

UPDATE = BY_KEY["user.update"]
MEANINGS = meanings_of(UPDATE)


def job_of(access: OrgAccess, listed: PeopleList, key: str = "user.deactivate") -> Job:
    return make(access, BY_KEY[key], listed)


def keys_of(job: Job) -> list[tuple[int, str]]:
    return list(job.rows.order_by("number").values_list("number", "key"))


@pytest.mark.database
def test_file_is_kept_in_parts_and_read_from_the_database(access: OrgAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PART_BYTES", 50)
    content = "".join(["Mail,Note\n", *(f"user{number}@acme.test,Größe\n" for number in range(20))]).encode()

    listed = kept.keep(access, "joiners.csv", [content[:7], content[7:200], content[200:]])
    reading = lists.read_file(access, listed, UPDATE)
    assert reading.columns
    lists.choose_columns(access, listed, UPDATE, reading, reading.columns)
    job = job_of(access, listed, "user.update")

    assert lists.fill(access, job)
    assert (listed.size, listed.parts.count(), listed.file_name) == (
        len(content),
        -(-len(content) // 50),
        "joiners.csv",
    )
    assert (job.key_kind, reading.count) == (KeyKind.EMAIL, 20)
    assert keys_of(job) == [(number + 2, f"user{number}@acme.test") for number in range(20)]
    job.delete()
    assert not PeopleList.objects.exists()
    assert not ListPart.objects.exists()


def test_columns_are_remembered_for_the_organization_and_the_action(access: OrgAccess) -> None:
    listed = kept.keep(access, "a.csv", [b"Mail,Whatever,Title\na@acme.test,b,c\n"])
    reading = lists.read_file(access, listed, UPDATE)
    assert reading.columns
    chosen = with_meanings(reading.columns, ["email", "nickname", ""], MEANINGS, KeyKind.EMAIL)
    lists.choose_columns(access, listed, UPDATE, reading, chosen)

    again = lists.read_file(access, kept.keep(access, "b.csv", [b"whatever;title;MAIL\nb;c;a@acme.test\n"]), UPDATE)
    other = lists.read_file(access, listed, BY_KEY["user.create"])

    assert again.columns
    assert other.columns
    assert [column.meaning for column in again.columns.columns] == ["nickname", "", "email"]
    assert [column.meaning for column in other.columns.columns] == ["email", "", "title"]
    assert ColumnMeanings.objects.count() == 1


def test_columns_that_do_not_say_who_is_meant_are_refused(access: OrgAccess) -> None:
    listed = kept.keep(access, "a.csv", [b"Mail,Title\na@acme.test,c\n"])
    reading = lists.read_file(access, listed, UPDATE)

    assert reading.columns
    for chosen, key in ((["email", "email"], KeyKind.EMAIL), (["email", "title"], KeyKind.ID)):
        with pytest.raises(BadList):
            lists.choose_columns(access, listed, UPDATE, reading, with_meanings(reading.columns, chosen, MEANINGS, key))
    assert not ColumnMeanings.objects.exists()


def upload(access: OrgAccess, content: bytes) -> tuple[kept.ListUpload, Any]:
    file = SimpleUploadedFile("joiners.csv", content)
    request = RequestFactory().post("/", {"file": file, "action": "user.update"})
    handler = kept.ListUpload(access)
    request.upload_handlers = [handler]
    assert request.POST["action"] == "user.update"
    return handler, request


def test_upload_goes_to_the_database_and_not_to_a_file(access: OrgAccess) -> None:
    content = b"Username\n" + b"mara\n" * 100_000

    handler, request = upload(access, content)

    listed = handler.result()
    assert listed
    assert not request.FILES
    assert b"".join(kept.pieces_of(listed)()) == content


def test_upload_without_a_file_is_no_list(access: OrgAccess) -> None:
    request = RequestFactory().post("/", {"action": "user.update"})
    request.upload_handlers = [handler := kept.ListUpload(access)]

    assert request.POST["action"] == "user.update"
    assert handler.result() is None


def test_file_larger_than_twenty_megabytes_is_refused_and_not_kept(
    access: OrgAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_BYTES == 20_000_000
    monkeypatch.setattr(kept, "MOST_BYTES", 1_000_000)
    read = []

    def endless() -> Iterator[bytes]:
        while True:
            read.append(1)
            yield b"x" * 100_000

    handler, _request = upload(access, b"x" * 1_000_001)
    for refused in (handler.result, lambda: kept.keep(access, "-", endless())):
        with pytest.raises(BadList, match="larger than 1 MB"):
            refused()

    assert len(read) == 11
    assert not PeopleList.objects.exists()


@pytest.mark.database
def test_file_of_which_no_job_was_made_is_deleted_after_a_day(access: OrgAccess) -> None:
    old, new, used = (kept.keep(access, name, [b"Username\nmara\n"]) for name in ("old", "new", "used"))
    used.query = {"columns": {"key": "username", "columns": []}}
    job_of(access, used)
    PeopleList.objects.exclude(pk=new.pk).update(created_at=timezone.now() - timedelta(days=2))

    call_command("clear_finished_work", verbosity=0)

    assert set(PeopleList.objects.values_list("file_name", flat=True)) == {"new", "used"}
    assert not ListPart.objects.filter(list=old.pk).exists()


def test_populations_of_a_file_are_those_that_the_operator_sees(acme: Organization, helpdesk: Operator) -> None:
    sync_populations(acme, {STAFF: "Staff", PARTNERS: "Partners"})
    access = enter_org(narrow(helpdesk, STAFF), acme.slug)
    create = BY_KEY["user.create"]
    listed = kept.keep(access, "a.csv", [b"Username,Population\nmara,staff\nbo,Partners\n"])
    reading = lists.read_file(access, listed, create)
    assert reading.columns
    lists.choose_columns(access, listed, create, reading, reading.columns)

    first, second = lists.rows(access, listed)

    assert first.values == {"username": "mara", "population_id": str(STAFF)}
    assert str(second.problem) == "There is no population “Partners”."


def test_ticked_users_are_a_list_in_their_order(access: OrgAccess) -> None:
    ids = [uuid4() for _each in range(3)]

    job = job_of(access, lists.from_selection(access, [*ids, ids[0]]))

    assert lists.fill(access, job)
    assert keys_of(job) == [(number, str(one)) for number, one in enumerate(ids, start=1)]
    assert job.key_kind == KeyKind.ID


@pytest.mark.parametrize("source", [Job.Source.SEARCH, Job.Source.GROUP, Job.Source.POPULATION])
def test_whole_search_is_crawled_page_by_page_with_its_frozen_query(
    access: OrgAccess, pingone: respx.MockRouter, source: str
) -> None:
    directory = Directory(pingone, *(person(number) for number in range(45)), page=20)
    listed = {
        Job.Source.SEARCH: lambda: lists.from_search(access, text="mara", enabled=False, group_id=ENGINEERS),
        Job.Source.GROUP: lambda: lists.from_group(access, ENGINEERS),
        Job.Source.POPULATION: lambda: lists.from_population(access, STAFF),
    }[Job.Source(source)]()

    job = job_of(access, listed)

    assert directory.filters == []
    assert lists.fill(access, job)
    assert keys_of(job) == [(number + 1, f"user{number}") for number in range(45)]
    assert len(directory.filters) == 3
    expected = {
        Job.Source.SEARCH: ["mara", "enabled eq false", str(ENGINEERS)],
        Job.Source.GROUP: [f'memberOfGroups[id eq "{ENGINEERS}"]'],
        Job.Source.POPULATION: [f'population.id eq "{STAFF}"'],
    }[Job.Source(source)]
    assert all(part in directory.filters[0] for part in expected)


def test_search_that_cannot_be_sent_is_no_list(access: OrgAccess) -> None:
    with pytest.raises(BadFilter):
        lists.from_search(access, raw_filter='username eq "')

    assert not PeopleList.objects.exists()


def test_crawl_begins_again_when_its_cursor_is_stale_and_lists_nobody_twice(
    access: OrgAccess, pingone: respx.MockRouter
) -> None:
    directory = Directory(pingone, *(person(number) for number in range(45)), page=20)
    directory.stale_after = 2

    job = job_of(access, lists.from_search(access, text="user"))

    assert lists.fill(access, job)
    assert len(keys_of(job)) == len(set(keys_of(job))) == 45


def test_list_belongs_to_the_operator_who_made_it_and_to_one_job(
    access: OrgAccess, acme: Organization, globex: Organization, stranger: Operator
) -> None:
    listed = kept.keep(access, "a.csv", [b"Username\nmara\n"])
    listed.query = {"columns": {"key": "username", "columns": []}}
    colleague = enter_org(make_operator("second@acme.test", acme, Membership.Role.ORG_ADMIN), acme.slug)

    for other in (colleague, enter_org(stranger, globex.slug)):
        with pytest.raises(Http404):
            lists.file_or_404(other, listed.pk)
        with pytest.raises(PermissionDenied):
            job_of(other, listed)
    assert lists.file_or_404(access, listed.pk) == listed
    job_of(access, listed)
    with pytest.raises(PermissionDenied):
        job_of(access, listed)

    assert Job.objects.count() == 1


def test_list_of_more_people_than_the_role_allows_ends_its_job_and_says_why(
    access: OrgAccess, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    Directory(pingone, *(person(number) for number in range(45)), page=20)
    monkeypatch.setattr(limits, "_most", lambda *_limits: 30)
    monkeypatch.setattr(lists, "_AT_ONCE", 10)
    job = job_of(access, lists.from_search(access, text="user"))

    runner.run_due()

    job.refresh_from_db()
    assert (job.state, job.pause_detail) == ("canceled", "Your role may start jobs of at most 30 rows.")
    assert not job.rows.exists()
    assert AuditEntry.objects.filter(action="job.canceled", reason=job.pause_detail).count() == 1


def test_worker_stores_the_rows_of_a_list_before_its_preview(access: OrgAccess, pingone: respx.MockRouter) -> None:
    Directory(pingone, *(person(number, memberOfGroupIDs=[]) for number in range(45)), page=20)
    job = job_of(access, lists.from_search(access, text="user"), "user.unlock")

    runner.run_due()

    job.refresh_from_db()
    assert (job.state, job.rows.exclude(verdict="").count()) == ("previewed", 45)


def test_rows_are_stored_to_the_end_though_it_takes_longer_than_a_turn(
    access: OrgAccess, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    Directory(pingone, *(person(number) for number in range(45)), page=20)
    monkeypatch.setattr(lists, "_AT_ONCE", 10)
    monkeypatch.setattr(runner, "TURN_S", -1.0)
    job = job_of(access, lists.from_search(access, text="user"))
    work = JobWork.objects.claim(runner.LEASE)
    assert work

    runner._turn(work, lambda: False)

    assert len(keys_of(job)) == 45
    assert PeopleList.objects.exclude(filled_at=None).count() == 1


def test_crawl_ends_when_the_operator_is_no_longer_a_member(access: OrgAccess, pingone: respx.MockRouter) -> None:
    directory = Directory(pingone, *(person(number) for number in range(45)), page=20)
    directory.on_call = Membership.objects.filter(operator=access.operator).delete
    job = job_of(access, lists.from_search(access, text="user"))

    with pytest.raises(Http404):
        lists.fill(access, job)

    assert len(directory.filters) == 1


@pytest.mark.database
def test_rows_are_stored_once_although_a_worker_is_killed_while_it_stores_them(
    access: OrgAccess, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    Directory(pingone, *(person(number) for number in range(45)), page=20)
    monkeypatch.setattr(lists, "_AT_ONCE", 10)
    job = job_of(access, lists.from_search(access, text="user"))
    answers = iter([True, True, False])

    assert not lists.fill(access, job, is_kept=lambda: next(answers))
    assert JobRow.objects.filter(job=job).count() == 30
    assert lists.fill(access, job)
    assert lists.fill(access, job)

    assert keys_of(job) == [(number + 1, f"user{number}") for number in range(45)]
