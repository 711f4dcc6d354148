"""Jobs in a real browser: a file of joiners, ticked users and a whole search, with and without JavaScript."""

from collections.abc import Iterator

import pytest
import respx
from playwright.sync_api import FilePayload, Page, expect

from console.jobs import one_row
from console.models import Job, Operator
from tests.support.browser import PHONE, Check, NewPage
from tests.support.many_people import ManyPeople, worked
from tests.support.people import API_URL, ENVIRONMENT

JOINERS = """username,email,given_name,family_name,title
joiner1,joiner1@acme.test,Join,Er,Engineer
joiner2,user2@acme.test,Perhaps,Known,
,nobody@acme.test,No,Username,
joiner4,no address,Bad,Email,
user1,user.one@acme.test,Taken,Name,
joiner1,again@acme.test,Twice,There,
joiner5,joiner5@acme.test,Left,Out,
joiner6,joiner6@acme.test,=1+1,Formula,
joiner7,joiner7@acme.test,A name without any end so that the row is as long as a row can ever be on a phone,Er,Chief
joiner8,joiner8@acme.test,Join,Er,Chief
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[ManyPeople]:
    monkeypatch.setattr(one_row, "wait", lambda _seconds: None)
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        many = ManyPeople()
        router.route().mock(side_effect=many)
        many.add(1, 2, 3)
        yield many


def upload(page: Page, content: str, action: str) -> Job:
    page.goto("/o/acme/jobs/new/")
    page.get_by_label("What to do").select_option(action)
    file = FilePayload(name="joiners.csv", mimeType="text/csv", buffer=content.encode())
    page.locator("input[name=upload]").set_input_files([file])
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Make the preview").click()
    expect(page.get_by_role("heading", name="Preview is being made")).to_be_visible()
    return worked(Job.objects.latest("created_at"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_joiners_are_left_out_run_paused_resumed_and_undone(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, environment: ManyPeople, javascript: bool
) -> None:
    page = new_page(org_admin) if javascript else new_page(org_admin, java_script_enabled=False, viewport=PHONE)
    job = upload(page, JOINERS, "user.create")
    if not javascript:
        page.get_by_role("link", name="Reload to see how far it is").click()
    expect(page.get_by_role("heading", name="Start the job")).to_be_visible()
    for kind in ("Create", "Perhaps the same person", "Conflict", "Invalid"):
        expect(page.get_by_role("link", name=kind).first).to_be_visible()
    if javascript:
        assert_accessible(page)

    page.get_by_label("Leave out Left Out").check()
    page.get_by_label("What to do about Perhaps Known").select_option(label="Update user2")
    press(page, "Save choices")
    page.get_by_label("Try the first rows").fill("1")
    page.get_by_label("Reason").fill("Autumn joiners")
    press(page, "Start the job")
    worked(job)
    page.reload()
    expect(page.get_by_text("The first rows were tried.")).to_be_visible()
    press(page, "Resume")
    press(page, "Pause")
    expect(page.get_by_text("An operator paused it.")).to_be_visible()
    press(page, "Resume")
    assert worked(job).state == Job.State.FINISHED
    if not javascript:
        page.reload()
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    if javascript:
        assert_accessible(page)
    writes = len(environment.writes)

    press(page, "Undo this job")
    undo = worked(Job.objects.get(undoes=job))
    page.reload()
    press(page, "Start the job")
    page.goto("/o/acme/audit/")
    worked(undo)
    page.goto("/o/acme/jobs/new/")
    expect(page.get_by_text("The job “Edit profile” is finished.")).to_be_visible()
    if javascript:
        assert_accessible(page)
    page.get_by_role("link", name="See the job").click()
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    assert len(environment.writes) > writes
    assert environment.named("user2")["name"]["given"] == "Given"


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_ticked_users_and_a_whole_search_become_jobs(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, environment: ManyPeople, javascript: bool
) -> None:
    page = new_page(org_admin) if javascript else new_page(org_admin, java_script_enabled=False, viewport=PHONE)
    page.goto("/o/acme/users/?show=list")
    if javascript:
        assert_accessible(page, within="#results")
        page.get_by_label("Tick everybody on this page").check()
        page.get_by_label("Tick Given Family2").uncheck()
    else:
        page.get_by_label("Tick Given Family1").check()
        page.get_by_label("Tick Given Family3").check()
    press(page, "Start a job on the ticked users")
    page.get_by_label("What to do").select_option("user.deactivate")
    if javascript:
        assert_accessible(page)
    press(page, "Continue")
    ticked = worked(Job.objects.latest("created_at"))
    assert sorted(ticked.rows.values_list("label", flat=True)) == ["user1", "user3"]

    page.goto("/o/acme/users/?show=list")
    page.get_by_role("link", name="Start a job on all").click()
    page.get_by_label("What to do").select_option("user.update")
    press(page, "Continue")
    page.get_by_label("Title").fill("Chief")
    press(page, "Make the preview")
    everybody = worked(Job.objects.latest("created_at"))
    page.reload()
    expect(page.locator(".job-rows tbody tr")).to_have_count(3)
    press(page, "Start the job")
    assert worked(everybody).state == Job.State.FINISHED
    assert {one["title"] for one in environment.users.values()} == {"Chief"}
    page.goto("/o/acme/jobs/")
    if javascript:
        assert_accessible(page)
