"""An agent narrowed to one population cannot find, open, act on or infer a user outside it, in a real browser."""

from playwright.sync_api import Page, expect

from console.models import Membership, Operator
from tests.support.answers import ADA
from tests.support.answers import STAFF as STAFF_ID
from tests.support.asking import HTMX
from tests.support.browser import Check, NewPage
from tests.support.narrowed import HIDDEN, NOBODY, OUTSIDER, PARTNERS, careless_pingone, writes_in
from tests.support.synced import sync_populations

POST = """async ([url, headers]) => {
  const csrf = JSON.parse(document.body.getAttribute("hx-headers"));
  const body = new URLSearchParams({submission: crypto.randomUUID(), reason: "x"});
  const answer = await fetch(url, {method: "POST", body, headers: {...csrf, ...headers}});
  return [answer.status, (await answer.text()).replace(/[0-9a-f-]{36}/g, "")];
}"""


def test_narrowed_agent_cannot_find_open_act_on_or_infer_a_user_outside(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, helpdesk: Operator
) -> None:
    membership = Membership.objects.get(operator=helpdesk)
    with careless_pingone() as asked:
        _choose_staff(new_page(org_admin), membership, assert_accessible)
        page = new_page(helpdesk)

        page.goto("/o/acme/users/?show=list")  # PingOne lists everybody
        expect(page.locator("#results")).to_contain_text("ada.berg")
        page.get_by_role("searchbox").first.press_sequentially(HIDDEN)
        page.wait_for_url("**q=Zyxw**")
        expect(page.locator("#results")).not_to_contain_text(f"{HIDDEN}.user")

        page.goto(f"/o/acme/users/{ADA}/")
        expect(page.locator(".user-panel")).to_have_count(4)  # each by its signed URL

        asked.clear()
        shown = []
        for user_id in (OUTSIDER, NOBODY):
            answer = page.goto(f"/o/acme/users/{user_id}/")
            assert answer and answer.status == 404  # noqa: PT018
            shown.append(page.locator("main").inner_text())
            for headers in ({}, HTMX):
                url = f"/o/acme/users/{user_id}/actions/user.deactivate/"
                shown.append(str(page.evaluate(POST, [url, headers])[0]))
        assert shown[:3] == shown[3:] == [shown[0], "404", "404"]
        assert HIDDEN not in shown[0]
        assert not writes_in(asked)


def _choose_staff(page: Page, membership: Membership, assert_accessible: Check) -> None:
    sync_populations(membership.organization, {STAFF_ID: "Staff", PARTNERS: "Partners"})
    page.goto(f"/o/acme/settings/members/{membership.pk}/")
    assert_accessible(page)
    page.get_by_label("These populations").check()
    page.get_by_label("Staff").check()
    page.get_by_role("button", name="Save populations").click()
    expect(page.locator("#notices")).to_contain_text("Saved the populations.")
    assert Membership.objects.get(pk=membership.pk).narrowed_to == frozenset({STAFF_ID})
