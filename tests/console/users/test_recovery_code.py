"""Send recovery code: offered only where PingOne takes it, and why not, on the page and if PingOne refuses."""

import re
from itertools import product

import pytest

from console.actions.catalogue import BY_KEY
from tests.support.answers import ADA, STAFF, ada, answer_panels, error
from tests.support.asking import HTMX, Way, asking

URL = f"/o/acme/users/{ADA}/"
SEND = f"{URL}actions/password.send-recovery-code/"
LOCKED = {"account": {"canAuthenticate": False, "status": "LOCKED"}}
GOOGLE = {"identityProvider": {"id": str(STAFF), "type": "GOOGLE"}}
DEACTIVATED = "No recovery code can be sent while the user is deactivated."
NO_EMAIL = "No recovery code can be sent: they have no email address."
ELSEWHERE = "No recovery code can be sent: their password is not in PingOne."
NO_PASSWORD = "No recovery code can be sent: they have no password."
PASSWORD_LOCKED = "No recovery code can be sent while the password is locked."
ACCOUNT_LOCKED = "A recovery code does not work while the account is locked."

TABLE = {  # changes to the user, password status, and why there is no code
    "works": ({}, "OK", ""),
    "password expired": ({}, "PASSWORD_EXPIRED", ""),
    "must change the password": ({}, "MUST_CHANGE_PASSWORD", ""),
    "a new status": ({}, "NEW", ""),
    "lock unknown": ({"account": None}, "OK", ""),
    "deactivated": ({"enabled": False}, "OK", DEACTIVATED),
    "no password": ({}, "NO_PASSWORD", NO_PASSWORD),
    "password locked": ({}, "PASSWORD_LOCKED_OUT", PASSWORD_LOCKED),
    "account locked": (LOCKED, "OK", ACCOUNT_LOCKED),
    "account and password locked": (LOCKED, "PASSWORD_LOCKED_OUT", PASSWORD_LOCKED),
    "no email": ({"email": None}, "OK", NO_EMAIL),
    "an empty email": ({"email": ""}, "OK", NO_EMAIL),
    "another provider": (GOOGLE, "NO_PASSWORD", ELSEWHERE),
    "another directory": ({}, "EXTERNAL", ELSEWHERE),
}
EVERY_ROW = pytest.mark.parametrize(
    ("changes", "password", "cause"), [pytest.param(*row, id=name) for name, row in TABLE.items()]
)


@pytest.fixture
def directory(pingone):
    pingone._assert_all_called = False
    answer_panels(pingone)
    return pingone


def knows(pingone, changes, password):
    pingone.get(f"/users/{ADA}").respond(json=ada(**changes))
    pingone.get(f"/users/{ADA}/password").respond(json={"status": password})


def head_of(page: str) -> str:
    return page.partition('id="standing"')[2].partition("</section>")[0]


@EVERY_ROW
def test_recovery_code_is_offered_or_the_page_says_why_not(browser_of, helpdesk, directory, changes, password, cause):
    knows(directory, changes, password)
    client = browser_of(helpdesk)

    page = client.get(f"{URL}?panels=all").text
    known = dict(re.findall(r'class="known" name="(\w+)" value="([^"]*)"', page))
    reloaded = client.get(f"{URL}standing/", known, headers=HTMX).text

    for head in (head_of(page), head_of(reloaded)):
        assert head.count(f'action="{SEND}"') == (0 if cause else 1)
        assert (cause in head) if cause else ("No recovery code" not in head)
    assert page.count(f'action="{SEND}"') == (0 if cause else 1)


@pytest.mark.parametrize(("status", "offered"), [(None, False), (403, True)], ids=["unread", "unreadable"])
def test_recovery_code_is_offered_before_the_password_is_known_only_if_it_cannot_be(
    browser_of, helpdesk, directory, status, offered
):
    directory.get(f"/users/{ADA}").respond(json=ada())
    if status:
        directory.get(f"/users/{ADA}/password").respond(status, json=error("ACCESS_FAILED"))

    page = browser_of(helpdesk).get(f"{URL}?panels=all" if status else URL).text

    assert (SEND in page) is offered


@pytest.mark.parametrize(
    ("way", "changes", "password", "cause"),
    [
        pytest.param(way, *row, id=f"{way}-{name}")
        for way, (name, row) in product(Way, TABLE.items())
        if way is Way.COMMAND or name == "no password"
    ],
)
def test_refused_recovery_code_says_why(helpdesk, directory, way, changes, password, cause):
    knows(directory, changes, password)
    directory.post(f"/users/{ADA}/password").respond(400, json=error("REQUEST_FAILED"))

    told = asking(way, helpdesk)(BY_KEY["password.send-recovery-code"])

    assert "PingOne cannot do this for the user right now" in told.text
    assert (cause or "For example, the user is deactivated") in told.text


def test_refused_recovery_code_has_general_words_if_the_state_cannot_be_read(helpdesk, directory):
    directory.get(f"/users/{ADA}").respond(json=ada())
    directory.get(f"/users/{ADA}/password").respond(503)
    directory.post(f"/users/{ADA}/password").respond(400, json=error("REQUEST_FAILED"))

    told = asking(Way.COMMAND, helpdesk)(BY_KEY["password.send-recovery-code"])

    assert "For example, the user is deactivated" in told.text


def test_auditor_reads_nothing_about_recovery_codes(browser_of, auditor, directory):
    knows(directory, {"email": ""}, "OK")

    assert "No recovery code" not in browser_of(auditor).get(f"{URL}?panels=all").text
