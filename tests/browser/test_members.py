"""A new member in a browser: invited, with a second factor, at work, and suspended in the middle of it."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Page, expect

from console.models import Membership, Operator, Organization
from tests.support.people import invite
from tests.support.small_environment import browser

pytestmark = pytest.mark.browser

PASSWORD = "a long new password"


def code_of(page: Page) -> str:
    """Return the code of an authenticator app with the secret that the page shows."""
    secret = str(page.locator("#authenticator_secret").input_value())
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def test_invited_person_sets_up_a_second_factor_works_and_is_suspended_in_the_middle(
    new_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    acme: Organization,
    org_admin: Operator,
    settings: Any,
) -> None:
    settings.SECOND_FACTOR_DEMANDED = True
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    link = invite("new@acme.test", to=acme)
    page = new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Join Acme")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Your name").fill("Nia")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()

    expect(page.get_by_text("Acme asks for a second factor. Set one up to continue.")).to_be_visible()
    page.goto("/o/acme/users/")
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    page.get_by_role("link", name="Set up an authenticator app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(code_of(page))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/o/acme/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Two-factor authentication")
    assert page.url.endswith("/o/acme/")

    member = Membership.objects.get(operator__email="new@acme.test")
    admin = new_page(org_admin)
    admin.goto(f"/o/acme/settings/members/{member.pk}/")
    assert_accessible(admin)
    admin.get_by_role("button", name="Suspend").click()
    admin.goto("/o/acme/settings/members/")
    assert_accessible(admin)
    browser(org_admin, fresh=True).post(f"/o/acme/settings/members/{member.pk}/suspend/")

    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email").fill("new@acme.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("You are suspended.")).to_be_visible()
    assert_accessible(page)
    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation doesn't work")).to_be_visible()
