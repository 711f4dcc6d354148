"""A new member in a browser: invited, with a second factor, at work, and suspended in the middle of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.models import Invitation, Membership, Operator, Organization
from console.sessions.store import BEGAN, SessionStore
from tests.support.people import invite
from tests.support.small_environment import browser

pytestmark = pytest.mark.browser

PASSWORD = "a long new password"


def code_of(page: Page) -> str:
    """Return the code of an authenticator app with the secret that the page shows."""
    secret = str(page.locator("#authenticator_secret").input_value())
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


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
    code = page.locator(".recovery-codes li").first.inner_text()
    page.goto("/o/acme/")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Two-factor authentication")
    assert page.url.endswith("/o/acme/")

    page.context.clear_cookies()  # another browser, and the phone is lost
    page.goto("/o/acme/")
    sign_in(page, "new@acme.test", PASSWORD)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/o/acme/")
    page.goto("/accounts/2fa/")
    expect(page.get_by_text("9 of 10 are unused.")).to_be_visible()

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
    sign_in(page, "new@acme.test", PASSWORD)
    expect(page.get_by_text("You are suspended.")).to_be_visible()
    assert_accessible(page)
    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation doesn't work")).to_be_visible()


def test_invitation_that_expired_or_was_withdrawn_lets_nobody_in(
    new_page: Callable[..., Page], acme: Organization, org_admin: Operator
) -> None:
    link = invite("new@acme.test", to=acme)
    guest = new_page()
    Invitation.objects.update(expires_at=timezone.now())
    guest.goto(link)
    expect(guest.get_by_role("heading", name="This invitation doesn't work")).to_be_visible()

    Invitation.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    guest.goto(link)
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.get_by_label("Password again").fill(PASSWORD)
    admin = new_page(org_admin)
    admin.goto("/o/acme/settings/members/")
    admin.get_by_role("button", name=re.compile("Withdraw")).click()
    expect(admin.get_by_role("button", name=re.compile("Withdraw"))).to_have_count(0)
    guest.get_by_role("button", name="Create account and join").click()
    expect(guest.get_by_role("heading", name="This invitation doesn't work")).to_be_visible()
    assert not Operator.objects.filter(email="new@acme.test").exists()


def test_session_ends_unused_after_its_hours_and_with_the_account(
    new_page: Callable[..., Page], acme: Organization, helpdesk: Operator
) -> None:
    page = new_page(helpdesk)
    page.goto("/o/acme/")
    page.get_by_role("searchbox").fill("mara@acme.test")
    Session.objects.update(expire_date=timezone.now())  # unused for too long
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, helpdesk.email, "correct horse battery")
    page.wait_for_url("**/o/acme/users/?q=mara%40acme.test*")

    page.goto("/o/acme/audit/")
    (row,) = Session.objects.filter(expire_date__gt=timezone.now())
    began = row.get_decoded() | {BEGAN: timezone.now().timestamp() - settings.SESSION_COOKIE_AGE}
    Session.objects.filter(pk=row.pk).update(session_data=SessionStore().encode(began))  # signed in twelve hours ago
    page.reload()
    sign_in(page, helpdesk.email, "correct horse battery")
    page.wait_for_url("**/o/acme/audit/")

    Operator.objects.update(is_active=False)
    page.goto("/o/acme/")
    sign_in(page, helpdesk.email, "correct horse battery")
    expect(page.get_by_text("Your account is deactivated.")).to_be_visible()
