"""Every action of the catalogue, pressed on its page without JavaScript, with the sandbox as PingOne."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.test import Client

from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.models import AuditEntry, Operator
from tests.support.plain_browser import PlainBrowser
from tests.support.presses import (
    NAME,
    PRESSES,
    SECTION,
    Person,
    new_group,
    new_name,
    new_person,
    notice_of,
    notice_of_undo,
    org_admin_at,
)
from tests.support.sandbox_server import Sandbox


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def plain(
    transactional_db: None, sandbox: Sandbox, settings: Any, browser_of: Callable[[Operator], Client]
) -> PlainBrowser:
    """Return the browser of an org admin."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return PlainBrowser(browser_of(org_admin_at(sandbox)))


@pytest.fixture
def mara(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    return new_person(sandbox, administrator)


def notices(plain: PlainBrowser) -> str:
    return plain.page.one(id="notices").text


def press(plain: PlainBrowser, action: Action, mara: Person) -> None:
    """Press the action's button, then fill in and submit its form or confirmation, if it has one."""
    section = plain.region(SECTION[action.place])
    if action.is_immediate:
        plain.press(str(action.label), section)
        return
    plain.follow(str(action.label), section)
    form = plain.region(f"{action.name}: {NAME}")
    plain.press(str(action.submit or action.name), form, PRESSES[action.key].typed_for(mara))


@pytest.mark.parametrize("key", PRESSES)
def test_action_takes_effect_is_confirmed_and_can_be_undone(plain: PlainBrowser, mara: Person, key: str) -> None:
    action, step = BY_KEY[key], PRESSES[key]
    step.of(mara)
    plain.open(f"{mara.page}?panels=all")

    press(plain, action, mara)

    if action.secret_result:
        assert f"{action.secret_result} for {NAME}" in plain.region(f"{action.done}: {NAME}").text
    else:
        assert re.search(notice_of(key, mara), notices(plain))
    assert step.happened(mara)
    assert [entry.action for entry in AuditEntry.objects.current()] == [key]
    undo = [button for button in plain.page.all("button") if button.text == "Undo"]
    assert bool(undo) == bool(action.undo)
    if action.undo:
        plain.press("Undo")
        assert re.search(notice_of_undo(key), notices(plain))
        assert not step.happened(mara)
        plain.press("Undo")
        assert step.happened(mara)
    if step.shown:
        part, text = step.shown
        plain.open(f"{mara.page}?panels=all")
        assert text in plain.region(part).text


def test_user_is_created_from_the_list_and_shown(plain: PlainBrowser, administrator: httpx.Client) -> None:
    username = new_name()
    plain.open("/o/acme/users/")

    plain.follow("New user")
    typed = {"Username": username, "Given name": "Mara", "Family name": "Lind"}
    plain.press(str(BY_KEY["user.create"].label), typed=typed)

    assert plain.page.one("h1").text == NAME
    assert f"Created {NAME}." in notices(plain)
    created = administrator.get("users", params={"filter": f'username eq "{username}"'}).json()["_embedded"]["users"]
    assert [user["name"] for user in created] == [{"given": "Mara", "family": "Lind"}]


def test_user_is_added_to_a_group_on_its_page(plain: PlainBrowser, mara: Person, administrator: httpx.Client) -> None:
    name = new_name()
    group = new_group(administrator, name)
    plain.open(f"{mara.page}?panels=all")

    plain.follow("Add to groups", plain.region("Groups"))
    plain.press("Search", typed={"Group name starts with": name})

    assert name in plain.page.text
    (box,) = plain.page.all("input", type="checkbox", value=group)
    box.attributes["checked"] = ""
    plain.press("Add to selected groups")
    assert name in notices(plain)
    assert [membership["id"] for membership in mara.listed("memberOfGroups")] == [group]


def test_actions_are_all_tested_here() -> None:
    assert PRESSES.keys() | {"user.create", "group.add"} == {action.key for action in ACTIONS}
