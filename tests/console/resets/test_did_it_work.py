"""Whether a code or new password that an operator sent was used: looked at by the worker, told on two pages."""

import html
import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import LimitPolicy, Membership, NotMeLink, NotMeReport, SentReset, Work
from console.resets import looks
from console.resets.sent import LOOKS_AFTER
from pingone_integration import passwords
from pingone_integration.calls import rate_limit
from pingone_integration.values import pingone_time
from tests.support.answers import ADA
from tests.support.environment_fixtures import _agents_may_do_all_but_manage, environment
from tests.support.people import make_operator
from tests.support.small_environment import browser, call_api, command, press

__all__ = ["_agents_may_do_all_but_manage", "environment"]

PAGE, HOME = f"/o/acme/users/{ADA}/", "/o/acme/"
CODE = "password.send-recovery-code"


def shown(client, path=PAGE) -> str:
    return " ".join(client.get(path).content.decode().split())


def look_after(minutes: float) -> int:
    """Let so much time pass since it was sent, and the worker look. Return how many looks that were."""
    row = SentReset.objects.latest("sent_at")
    row.sent_at = timezone.now() - timedelta(minutes=minutes)
    due_at = row.sent_at + LOOKS_AFTER[min(row.looks, 2)]
    row.due_at = min(row.due_at, due_at - timedelta(seconds=1))  # SQLite's clock has milliseconds only
    row.save()
    return looks.run_due()


def changes_password(environment, at=None):
    environment.password_state = {"status": "OK", "lastChangedAt": pingone_time(at or timezone.now())}


def test_code_that_was_used_is_told_on_both_pages(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, CODE)
    assert "Not used yet. The console checks again within minutes." in shown(client)

    changes_password(environment)
    assert look_after(2) == 1

    assert "Reset done at" in shown(client)
    assert "Not used yet." not in shown(client)
    assert "Reset done at" in shown(client, HOME)
    assert "ada.berg" in shown(client, HOME)
    assert SentReset.objects.get().state == Work.State.DONE


def test_code_that_is_not_used_is_looked_at_three_times_and_can_be_sent_again(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, CODE)
    assert looks.run_due() == 0

    assert [look_after(minutes) for minutes in (2, 5, 10, 20)] == [1, 1, 1, 0]

    page = shown(client)
    assert "Not used yet." in page
    assert "Send again (1 of 5 this hour)" in page
    assert "checks again" not in page
    press(client, CODE)
    LimitPolicy.objects.create(organization=acme, limit="codes", most=3)
    assert "Send again (2 of 3 this hour)" in shown(client)
    assert SentReset.objects.exclude(state=Work.State.CANCELED).count() == 1
    press(client, CODE)
    assert "Send again" not in shown(client)


def polled(client, path: str, shown: str):
    """Ask as the page does that shows this, and return the answer."""
    found = re.search(rf'hx-get="({path}[^"]*)"', shown)
    assert found, shown
    return client.get(html.unescape(found[1]), headers={"HX-Request": "true"})


@pytest.mark.parametrize(("where", "part"), [(PAGE, f"{PAGE}sent/"), (HOME, f"{HOME}sent/")])
def test_pages_ask_by_themselves_until_it_is_known_and_then_no_more(acme, helpdesk, environment, where, part):
    client = browser(helpdesk)
    press(client, CODE)
    before = shown(client, where)
    assert "every 20s" in before
    environment.requests.clear()

    assert polled(client, part, before).status_code == 204  # nothing new: the page stays as it is
    changes_password(environment)
    look_after(2)
    environment.requests.clear()
    with CaptureQueriesContext(connection) as queries:
        answer = polled(client, part, before)
    assert len([one for one in queries if "console_sentreset" in one["sql"]]) == 1

    assert "Reset done at" in answer.text
    assert "<html" not in answer.text
    assert "every 20s" not in answer.text
    assert "every 20s" not in shown(client, where)


def test_poll_asks_pingone_nothing(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, CODE)
    pages = {f"{PAGE}sent/": shown(client), f"{HOME}sent/": shown(client, HOME)}
    environment.requests.clear()

    for part, before in pages.items():
        assert "?was=" in before
        polled(client, part, before)
        assert polled(client, part, before.replace("?was=", "?was=x")).status_code == 200

    assert environment.requests == []


def test_pages_stop_asking_after_a_quarter_of_an_hour_without_a_worker(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, CODE)
    SentReset.objects.update(sent_at=timezone.now() - timedelta(minutes=15, seconds=1))

    for page in (PAGE, HOME):
        assert "Not used yet." in shown(client, page)
        assert "every 20s" not in shown(client, page)


def test_page_of_a_user_asks_once_something_was_sent_and_then_shows_it(acme, helpdesk, environment):
    client = browser(helpdesk)
    before = shown(client)
    assert 'hx-trigger="password-changed from:body"' in before
    assert polled(client, f"{PAGE}sent/", before).status_code == 204
    press(client, CODE)

    assert "Send again (1 of 5 this hour)" in polled(client, f"{PAGE}sent/", before).text


def test_operator_of_other_populations_is_told_nothing(acme, helpdesk, environment):
    press(browser(helpdesk), CODE)
    colleague = make_operator("colleague@acme.test", acme, Membership.Role.HELPDESK_AGENT)
    Membership.objects.filter(operator=colleague).update(populations=[str(UUID(int=5))])

    for headers in ({}, {"HX-Request": "true"}):
        answer = browser(colleague).get(f"{PAGE}sent/?was=", headers=headers)
        assert answer.status_code == 404
        assert "Not used yet." not in answer.text


def test_code_can_be_sent_again_from_home(acme, helpdesk, environment):
    client = browser(helpdesk)
    press(client, CODE)
    home = shown(client, HOME)
    assert "Send again (1 of 5 this hour)" in home

    with CaptureQueriesContext(connection) as queries:
        client.get(HOME)
    assert len([one for one in queries if "console_auditentry" in one["sql"]]) == 1
    LimitPolicy.objects.create(organization=acme, limit="codes", most=1)
    assert "Send again" not in shown(client, HOME)
    changes_password(environment)
    look_after(2)
    LimitPolicy.objects.all().delete()
    assert "Send again" not in shown(client, HOME)


def test_new_password_counts_once_they_changed_it_themselves(acme, helpdesk, environment):
    press(browser(helpdesk), "password.set-temporary")
    assert look_after(2) == 1
    assert SentReset.objects.get().used_at is None

    changes_password(environment, timezone.now() + timedelta(minutes=3))
    assert look_after(5) == 1
    assert SentReset.objects.get().used_at


@pytest.mark.parametrize("way", ["page", "fragment", "command line", "call api"])
def test_code_is_watched_whatever_the_way_in(acme, helpdesk, environment, way):
    if way == "command line":
        command(helpdesk, CODE, "--user", str(ADA))
    elif way == "call api":
        kind = "application/vnd.pingidentity.password.sendRecoveryCode+json"
        call_api(browser(helpdesk), "POST", f"users/{ADA}/password", media_type=kind)
    else:
        press(browser(helpdesk), CODE, htmx=way == "fragment")

    assert SentReset.objects.get().operator == helpdesk


def test_what_was_not_sent_is_not_watched(acme, helpdesk, environment):
    environment.status[f"POST /users/{ADA}/password"] = 503
    press(browser(helpdesk), CODE)
    press(browser(helpdesk), "user.unlock")
    press(browser(helpdesk), "password.unlock")

    assert not SentReset.objects.exists()


def test_looks_leave_the_rate_to_people(acme, helpdesk, environment, monkeypatch):
    press(browser(helpdesk), CODE)
    classes = []
    state = passwords.state

    def observed(api, user_id):
        classes.append(rate_limit._class.get())
        return state(api, user_id)

    monkeypatch.setattr(passwords, "state", observed)

    look_after(2)

    assert classes == [rate_limit._Class.BACKGROUND]


def test_look_that_fails_is_followed_by_the_next(acme, helpdesk, environment):
    press(browser(helpdesk), CODE)
    environment.status["/password"] = 503
    assert look_after(2) == 1

    environment.status.clear()
    changes_password(environment)
    assert look_after(5) == 1
    assert SentReset.objects.get().used_at


def test_only_the_operator_who_sent_it_sees_it_at_home(acme, helpdesk, org_admin, environment):
    press(browser(helpdesk), CODE)
    colleague = make_operator("colleague@acme.test", acme, Membership.Role.HELPDESK_AGENT)

    assert "Sent by you" in shown(browser(helpdesk), HOME)
    assert "Sent by you" not in shown(browser(colleague), HOME)
    Membership.objects.filter(operator=helpdesk).update(populations=[])
    assert "Sent by you" not in shown(browser(helpdesk), HOME)


def reported(acme, **changes) -> None:
    now = timezone.now()
    link = NotMeLink.objects.create(
        organization=acme, token_hash="x", event="mfa-changed", user_id=ADA, sent_to="a@b.test", at=now, expires_at=now
    )
    NotMeReport.objects.create(link=link, organization=acme, user_id=ADA, entry=ADA, **changes)


def test_report_stands_on_the_page_as_long_as_the_account_is_locked(acme, helpdesk, environment):
    client = browser(helpdesk)
    reported(acme, locks_until=timezone.now() + timedelta(days=30))
    assert "this was not me" not in shown(client)

    environment.users[ADA]["account"] = {"canAuthenticate": False, "status": "LOCKED"}
    page = shown(client)

    assert "They said: this was not me." in page
    assert "their account is locked because of it" in page


def test_report_that_locked_nothing_stands_on_the_page_for_a_week(acme, helpdesk, globex, environment):
    client = browser(helpdesk)
    reported(acme)
    assert "Speak with them" in shown(client)

    NotMeReport.objects.update(organization=globex)
    assert "this was not me" not in shown(client)
    NotMeReport.objects.update(organization=acme, wanted_at=timezone.now() - timedelta(days=8))
    assert "this was not me" not in shown(client)


def test_page_of_a_user_asks_no_more_for_all_this(acme, helpdesk, environment):
    client = browser(helpdesk)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as before:
        client.get(PAGE)
    press(client, CODE)
    reported(acme)
    with CaptureQueriesContext(connection) as after:
        assert "Send again" in shown(client)

    assert len(after) == len(before)
