"""A person on a borrowed phone, without JavaScript: from locked out to signed in again at PingOne (the sandbox)."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect

from console.models import Operator
from console.recovery import look_up
from tests.support.browser import PHONE, Check, NewPage
from tests.support.outbox import sent_emails
from tests.support.presses import MEDIA_TYPE, Person, new_person, org_admin_at, with_locked_password
from tests.support.recovering import CODE, switch_on
from tests.support.sandbox_server import Sandbox

NEW_PASSWORD = "Better-Horse-2"


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


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def key_of(page: Page) -> str:
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "recovery")


def signs_in(leo: Person, password: str) -> bool:
    path, headers = f"users/{leo.id}/password", {"Content-Type": f"{MEDIA_TYPE}.password.check+json"}
    return leo.administrator.post(path, json={"password": password}, headers=headers).status_code == 200


def test_locked_out_person_with_a_forgotten_password_signs_in_again(
    leo: Person, operator: Operator, new_page: NewPage, assert_accessible: Check
) -> None:
    organization = operator.organizations.get()
    page = new_page(viewport=PHONE, java_script_enabled=False)
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
