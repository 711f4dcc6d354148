"""Notices of jobs on whatever page: of this browser's own jobs, once, and of nobody else's."""

import pytest

from console.access import Permission
from console.models import Job, Membership
from console.rights.roles import Rights
from tests.support.answers import STAFF
from tests.support.many_people import prepared, rows_for, worked
from tests.support.narrowed import narrow
from tests.support.people import make_operator
from tests.support.rights import give
from tests.support.small_environment import browser

pytestmark = [pytest.mark.django_db(transaction=True)]

DEACTIVATES = Rights(
    pages=frozenset({Permission.ENTER, Permission.VIEW_USERS, Permission.RUN_JOBS}),
    actions={"user.deactivate": frozenset()},
)
POLLED = {"HX-Request": "true"}
PAGE, POLL = "/o/acme/audit/", "/o/acme/jobs/news/?was=waiting"
FINISHED = "The job “Deactivate” is finished."


@pytest.fixture
def admin(org_admin):
    return browser(org_admin)


def start(client, operator, environment, numbers=(1,)):
    """Start a job on its page, and leave that page."""
    environment.add(*numbers)
    job = prepared(operator, "user.deactivate", rows_for(numbers))
    client.post(f"/o/acme/jobs/{job.pk}/", {"do": "start", "submission": str(job.pk)})
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    client.get(f"/o/acme/jobs/{job.pk}/")
    return job


def text_of(client, page=PAGE, **options):
    return client.get(page, **options).content.decode()


def test_end_of_a_job_is_told_once_on_the_next_page(admin, org_admin, environment):
    job = start(admin, org_admin, environment)
    under_way = text_of(admin)
    assert FINISHED not in under_way
    assert POLL in under_way
    worked(job)

    told, again = text_of(admin), text_of(admin)

    assert FINISHED in told
    assert f'<a href="/o/acme/jobs/{job.pk}/">See the job</a>' in told
    assert POLL not in told
    assert "job-news" not in again


def test_page_that_stays_open_asks_until_there_is_nothing_to_wait_for(admin, org_admin, environment):
    job = start(admin, org_admin, environment)
    waiting = admin.get(POLL, headers=POLLED)
    assert (waiting.status_code, waiting.content.strip()) == (200, b"")
    worked(job)

    ended = admin.get(POLL, headers=POLLED)

    assert ended.status_code == 286  # htmx stops
    assert FINISHED in ended.content.decode()
    assert "<html" not in ended.content.decode()
    assert FINISHED not in text_of(admin)


def test_preview_and_pause_are_told_and_the_jobs_own_page_needs_no_notice(admin, org_admin, environment):
    environment.add(1, 2)
    ids = [str(one) for one in environment.users]
    admin.post("/o/acme/jobs/new/", {"source": "selection", "ids": ids, "job_action": "user.deactivate"})
    job = worked(Job.objects.get())
    assert "The preview of the job “Deactivate” is ready." in text_of(admin)

    page = f"/o/acme/jobs/{job.pk}/"
    admin.post(page, {"do": "start", "submission": str(job.pk), "first_rows": "1"})
    worked(job)
    assert "The job “Deactivate” has paused." in text_of(admin)

    admin.post(page, {"do": "resume"})
    worked(job)
    assert "job-news" not in text_of(admin, page)
    assert FINISHED not in text_of(admin)


def test_nobody_else_hears_of_it(admin, org_admin, acme, globex, environment):
    """Not a colleague, not the same operator in another browser, nor at the pages of another organization."""
    Membership.objects.create(operator=org_admin, organization=globex, role="org_admin")
    colleague, elsewhere = browser(make_operator("second@acme.test", acme, "org_admin")), browser(org_admin)
    job = start(admin, org_admin, environment)
    worked(job)

    for client, page in ((colleague, PAGE), (elsewhere, PAGE), (admin, "/o/globex/audit/")):
        assert "job-news" not in text_of(client, page)
    assert FINISHED not in colleague.get(POLL, headers=POLLED).content.decode()
    assert FINISHED in text_of(admin)


def test_session_that_names_a_job_of_others_shows_nothing_of_it(admin, org_admin, acme, globex, helpdesk, environment):
    job = start(admin, org_admin, environment)
    worked(job)
    Job.objects.filter(pk=job.pk).update(organization=globex)
    assert FINISHED not in text_of(admin)

    give(helpdesk, DEACTIVATES)
    narrow(helpdesk, STAFF)
    agent = browser(helpdesk)
    job = start(agent, helpdesk, environment, [2])
    worked(job)
    Job.objects.filter(pk=job.pk).update(starter=org_admin)
    assert FINISHED not in text_of(agent, "/o/acme/jobs/")


def test_lost_right_ends_the_notices(admin, org_admin, environment):
    job = start(admin, org_admin, environment)
    worked(job)
    Membership.objects.filter(operator=org_admin).update(role="auditor")

    assert FINISHED not in text_of(admin)
    assert admin.get(POLL, headers=POLLED).status_code == 403


def test_list_page_costs_no_query_more_without_a_job_and_one_while_one_runs(
    admin, org_admin, environment, django_assert_num_queries
):
    job = start(admin, org_admin, environment)
    text_of(admin, "/o/acme/users/?show=list")
    with django_assert_num_queries(4):  # session, operator, membership with connection, the job
        text_of(admin, "/o/acme/users/?show=list")
    worked(job)
    text_of(admin)

    with django_assert_num_queries(3):
        text_of(admin, "/o/acme/users/?show=list")
