"""Attacks by way of "this was not me": to lock others, to be locked by a program, or to get around protection.

Each story is about a guard. `test_attack_would_succeed_without_the_guard` takes guards out: then they succeed.
"""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.models import AuditEntry, NotMeLink, NotMeReport, Organization, OutgoingEmail, ProtectedMark, Work
from console.not_me import reports
from console.not_me.reporter import END_SESSIONS, LOCK, OwnOperation, ReporterAccess
from console.perform.run import run
from console.protection import judge
from console.user_mails import events, links
from console.user_mails.tell import tell
from pingone_integration.users import user_of
from tests.support.answers import ADA, ada

LOCKED = f"POST /users/{ADA}"


def person(**changes: Any) -> Any:
    found = user_of(ada(**changes))
    assert found
    return found


def link_to(organization: Organization, event: events.Event = events.DEVICE_REMOVED, **changes: Any) -> str:
    """Tell Ada of an event, and return the path of the link in her only new email."""
    assert tell(organization, event, person(**changes)) == 1
    [path] = re.findall(r"://[^/]+(/not-me/[\w-]+/)", latest_mail())
    return str(path)


def latest_mail() -> str:
    return str(json.loads(OutgoingEmail.objects.latest("wanted_at").unseal("text"))[1])


def alerts() -> list[tuple[str, str]]:
    """Return recipient and text of the emails to org admins."""
    found = OutgoingEmail.objects.filter(about__startswith="not me")
    return [(email.to, json.loads(email.unseal("text"))[1]) for email in found]


@pytest.fixture
def nobody() -> Client:
    """Return the browser of somebody without an account here, who sends tokens as browsers do."""
    return Client(enforce_csrf_checks=True)


def press(client: Client, path: str) -> str:
    """Open the link and press the only button of its page. Return the page that follows."""
    shown = client.get(path).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
    answer = client.post(path, {"csrfmiddlewaretoken": token[1] if token else ""}, follow=True)
    return answer.content.decode()


def test_owner_locks_the_account_ends_sessions_and_alerts(acme, org_admin, environment, nobody):
    page = press(nobody, link_to(acme))

    assert "Your account is locked until" in page
    lock, end = (one for one in environment.requests if one.method in {"POST", "DELETE"})
    until = json.loads(lock.content)["unlockAt"]
    assert timedelta(days=29) < datetime.fromisoformat(until) - timezone.now() < timedelta(days=31)
    assert lock.url.path.endswith(f"/users/{ADA}")
    assert end.url.path.endswith(f"/sessions/{UUID(int=7)}")
    rows = AuditEntry.objects.current()
    assert [(row.action, row.actor, row.operator, row.subject_id) for row in rows.order_by("sequence")] == [
        ("user.reported-not-me", "user", None, str(ADA)),
        ("user.lock", "user", None, str(ADA)),
        ("sessions.end-all", "user", None, str(ADA)),
    ]
    [(to, text)] = alerts()
    assert to == org_admin.email
    assert "ada.berg" in text
    assert "is locked until" in text


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_program_that_opens_links_changes_nothing(acme, org_admin, environment, nobody, method):
    path = link_to(acme)

    for _ in range(3):
        getattr(nobody, method)(path)

    assert environment.requests == []
    assert not NotMeReport.objects.exists()
    assert alerts() == []


def test_program_that_sends_a_form_it_did_not_get_changes_nothing(acme, org_admin, environment, nobody):
    assert nobody.post(link_to(acme)).status_code == 403
    assert not NotMeReport.objects.exists()


def test_link_works_once(acme, org_admin, environment, nobody):
    path = link_to(acme)
    press(nobody, path)
    environment.requests.clear()

    assert "Your account is locked until" in Client().post(path, follow=True).content.decode()
    press(nobody, path)

    assert environment.writes == []
    assert len(alerts()) == 1
    assert AuditEntry.objects.filter(action="user.reported-not-me").count() == 1


@pytest.mark.parametrize("made_up", ["", "x", "A" * 43, "../../o/acme"])
def test_made_up_or_changed_link_finds_nobody(acme, org_admin, environment, nobody, made_up):
    path = link_to(acme)

    for tried in (f"/not-me/{made_up}/", path[:-2] + "/", path.replace("/not-me/", "/not-me/x")):
        assert nobody.get(tried).status_code == 404
        assert Client().post(tried).status_code == 404
    assert not NotMeReport.objects.exists()


def test_link_ends_after_72_hours(acme, environment, nobody, time_machine):
    path = link_to(acme)
    time_machine.move_to(timezone.now() + timedelta(hours=72, seconds=1))

    assert nobody.get(path).status_code == 404
    assert Client().post(path).status_code == 404
    assert not NotMeReport.objects.exists()


def test_protected_account_is_not_locked_and_the_helpdesk_is_told(acme, org_admin, environment, nobody):
    environment.roles.add(ADA)

    page = press(nobody, link_to(acme))

    assert environment.writes == []
    assert "could not lock your account" in page
    assert "is protected" in alerts()[0][1]


def test_marked_account_is_not_locked(acme, org_admin, environment, nobody):
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Board", marked_by=org_admin)

    press(nobody, link_to(acme))

    assert environment.writes == []
    assert len(alerts()) == 1


def test_email_with_a_code_only_alerts(acme, org_admin, environment, nobody):
    page = press(nobody, link_to(acme, events.CODE_SENT))

    assert environment.requests == []
    assert "No code that was sent for your account works any more" in page
    assert len(alerts()) == 1


def test_link_of_one_organization_reaches_no_other(acme, globex, org_admin, stranger, environment, nobody):
    press(nobody, link_to(globex))

    report = NotMeReport.objects.get()
    assert report.organization == globex
    assert {to for to, _ in alerts()} == {stranger.email}
    assert not AuditEntry.objects.filter(organization=acme).exists()


def test_links_are_at_the_public_url_whatever_the_host_header_says(acme, helpdesk, environment, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.PUBLIC_URL = "https://console.acme.test"
    client = Client(headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"})
    client.force_login(helpdesk)

    client.post(f"/o/acme/users/{ADA}/actions/mfa.disable/", {"submission": str(uuid4())})

    assert "https://console.acme.test/not-me/" in latest_mail()
    assert "evil.test" not in latest_mail()


def test_link_page_of_a_hostile_name_is_only_text(acme, environment, nobody):
    page = nobody.get(link_to(acme, username='"><script>alert(1)</script>')).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def report_of(organization: Organization, user_id: UUID = ADA) -> NotMeReport:
    """Return a report that a worker deals with now, of a link for this user."""
    link_to(organization)
    NotMeLink.objects.update(user_id=user_id)
    link = NotMeLink.objects.get()
    due_at = timezone.now() - timedelta(seconds=1)  # SQLite's clock has milliseconds only
    NotMeReport.objects.create(link=link, organization=organization, user_id=user_id, due_at=due_at)
    claimed = NotMeReport.objects.select_related("link", "organization__connection").claim(timedelta(minutes=1))
    assert claimed
    return claimed


@pytest.mark.parametrize("key", ["user.unlock", "user.delete", "password.set-temporary", "mfa.disable"])
def test_reporter_can_do_nothing_else(acme, environment, key):
    access = ReporterAccess(report_of(acme))
    operation = OwnOperation(action=LOCK, user_id=ADA, inputs={"until": timezone.now() + timedelta(days=1)})

    with pytest.raises(PermissionDenied):
        run(access, replace(operation, action=BY_KEY[key], inputs={}), Circumstances())
    assert environment.writes == []


@pytest.mark.parametrize("action", [LOCK, END_SESSIONS], ids=lambda action: action.key)
def test_reporter_reaches_nobody_else(acme, environment, action):
    access = ReporterAccess(report_of(acme, UUID(int=9 << 96 | 0x4 << 76 | 0x8 << 60)))
    inputs = {"until": timezone.now() + timedelta(days=1)} if action is LOCK else {}

    with pytest.raises(PermissionDenied):
        run(access, OwnOperation(action=action, user_id=ADA, inputs=inputs), Circumstances())
    assert environment.writes == []


def test_report_that_is_over_gives_no_access(acme, environment):
    report = report_of(acme)
    report.end(Work.State.DONE)

    with pytest.raises(PermissionDenied):
        run(ReporterAccess(report), OwnOperation(action=END_SESSIONS, user_id=ADA, inputs={}), Circumstances())
    assert environment.writes == []


def test_sessions_that_go_on_are_told_to_owner_and_helpdesk(acme, org_admin, environment, nobody):
    environment.status[f"/sessions/{UUID(int=7)}"] = 403

    page = press(nobody, link_to(acme))

    assert "You may still be signed in on other devices." in page
    assert "signed out everywhere" not in page
    assert "End them by hand" in alerts()[0][1]


def test_account_is_locked_later_if_pingone_does_not_answer(acme, org_admin, environment, nobody):
    environment.status[f"POST /users/{ADA}"] = 503
    page = press(nobody, link_to(acme))
    assert "is being locked" in page
    assert [to for to, _ in alerts()] == [org_admin.email]

    environment.status.clear()
    NotMeReport.objects.update(due_at=timezone.now())
    assert reports.run_due() == 1

    assert NotMeReport.objects.get().locks_until
    assert len(alerts()) == 2
    assert LOCKED in environment.writes


def test_links_and_reports_are_cleared_once_they_are_over(acme, org_admin, environment, nobody, time_machine):
    press(nobody, link_to(acme))
    link_to(acme)
    time_machine.move_to(timezone.now() + timedelta(days=29))
    call_command("clear_finished_work")
    assert (NotMeLink.objects.count(), NotMeReport.objects.count()) == (1, 1)

    time_machine.move_to(timezone.now() + timedelta(days=2))
    call_command("clear_finished_work")
    assert (NotMeLink.objects.count(), NotMeReport.objects.count()) == (0, 0)


# What stops the attacks above, taken out one by one: then they succeed.


def without_protection(monkeypatch, acme, environment):
    environment.roles.add(ADA)
    monkeypatch.setattr(judge, "protection_of", lambda *_args: None)
    press(Client(), link_to(acme))
    return LOCKED in environment.writes


def without_a_rule_for_codes(monkeypatch, acme, environment):
    monkeypatch.setitem(events.BY_KEY, events.CODE_SENT.key, replace(events.CODE_SENT, only_alerts=False))
    press(Client(), link_to(acme, events.CODE_SENT))
    return LOCKED in environment.writes


def without_an_end(monkeypatch, acme, environment):
    monkeypatch.setattr(links, "VALID_FOR", timedelta(days=30))
    path = link_to(acme)
    NotMeLink.objects.update(at=timezone.now() - timedelta(days=4))
    return Client().get(path).status_code == 200


def without_the_limits_of_the_reporter(monkeypatch, acme, environment):
    monkeypatch.setattr(ReporterAccess, "require_to", lambda _access, _operation: None)
    access = ReporterAccess(report_of(acme, UUID(int=9 << 96 | 0x4 << 76 | 0x8 << 60)))
    run(access, OwnOperation(action=END_SESSIONS, user_id=ADA, inputs={}), Circumstances())
    return bool(environment.writes)


def without_an_end_of_the_report(monkeypatch, acme, environment):
    monkeypatch.setattr(ReporterAccess, "again", lambda access: access)
    report = report_of(acme)
    report.end(Work.State.DONE)
    run(ReporterAccess(report), OwnOperation(action=END_SESSIONS, user_id=ADA, inputs={}), Circumstances())
    return bool(environment.writes)


@pytest.mark.parametrize(
    "attack",
    [
        without_protection,
        without_a_rule_for_codes,
        without_an_end,
        without_the_limits_of_the_reporter,
        without_an_end_of_the_report,
    ],
    ids=lambda attack: attack.__name__,
)
def test_attack_would_succeed_without_the_guard(acme, org_admin, environment, monkeypatch, attack):
    assert attack(monkeypatch, acme, environment)
