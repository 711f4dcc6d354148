"""Jobs through their pages and commands: from a file to its result, and everything an operator does in between."""

import io
import json
import re
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from console.access import Permission
from console.audit import system_user
from console.jobs import trouble
from console.management.pingone import jobs as command
from console.management.pingone import terminal
from console.models import AuditEntry, Job, LimitPolicy, OutgoingEmail, PeopleList
from console.outbox.delivery import deliver_due
from console.rights.roles import Rights
from tests.support.answers import STAFF
from tests.support.many_people import prepared, rows_for, started, states, verdicts, worked
from tests.support.narrowed import narrow
from tests.support.people import make_operator
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago

pytestmark = [pytest.mark.django_db(transaction=True)]

MAY_RUN_JOBS = frozenset({Permission.ENTER, Permission.VIEW_USERS, Permission.RUN_JOBS})
JOINERS = """username,email,given_name,family_name,title
joiner1,joiner1@acme.test,Join,Er,Engineer
joiner2,user2@acme.test,Perhaps,Known,
,nobody@acme.test,No,Username,
joiner4,no address,Bad,Email,
user1,user.one@acme.test,Taken,Name,
joiner5,joiner5@acme.test,Left,Out,
joiner6,joiner6@acme.test,=1+1,Formula,
joiner7,joiner7@acme.test,Join,Er,Chief
"""


@pytest.fixture
def admin(browser_of, org_admin):
    return browser_of(org_admin)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def upload(browser: Client, content: str | bytes, *, action: str = "user.create", **more: Any):
    data = content.encode() if isinstance(content, str) else content
    form = {"job_action": action, "upload": SimpleUploadedFile("people.csv", data)} | more
    return browser.post("/o/acme/jobs/new/upload/", form)


def columns_of(page: str) -> dict[str, str]:
    """Return the form of the columns as it was filled by the console."""
    chosen = re.findall(r'<select name="(column-\d+|key)".*?</select>', page, re.DOTALL)
    return {
        name: selected[0] if (selected := re.findall(r'value="([^"]*)" selected', field)) else ""
        for name in chosen
        if (field := re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)[0])  # type: ignore[index]
    }


def made(browser: Client, content: str, *, action: str = "user.create") -> Job:
    to = upload(browser, content, action=action)["Location"]
    form = columns_of(browser.get(to).text)
    browser.post(to.partition("?")[0], form | {"job_action": action, "encoding": "utf-8", "make": "1"})
    return worked(Job.objects.latest("created_at"))


def do(browser: Client, job: Job, what: str, **form: Any):
    answer = browser.post(f"/o/acme/jobs/{job.pk}/", {"do": what, "submission": str(job.pk)} | form)
    job.refresh_from_db()
    return answer


def test_file_of_joiners_is_previewed_chosen_from_tried_run_downloaded_and_given_again(admin, environment):
    environment.add(1, 2)
    job = made(admin, JOINERS)
    page = admin.get(f"/o/acme/jobs/{job.pk}/").text
    assert verdicts(job) == {
        2: "create",
        3: "same person",
        4: "invalid",
        5: "invalid",
        6: "conflict",
        7: "create",
        8: "invalid",
        9: "create",
    }
    assert "3 rows would run." in words(page)
    assert "1 row is perhaps the same person" in words(page)
    assert "minute at the present rate" in words(page)
    assert not environment.writes

    same = f"update:{environment.named('user2')['id']}"
    do(admin, job, "choose", shown=["2", "3", "7", "9"], **{"leave-out": ["7"], "decision-3": same})
    assert "3 rows would run." in words(admin.get(f"/o/acme/jobs/{job.pk}/").text)
    do(admin, job, "start", first_rows="1", reason="Autumn")
    worked(job)
    assert (job.state, job.pause, len(environment.writes)) == ("paused", "first rows", 1)
    do(admin, job, "resume")
    worked(job)

    assert job.state == "finished"
    assert {number: state for number, state in states(job).items() if state != "not reached"} == {
        2: "done",
        3: "done",
        9: "done",
    }
    assert environment.named("joiner2")["name"]["given"] == "Perhaps"
    assert {entry.reason for entry in AuditEntry.objects.filter(action__in=("user.create", "user.update"))} == {
        "Autumn"
    }
    result = b"".join(admin.get(f"/o/acme/jobs/{job.pk}/rows.csv").streaming_content).decode()
    assert "Job outcome" in result.splitlines()[0]
    assert result.count(",done,") == 3
    assert AuditEntry.objects.filter(action="job.downloaded").count() == 1
    assert upload(admin, result).status_code == 302


def test_file_of_which_only_a_decided_update_is_left_runs(admin, environment):
    environment.add(1, 2)
    job = made(admin, "username,email,given_name\njoiner,user2@acme.test,Perhaps\n")

    do(admin, job, "choose", shown=["2"], **{"decision-2": f"update:{environment.named('user2')['id']}"})
    do(admin, job, "start")

    assert worked(job).state == "finished"
    assert states(job) == {2: "done"}


def test_job_is_undone_by_another_with_its_own_preview(admin, org_admin, environment):
    environment.add(1, 2)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2])))
    assert "2 rows can be undone until 20" in words(admin.get(f"/o/acme/jobs/{job.pk}/").text)

    to = do(admin, job, "undo")["Location"]
    undo = worked(Job.objects.get(undoes=job))

    assert to == f"/o/acme/jobs/{undo.pk}/"
    assert set(verdicts(undo).values()) == {"change"}
    assert "Status: deactivated → activated" in words(admin.get(to).text)


def test_job_that_cannot_be_undone_says_so_and_has_no_button(admin, org_admin, environment):
    environment.add(1)
    job = started(org_admin, prepared(org_admin, "sessions.end-all", rows_for([1])))

    page = admin.get(f"/o/acme/jobs/{job.pk}/").text

    assert "cannot be undone" in page
    assert 'value="undo"' not in page


def test_progress_is_polled_alone_and_the_page_reloads_when_the_state_changes(admin, org_admin, environment):
    environment.add(1)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])), runs=False)
    address = f"/o/acme/jobs/{job.pk}/?was=running"
    polled = admin.get(address, headers={"HX-Request": "true"}).text
    assert 'hx-trigger="every 2s"' in polled
    assert "0 of 1 rows" in words(polled)
    assert "<table" not in polled

    worked(job)

    assert admin.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "every 2s" not in admin.get(f"/o/acme/jobs/{job.pk}/").text


def test_start_asks_for_what_the_role_demands(browser_of, helpdesk, environment):
    demanded = frozenset({"ticket", "reason", "fresh sign-in"})
    give(helpdesk, Rights(pages=MAY_RUN_JOBS, actions={"user.unlock": demanded}))
    environment.add(1, account={"status": "LOCKED", "canAuthenticate": False})
    job, browser = prepared(helpdesk, "user.unlock", rows_for([1])), browser_of(helpdesk)

    missing = do(browser, job, "start")
    assert (missing.status_code, job.state) == (422, "previewed")
    assert missing.text.count("This field is required") == 2

    signed_in_long_ago(browser)
    to = do(browser, job, "start", ticket="INC1", reason="Asked")["Location"]
    assert "reauthenticate" in to
    assert (
        to.endswith(f"next=/o/acme/jobs/{job.pk}/".replace("/", "%2F").replace("next%2F", "next=/"))
        or str(job.pk) in to
    )
    assert job.state == "previewed"
    assert 'value="INC1"' in browser.get(f"/o/acme/jobs/{job.pk}/").text


def test_brake_lets_another_org_admin_decide_who_sees_the_sum(admin, browser_of, acme, org_admin, environment):
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=1)
    other = make_operator("other@acme.test", acme, "org_admin")
    environment.add(1, 2)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2])))
    assert job.state == Job.State.WAITING
    email = OutgoingEmail.objects.get()
    assert email.to == "other@acme.test"

    own, theirs = (browser.get(f"/o/acme/jobs/{job.pk}/").text for browser in (admin, browser_of(other)))
    assert "2 people within a day would be more than 1." in words(theirs)
    assert 'value="let-pass"' in theirs
    assert 'value="let-pass"' not in own
    do(admin, job, "let-pass")
    assert job.state == Job.State.WAITING

    do(browser_of(other), job, "let-pass")

    assert (job.state, job.approver) == (Job.State.RUNNING, other)
    assert worked(job).state == Job.State.FINISHED


def test_starter_is_emailed_when_the_job_ends(org_admin, environment, settings):
    settings.PUBLIC_URL = "https://console.acme.test"
    environment.add(1)

    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])))
    deliver_due()

    [sent] = mail.outbox
    assert sent.to == ["admin@acme.test"]
    assert sent.subject == "Acme: the job “Deactivate” is finished"
    assert "Done: 1" in sent.body
    assert f"https://console.acme.test/o/acme/jobs/{job.pk}/" in sent.body


def test_email_has_no_link_but_to_the_job(org_admin, environment):
    environment.add(1)
    job = prepared(org_admin, "user.deactivate", rows_for([1]))
    name = "Payroll\nhttps://evil.test/sign-in"
    Job.objects.filter(pk=job.pk).update(state="running", file_name=name)
    job.refresh_from_db()

    trouble.pause(job, Job.Pause.FAILURES, f"The username is taken by {name}.")
    deliver_due()

    [sent] = mail.outbox
    body = str(sent.body)
    assert "evil" not in body
    assert "failed for the same reason" in body
    assert f"/o/acme/jobs/{job.pk}/" in body


def test_first_rows_and_an_operators_own_pause_are_no_news(org_admin, environment):
    environment.add(1, 2)

    started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2])), first=1)

    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04xxxx", "This is a workbook"),
        (b"username\nada\x00\n", "This is not a text file"),
        (b'username,title\n"ada,Chief\nbo,x\n', "Line 2: A quotation mark opens a cell here"),
        (b"", "The file is empty"),
        (b"username,username\nada,bo\n", "Line 1"),
    ],
)
def test_file_that_is_no_list_is_refused_with_its_line_and_leaves_no_job(admin, content, told):
    to = upload(admin, content, action="user.deactivate")

    page = admin.get(to["Location"]) if to.status_code == 302 else to

    assert page.status_code == 422
    assert told in words(page.text)
    assert not Job.objects.exists()


def test_file_in_an_older_encoding_is_read_as_the_operator_chooses(admin, environment):
    environment.add(1)
    to = upload(admin, "username,title\nuser1,Chargée d'études\n".encode("cp1252"), action="user.update")["Location"]
    asked = unescape(admin.get(to).text)
    assert "Which names are right?" in asked
    assert "Chargée d'études" in asked

    chosen = admin.get(f"{to}&encoding=cp1252").text

    assert "1 person in this file" in words(chosen)
    assert 'name="encoding" value="cp1252"' in chosen


def test_possibly_cut_file_needs_its_number_of_rows_confirmed(admin, environment):
    environment.add(1, 2)
    job = made(admin, "username\nuser1\nuser2", action="user.deactivate")

    wrong = do(admin, job, "start", people="3")
    assert (wrong.status_code, job.state) == (422, "previewed")
    assert "The file has 2 rows here." in words(wrong.text)
    do(admin, job, "start", people="2")

    assert job.state == "running"


def test_upload_needs_the_token_of_its_form_and_the_right(org_admin, helpdesk):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(org_admin)
    assert upload(strict, JOINERS).status_code == 403

    agent = Client()
    agent.force_login(helpdesk)
    assert upload(agent, JOINERS).status_code == 403
    assert not PeopleList.objects.exists()


def test_nobody_steers_the_job_of_somebody_else_who_is_no_org_admin(browser_of, acme, helpdesk, org_admin, environment):
    rights = Rights(pages=MAY_RUN_JOBS, actions={"user.deactivate": frozenset()})
    give(helpdesk, rights)
    environment.add(1)
    job = prepared(org_admin, "user.deactivate", rows_for([1]))
    agent = browser_of(helpdesk)

    for what in ("start", "cancel", "undo", "retry", "choose"):
        answer = do(agent, job, what, shown=["1"], **{"leave-out": ["1"]})
        assert answer.status_code in {302, 403, 422}, what
    assert (job.state, job.rows.get().left_out) == ("previewed", False)
    narrow(helpdesk, STAFF)
    assert agent.get(f"/o/acme/jobs/{job.pk}/").status_code == 404
    assert "Deactivate" not in words(agent.get("/o/acme/jobs/").text)
    assert agent.get(f"/o/acme/jobs/{job.pk}/rows.csv").status_code == 404


def test_template_of_an_action_is_a_list_without_people(admin, environment):
    lines = b"".join(admin.get("/o/acme/jobs/templates/user.deactivate.csv").streaming_content).decode("utf-8-sig")

    assert lines.splitlines() == ["Username"]
    assert admin.get("/o/acme/jobs/templates/password.set-temporary.csv").status_code == 404


def run(*arguments: str, operator: str = "admin@acme.test", stdin: bytes = b"", monkeypatch=None) -> dict[str, Any]:
    output = io.StringIO()
    call_command("pingone", "acme", "job", *arguments, "--as", operator, "--json", stdout=output)
    told: dict[str, Any] = json.loads(output.getvalue())
    return told


@pytest.fixture
def piped(monkeypatch):
    """Let the preview be made while the command waits, and give it a list on standard input."""

    def pipe(content: str) -> None:
        monkeypatch.setattr(command, "input_bytes", lambda: io.BytesIO(content.encode()))
        monkeypatch.setattr(command, "wait", lambda: worked(Job.objects.latest("created_at")))

    return pipe


def test_command_previews_starts_and_steers_a_job(org_admin, environment, piped):
    environment.add(1, 2, 3)
    piped("username\nuser1\nuser2\nuser3\nuser9\n")

    told = run("preview", "user.deactivate", "--file", "-")
    assert (told["state"], told["preview"]) == ("previewed", {"change": 3, "not found": 1})
    assert told["runs"] == 3
    key = told["job"]
    assert run("start", key, "--reason", "Left", "--first", "1")["state"] == "running"
    worked(Job.objects.get())
    told = run("status", key)
    assert (told["pause"], told["outcomes"]["done"]) == ("first rows", 1)
    assert run("resume", key)["state"] == "running"
    assert run("pause", key)["pause"] == "asked"
    assert run("cancel", key)["state"] == "canceled"
    assert len(environment.writes) == 1

    entry = AuditEntry.objects.filter(action="user.deactivate").latest("sequence")
    account = system_user.of_process()
    assert (entry.channel, entry.reason, entry.system_user) == ("job", "Left", account)
    assert {one.system_user for one in AuditEntry.objects.filter(action__startswith="job.")} == {account}


def test_command_refuses_a_bad_list_and_what_needs_a_page(
    browser_of, helpdesk, org_admin, environment, piped, settings
):
    settings.PUBLIC_URL = "https://console.acme.test"
    piped('username\n"user1\n')
    with pytest.raises(CommandError, match="Line 2") as bad:
        run("preview", "user.deactivate", "--file", "-")
    assert bad.value.returncode == terminal.INVALID
    assert not Job.objects.exists()
    with pytest.raises(SystemExit) as refused:
        run("preview", "user.deactivate", "--file", "-", operator=helpdesk.email)
    assert refused.value.code == terminal.REFUSED

    rights = {"user.deactivate": frozenset({"fresh sign-in"})}
    give(helpdesk, Rights(pages=MAY_RUN_JOBS, actions=rights))
    environment.add(1)
    job = prepared(helpdesk, "user.deactivate", rows_for([1]))
    output = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("pingone", "acme", "job", "start", str(job.pk), "--as", helpdesk.email, "--json", stdout=output)
    assert ended.value.code == terminal.REFUSED
    assert json.loads(output.getvalue())["page"] == f"https://console.acme.test/o/acme/jobs/{job.pk}/"
