"""The pages of jobs: from a list to a new job, the list of jobs, and a job with its rows."""

import re

import pytest

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.jobs import drafts
from console.jobs.buttons import buttons_for
from console.jobs.listed import KeyKind, ListedRow
from console.jobs.overview import Overview
from console.models import Job, JobRow, Membership, PeopleList
from pingone_integration.values import printable
from tests.support.answers import ADA, HOSTILE_NAMES, ada, bo, listing

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(browser_of, org_admin):
    return browser_of(org_admin)


def made(operator, *keys: str, action: str = "user.deactivate", **more) -> Job:
    access = enter_org(operator, "acme")
    rows = [ListedRow(number=number, key=key) for number, key in enumerate(keys, start=1)]
    job = drafts.create(access, BY_KEY[action], rows, key_kind=KeyKind.ID, source=Job.Source.SELECTION, **more)
    Job.objects.filter(pk=job.pk).update(state=Job.State.PREVIEWED)
    job.refresh_from_db()
    return job


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_user_list_offers_jobs_to_those_who_may_run_them(admin, browser_of, helpdesk, pingone):
    pingone.get("/users").respond(json=listing("users", ada(), bo(), count=2))
    pingone.get("/populations").respond(json=listing("populations"))

    page, agents = admin.get("/o/acme/users/?q=berg").text, browser_of(helpdesk).get("/o/acme/users/?q=berg").text

    assert f'name="ids" value="{ADA}" form="ticked"' in page
    assert "Start a job on all 2 that match" in words(page)
    assert 'href="/o/acme/jobs/new/?source=search&amp;search=q%3Dberg"' in page
    assert "a job" not in words(agents)
    assert 'type="checkbox"' not in agents


def test_ticked_users_become_a_job_for_which_nothing_else_is_asked(admin, org_admin, pingone):
    ids = [str(ADA), "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e22"]
    asked = admin.post("/o/acme/jobs/new/", {"source": "selection", "ids": ids}).text
    assert "2 ticked users" in asked
    assert "Create user" not in asked

    reply = admin.post("/o/acme/jobs/new/", {"source": "selection", "ids": ids, "job_action": "user.deactivate"})

    job = Job.objects.get()
    assert reply["Location"] == f"/o/acme/jobs/{job.pk}/"
    assert PeopleList.objects.get(job=job).query == {"ids": ids}
    assert (job.state, job.source_label) == ("reading", "2 ticked users")
    assert (job.action, job.starter) == ("user.deactivate", org_admin)


def test_no_tick_leads_back_to_the_list(admin):
    reply = admin.post("/o/acme/jobs/new/", {"source": "selection", "ids": ["x", ""]})

    assert reply["Location"] == "/o/acme/users/"
    assert not Job.objects.exists()


def test_inputs_that_all_rows_share_are_asked_with_the_form_of_the_action(admin, pingone):
    given = {"source": "selection", "ids": [str(ADA)], "job_action": "user.update"}
    asked = admin.post("/o/acme/jobs/new/", given)
    wrong = admin.post("/o/acme/jobs/new/", given | {"make": "1", "timezone": "noon"})
    empty = admin.post("/o/acme/jobs/new/", given | {"make": "1"})
    assert 'name="title"' in asked.text
    assert 'name="email"' not in asked.text
    assert (wrong.status_code, empty.status_code) == (422, 422)
    assert "Enter at least one value" in empty.text
    assert not Job.objects.exists()

    admin.post("/o/acme/jobs/new/", given | {"make": "1", "title": "Chief", "region": " [Clear] ", "email": "x@y.test"})

    assert Job.objects.get().inputs == {"title": "Chief", "region": ""}


def test_jobs_are_listed_with_what_they_did_and_when_they_are_deleted(admin, org_admin):
    assert "No jobs yet" in admin.get("/o/acme/jobs/").text
    job = made(org_admin, str(ADA))

    page = words(admin.get("/o/acme/jobs/").text)

    assert "Deactivate Users ticked in a list" in page
    assert "admin@acme.test" in page
    assert "deleted 30 days after" in page
    assert admin.get(f"/o/acme/jobs/{job.pk}/").status_code == 200


@pytest.mark.parametrize("verdict", ["change", "not found"])
def test_preview_is_discarded_beside_the_button_that_starts_it(admin, org_admin, verdict):
    job = made(org_admin, str(ADA))
    JobRow.objects.update(verdict=verdict)
    page = admin.get(f"/o/acme/jobs/{job.pk}/").text
    form = page.partition('aria-labelledby="start-title"')[2].partition("</form>")[0]
    assert 'value="cancel" formnovalidate>Discard the preview</button>' in form
    assert ('value="start"' in form) is (verdict == "change")
    assert page.count('value="cancel"') == 1

    admin.post(f"/o/acme/jobs/{job.pk}/", {"do": "cancel"})

    assert Job.objects.get().state == Job.State.CANCELED


def test_job_of_another_organization_is_not_found(admin, browser_of, stranger, org_admin):
    job = made(org_admin, str(ADA))

    assert browser_of(stranger).get(f"/o/globex/jobs/{job.pk}/").status_code == 404


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_rows_show_hostile_names_as_text(admin, org_admin, name):
    job = made(org_admin, "somebody")
    JobRow.objects.update(
        full_name=printable(name), verdict="change", shown={"changes": {"title": [printable(name), "x"]}}
    )

    page = admin.get(f"/o/acme/jobs/{job.pk}/").text.partition("<main")[2]

    assert "<script" not in page
    assert "<img" not in page


def test_rows_are_shown_in_pages_and_by_what_would_happen(admin, org_admin, django_assert_max_num_queries):
    job = made(org_admin, *(f"user{number}" for number in range(1, 61)))
    JobRow.objects.filter(number__lte=55).update(verdict="change", shown={"changes": {"enabled": [True, False]}})
    JobRow.objects.filter(number__gt=55).update(verdict="not found")

    with django_assert_max_num_queries(15):
        first = admin.get(f"/o/acme/jobs/{job.pk}/").text
    missing = admin.get(f"/o/acme/jobs/{job.pk}/?verdict=not+found").text

    assert "Status: activated → deactivated" in words(first)
    assert "user50" in first
    assert "user51" not in first
    assert 'rel="next" href="?page=2"' in first
    assert "Not found 5" in words(first)
    assert "user56" in missing
    assert "user1<" not in missing
    assert admin.get(f"/o/acme/jobs/{job.pk}/?verdict=nonsense&page=-7").status_code == 200


def test_job_is_not_resumed_or_retried_by_a_starter_who_lost_the_right(org_admin):
    job = made(org_admin, str(ADA))
    job.rows.update(state=JobRow.State.FAILED)
    Job.objects.filter(pk=job.pk).update(state=Job.State.PAUSED, pause=Job.Pause.ACCESS)
    job.refresh_from_db()

    before = offered(org_admin, job)
    org_admin.memberships.update(role=Membership.Role.HELPDESK_AGENT)

    assert before >= {"resume", "retry"}
    assert not offered(org_admin, job) & {"resume", "retry"}
    assert "get the right again" in str(Overview(job=job).pause)


def offered(operator, job: Job) -> set[str]:
    """Return what the operator's buttons do."""
    return {button.do for button in buttons_for(enter_org(operator, "acme"), Overview(job=job))}
