"""A person on a borrowed phone, with and without JavaScript: from locked out to signed in again at PingOne."""

import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect

from console.models import Operator, RecoveryPolicy
from console.recovery import look_up
from tests.support.browser import PHONE, Check, NewPage, press
from tests.support.outbox import sent_emails
from tests.support.presses import MEDIA_TYPE, Person, new_person, org_admin_at, with_locked_password
from tests.support.recovering import CODE, switch_on
from tests.support.sandbox_server import Sandbox

NEW_PASSWORD = "Better-Horse-2"
EACH = pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def operator(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return org_admin_at(sandbox)


@pytest.fixture
def leo(sandbox: Sandbox, administrator: httpx.Client, operator: Operator) -> Person:
    person = new_person(sandbox, administrator)
    with_locked_password(person)
    sandbox.sql("UPDATE sandbox_user SET email_verified = 1 WHERE id = ?", person.id)
    switch_on(operator.organizations.get(), UUID(person.ask()["population"]["id"]))
    return person


def key_of(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "recovery")


def signs_in(leo: Person, password: str) -> bool:
    path, headers = f"users/{leo.id}/password", {"Content-Type": f"{MEDIA_TYPE}.password.check+json"}
    return leo.administrator.post(path, json={"password": password}, headers=headers).status_code == 200


@EACH
def test_locked_out_person_with_a_forgotten_password_signs_in_again(
    leo: Person, operator: Operator, new_page: NewPage, assert_accessible: Check, java_script: bool
) -> None:
    organization = operator.organizations.get()
    page = new_page(viewport=PHONE, java_script_enabled=java_script)
    seen = new_page(viewport=PHONE)  # the same pages with JavaScript, for the accessibility check
    page.goto(f"/recover/{organization.slug}/")
    seen.goto(page.url)
    assert_accessible(seen)
    page.get_by_label("Username or email address").fill(leo.username)
    press(page, "Email me a code")
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    look_up.run_due()

    code = CODE.search(str(sent_emails()[-1].body))
    assert code
    page.get_by_label("Code from the email").fill(code[1].lower())
    press(page, "Continue")
    expect(page.get_by_text("Your password is locked after too many wrong passwords.")).to_be_visible()
    seen.context.add_cookies([{"name": "recovery", "value": key_of(page), "url": page.url}])
    seen.reload()
    assert_accessible(seen)
    press(page, "Choose a new password")
    for label in ("New password", "New password once more"):
        page.get_by_label(label, exact=True).fill("short")
    press(page, "Set new password")
    expect(page.get_by_text("At least 1 capital letter").first).to_be_visible()
    seen.reload()
    assert_accessible(seen)
    for label in ("New password", "New password once more"):
        page.get_by_label(label, exact=True).fill(NEW_PASSWORD)
    press(page, "Set new password")

    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    expect(page.get_by_role("heading", name="Done", exact=True)).to_be_visible()
    assert signs_in(leo, NEW_PASSWORD)


def enter_code_of(page: Page) -> None:
    code = CODE.search(str(sent_emails()[-1].body))
    assert code
    page.get_by_label("Code from the email").fill(code[1])
    press(page, "Continue")


@EACH
def test_person_with_a_device_closes_the_tab_and_unlocks_only(
    leo: Person, sandbox: Sandbox, operator: Operator, new_page: NewPage, assert_accessible: Check, java_script: bool
) -> None:
    RecoveryPolicy.objects.update(demands_device=True)
    sandbox.pair_device(leo.id, kind="SMS", locked=False, phone="+46.701234567")
    page = new_page(viewport=PHONE, java_script_enabled=java_script)
    page.goto(f"/recover/{operator.organizations.get().slug}/")
    home = page.url
    page.get_by_label("Username or email address").fill(leo.username)
    press(page, "Email me a code")
    look_up.run_due()
    page.get_by_label("Code from the email").fill("2345-6789")
    press(page, "Continue")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    form = page.url
    for address in (home, form):  # the tab is closed; a phone restores it as it was
        page.goto("about:blank")
        page.goto(address)
        expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    assert page.url == home != form
    enter_code_of(page)

    seen = new_page(viewport=PHONE)
    seen.context.add_cookies([{"name": "recovery", "value": key_of(page), "url": home}])
    seen.goto(home)
    assert_accessible(seen)
    press(page, "Text message to the number ending in 67")
    seen.reload()
    assert_accessible(seen)
    of_leo = "SELECT body FROM sandbox_mail WHERE user_id = ? AND subject LIKE 'Passcode%' ORDER BY id"
    passcode = sandbox.sql(of_leo, leo.id)[-1]["body"].removeprefix("Your passcode is ").rstrip(".")
    page.get_by_label("Code from the device").fill(passcode)
    press(page, "Continue")
    press(page, "Unlock only: I know my password")

    expect(page.get_by_text("Your password is unlocked.")).to_be_visible()
    assert leo.ask("/password")["status"] == "OK"


@EACH
def test_person_without_a_device_is_sent_to_the_helpdesk_and_says_that_it_was_not_them(
    leo: Person, operator: Operator, new_page: NewPage, java_script: bool
) -> None:
    RecoveryPolicy.objects.update(demands_device=True)
    page = new_page(viewport=PHONE, java_script_enabled=java_script)
    page.goto(f"/recover/{operator.organizations.get().slug}/")
    page.get_by_label("Username or email address").fill(leo.username)
    press(page, "Email me a code")
    look_up.run_due()
    expect(page.get_by_text("No email? Look in the spam folder")).to_be_visible()
    expect(page.get_by_text("Reference number:")).to_be_visible()
    enter_code_of(page)
    expect(page.get_by_role("heading", name="Call the helpdesk")).to_be_visible()

    link = re.search(r"https?://\S+(/not-me/\S+)", str(sent_emails()[-1].body))
    assert link
    page.goto(link[1])
    press(page, "This was not me")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
