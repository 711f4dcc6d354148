"""A second factor in a browser: a passkey as the factor and as the sign-in, and a factor that was lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.models import FactorReset, Membership, Operator, Organization
from tests.support.browser import press
from tests.support.outbox import sent_emails

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Your account")).click()
    press(page, "Sign out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_passkey_is_the_second_factor_and_signs_in_alone(
    new_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    acme: Organization,
    helpdesk: Operator,
    settings: Any,
) -> None:
    settings.SECOND_FACTOR_DEMANDED = True
    page = new_page(helpdesk)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    of_key = {"authenticatorId": added["authenticatorId"]}
    page.goto("/o/acme/")
    page.get_by_role("link", name="Add a key").click()
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Continue")
    assert_accessible(page)
    page.get_by_label("Name").fill("Laptop <b>")
    page.get_by_label("Sign in with this key alone").check()
    press(page, "Add")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert len(devtools.send("WebAuthn.getCredentials", of_key)["credentials"]) == 1
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("heading", name="Laptop <b>")).to_be_visible()
    assert_accessible(page)

    sign_out(page)
    page.goto("/o/acme/audit/")
    press(page, "Sign in with a passkey")
    page.wait_for_url("**/o/acme/audit/")

    sign_out(page)
    devtools.send("WebAuthn.setUserVerified", of_key | {"isUserVerified": False})  # who found the laptop, unlocked
    press(page, "Sign in with a passkey")
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    page.goto("/o/acme/audit/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, helpdesk.email)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    assert_accessible(page)
    devtools.send("WebAuthn.setUserVerified", of_key | {"isUserVerified": True})
    press(page, "Use a passkey or security key")
    page.wait_for_url("**/o/acme/audit/")


def test_lost_factor_is_reset_after_a_day_unless_its_owner_stops_it(
    new_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    acme: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    settings: Any,
) -> None:
    TOTP.activate(helpdesk, "JBSWY3DPEHPK3PXP")
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    settings.SECOND_FACTOR_DEMANDED = True
    admin, owner = new_page(org_admin), new_page()
    admin.goto(f"/o/acme/settings/members/{Membership.objects.get(operator=helpdesk).pk}/")
    press(admin, "Reset second factor")
    expect(admin.get_by_text("We told agent@acme.test.")).to_be_visible()
    assert_accessible(admin)

    found = re.search(r"/second-factor-reset/\S+", str(sent_emails()[-1].body))
    assert found
    owner.goto(found[0])
    assert_accessible(owner)
    press(owner, "Stop the reset")
    expect(owner.get_by_text("Stopped.")).to_be_visible()
    assert_accessible(owner)
    owner.goto(found[0])
    expect(owner.get_by_role("button", name="Stop the reset")).to_have_count(0)
    assert_accessible(owner)

    admin.reload()
    press(admin, "Reset second factor")
    expect(admin.get_by_role("button", name="Cancel the reset")).to_be_visible()
    FactorReset.objects.update(due_at=timezone.now())
    call_command("remove_lost_factors")
    assert not Authenticator.objects.filter(user=helpdesk).exists()
    owner.goto("/o/acme/")
    sign_in(owner, helpdesk.email)
    expect(owner.get_by_text("Acme asks for a second factor. Set one up to continue.")).to_be_visible()
