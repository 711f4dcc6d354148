"""Somebody is onboarded from New user, chooses a password without JavaScript, and signs in at PingOne (the sandbox)."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from console.models import Operator, PlanRun
from console.plans import engine
from console.recovery import look_up
from tests.support.browser import PHONE, Check, NewPage, press
from tests.support.outbox import sent_emails
from tests.support.presses import MEDIA_TYPE, new_name, new_person, org_admin_at
from tests.support.recovering import CODE, switch_on
from tests.support.sandbox_server import Sandbox

NEW_PASSWORD = "Better-Horse-2"


@pytest.fixture
def operator(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    cache.clear()
    return org_admin_at(sandbox)


def email_to(address: str, words: str) -> str:
    """Return the latest email to the address with these words in its subject."""
    found = [str(one.body) for one in sent_emails() if one.to == [address] and words in one.subject]
    assert found
    return found[-1]


def test_new_user_is_onboarded_and_signs_in(
    sandbox: Sandbox,
    administrator: httpx.Client,
    operator: Operator,
    new_page: NewPage,
    assert_accessible: Check,
) -> None:
    colleague = new_person(sandbox, administrator)
    group = new_name()
    group_id = administrator.post("groups", json={"name": group}).raise_for_status().json()["id"]
    colleague.send("POST", "/memberOfGroups", id=group_id)
    switch_on(operator.organizations.get(), UUID(colleague.ask()["population"]["id"]))
    username = new_name()
    address = f"{username}@acme.test"

    page = new_page(operator)
    page.goto("/o/acme/users/new/")
    for label, value in {"Username": username, "Email": address, "Given name": "Nia", "Family name": "Okoro"}.items():
        page.get_by_label(label, exact=True).fill(value)
    press(page, "Onboard with a plan")
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    page.get_by_label("Same groups as a colleague").fill(colleague.username)
    page.get_by_label("Now", exact=True).check()
    page.get_by_label("Reason").fill("Starts on Monday")
    press(page, "Continue")
    expect(page.get_by_text(group, exact=True)).to_be_visible()
    expect(page.get_by_text(f"To {address}.")).to_be_visible()
    assert_accessible(page)
    press(page, "Onboard now")
    expect(page.get_by_role("heading", name="Steps", exact=True)).to_be_visible()
    engine.run_due()
    page.reload()
    expect(page.get_by_text(f"{username} · Finished")).to_be_visible()

    link = re.search(r"https?://\S+/recover/\S+", email_to(address, "choose your password"))
    assert link
    theirs = new_page(viewport=PHONE, java_script_enabled=False)
    theirs.goto(f"/recover/{link[0].partition('/recover/')[2]}")
    theirs.get_by_label("Username or email address").fill(username)
    press(theirs, "Email me a code")
    look_up.run_due()
    code = CODE.search(email_to(address, ""))
    assert code
    theirs.get_by_label("Code from the email").fill(code[1])
    press(theirs, "Continue")
    if theirs.get_by_role("button", name="Choose a new password", exact=True).count():
        press(theirs, "Choose a new password")
    for label in ("New password", "New password once more"):
        theirs.get_by_label(label, exact=True).fill(NEW_PASSWORD)
    press(theirs, "Set new password")
    expect(theirs.get_by_text("Your new password is set.")).to_be_visible()

    created = PlanRun.objects.get().person_id
    assert created
    nia = replace(colleague, id=created, username=username)
    headers = {"Content-Type": f"{MEDIA_TYPE}.password.check+json"}
    signed_in = administrator.post(f"users/{nia.id}/password", json={"password": NEW_PASSWORD}, headers=headers)
    assert signed_in.status_code == 200
    assert [one["id"] for one in nia.listed("memberOfGroups")] == [group_id]
