"""An action of each form shape, pressed on its real page in a browser, with the sandbox as PingOne.

All actions are also pressed without a browser: tests/integration/test_pressed_actions.py.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from playwright.sync_api import Locator, Page, expect

from console.actions.catalogue import BY_KEY, Action
from console.models import AuditEntry, Operator
from tests.support.asking import one_of_each_shape
from tests.support.browser import NewPage
from tests.support.presses import (
    NAME,
    PRESSES,
    SECTION,
    Person,
    new_group,
    new_name,
    new_person,
    notice_of,
    org_admin_at,
)
from tests.support.sandbox_server import Sandbox


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def operator(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return org_admin_at(sandbox)


@pytest.fixture
def mara(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    return new_person(sandbox, administrator)


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def press(page: Page, action: Action, typed: Mapping[str, str]) -> None:
    """Press the action's button, then fill in and submit its form or confirmation, if it has one."""
    section = part(page, SECTION[action.place])
    if action.is_immediate:
        section.get_by_role("button", name=str(action.label), exact=True).click()
        return
    section.get_by_role("link", name=str(action.label), exact=True).click()
    form = part(page, f"{action.name}: {NAME}")
    for label, value in typed.items():
        box = form.get_by_label(label, exact=True)
        if box.evaluate("box => box.matches('select')"):
            box.select_option(label=value)
        else:
            box.fill(value)
    form.get_by_role("button", name=str(action.submit or action.name), exact=True).click()


def drive(page: Page, action: Action, mara: Person, address: str) -> None:
    step = PRESSES[action.key]
    step.of(mara)
    page.goto(address)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)  # a panel that arrives moves the parts below it
    expect(part(page, "Sign-in")).not_to_contain_text("not read yet")

    press(page, action, step.typed_for(mara))

    if action.secret_result:
        expect(part(page, f"{action.done}: {NAME}")).to_contain_text(f"{action.secret_result} for {NAME}")
    else:
        expect(page.locator("#notices")).to_contain_text(re.compile(notice_of(action.key, mara)))
    assert step.happened(mara)
    assert [entry.action for entry in AuditEntry.objects.current()] == [action.key]


def see(page: Page, key: str) -> None:
    if shown := PRESSES[key].shown:
        name, text = shown
        expect(part(page, name)).to_contain_text(text)


@pytest.mark.parametrize("key", [action.key for action in one_of_each_shape() if action.needs_user])
def test_action_on_the_page_of_the_user_takes_effect_and_is_shown(
    new_page: NewPage, operator: Operator, mara: Person, key: str
) -> None:
    page, action = new_page(operator), BY_KEY[key]

    drive(page, action, mara, mara.page)

    see(page, key)


def test_form_is_filled_in_without_javascript(new_page: NewPage, operator: Operator, mara: Person) -> None:
    page = new_page(operator, java_script_enabled=False)

    drive(page, BY_KEY["user.update"], mara, f"{mara.page}?panels=all")

    page.goto(f"{mara.page}?panels=all")
    see(page, "user.update")


def test_user_is_created_from_the_list_and_shown(
    new_page: NewPage, operator: Operator, administrator: httpx.Client
) -> None:
    page, username = new_page(operator), new_name()
    page.goto("/o/acme/users/")

    page.get_by_role("link", name="New user").click()
    for label, value in {"Username": username, "Given name": "Mara", "Family name": "Lind"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name=str(BY_KEY["user.create"].label)).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.locator("#notices")).to_contain_text(f"Created {NAME}.")
    created = administrator.get("users", params={"filter": f'username eq "{username}"'}).json()["_embedded"]["users"]
    assert [user["name"] for user in created] == [{"given": "Mara", "family": "Lind"}]


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_user_is_added_to_a_group_searched_by_name(
    new_page: NewPage, operator: Operator, mara: Person, administrator: httpx.Client, java_script: bool
) -> None:
    page, name = new_page(operator, java_script_enabled=java_script), new_name()
    group = new_group(administrator, name)
    page.goto(f"{mara.page}?panels=all")

    part(page, "Groups").get_by_role("link", name="Add to groups").click()
    page.get_by_label("Group name starts with").fill(name)
    if not java_script:
        page.get_by_role("button", name="Search").click()
    page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Add to selected groups").click()

    expect(page.locator("#notices")).to_contain_text(name)
    assert [membership["id"] for membership in mara.listed("memberOfGroups")] == [group]
    page.goto(f"{mara.page}?panels=all")
    expect(part(page, "Groups")).to_contain_text(name)


def test_user_is_searched_for_in_the_list_and_opened(new_page: NewPage, operator: Operator, mara: Person) -> None:
    page = new_page(operator)
    page.goto("/o/acme/users/")

    page.get_by_role("searchbox", name="Find a user").fill(mara.username)
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.get_by_role("rowheader").get_by_role("link", name=NAME).click()

    expect(page).to_have_url(re.compile(f"{mara.page}$"))
    expect(part(page, "Profile")).to_contain_text(mara.ask()["email"])


def test_call_api_reads_and_writes(new_page: NewPage, operator: Operator, mara: Person) -> None:
    page = new_page(operator)
    page.goto("/o/acme/call-api/")

    page.get_by_label("Path").fill(f"/users/{mara.id}")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Response: 200")).to_be_visible()
    expect(page.get_by_label("Response body")).to_contain_text(mara.username)

    page.get_by_label("Method").select_option("PUT")
    page.get_by_label("Path").fill(f"/users/{mara.id}/enabled")
    page.get_by_label("Body", exact=True).fill('{"enabled": false}')
    page.get_by_role("button", name="Send").click()
    page.get_by_label("Reason").fill("Left the company")
    assert mara.ask()["enabled"]
    page.get_by_role("button", name="Send PUT").click()
    expect(page.get_by_role("heading", name="Response: 200")).to_be_visible()
    assert not mara.ask()["enabled"]
