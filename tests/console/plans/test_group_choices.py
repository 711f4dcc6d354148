"""Groups in plans: found in the editor among many, and asked at the start among those that fit."""

from uuid import UUID

import pytest

from console.plans.editing import step_forms
from tests.support.plain_browser import read as read_page
from tests.support.plan_editor import NEW, PLAN, Editor, newest, saved
from tests.support.plan_people import MAIL, PERSON

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(org_admin, environment, browser_of):
    return Editor(browser_of(org_admin)).open(NEW)


def options(editor):
    return read_page(editor.page).one("select", name="step-0-value-group_id").all("option")


def test_groups_beyond_the_first_are_found_by_name(editor, environment, monkeypatch):
    monkeypatch.setattr(step_forms, "MOST_GROUPS", 1)
    editor.press("add", name="Give", new="group.add")
    beyond = environment.add_group(UUID(int=(4 << 76) + (8 << 60) + 0xF9), "Zebra")
    environment.first_groups = 1

    editor.press("find-0", **{"step-0-group-search": "zeb"})
    assert "The list has the groups whose names start with “zeb”." in editor.page
    assert [one.text for one in options(editor)][-1] == "Zebra"

    editor.press("check", **{"step-0-value-group_id": str(beyond)})
    assert "Nothing is wrong with it" in editor.page
    assert "Zebra" in [one.text for one in options(editor)]  # although it is not among the first
    assert editor.fields["step-0-value-group_id"] == str(beyond)

    editor.press("find-0", **{"step-0-group-search": "nothing"})
    assert "No group&#x27;s name starts with “nothing”." in editor.page
    assert editor.fields["step-0-value-group_id"] == str(beyond)

    editor.press("save")
    assert newest().definition["steps"] == [{"action": "group.add", "inputs": {"group_id": str(beyond)}}]


def test_where_all_groups_are_listed_no_search_is_offered(editor):
    editor.press("add", name="Give", new="group.add")

    assert "group-search" not in editor.page


def test_group_that_is_asked_is_chosen_from_those_that_fit(org_admin, environment, browser_of):
    environment.members[PERSON] = {MAIL}
    steps = [{"action": f"group.{do}", "inputs": {"group_id": "{asked}"}} for do in ("remove", "add")]
    saved(org_admin, PLAN | {"steps": steps})
    page = read_page(browser_of(org_admin).get(f"/o/acme/users/{PERSON}/plans/vpn/").content.decode())

    removed, added = ([one.text for one in page.one("select", name=f"step-{of}-group_id").all("option")] for of in "12")

    assert removed[1:] == ["Mail"]
    assert "VPN" in added
