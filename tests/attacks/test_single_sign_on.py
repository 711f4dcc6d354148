"""An identity provider that somebody talks into more than it says, or walks around."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.utils import timezone

from console.approvals.approvers import is_new
from console.models import Invitation, LinkedIdentity, Membership, Operator, Organization
from console.operators.accounts import set_password_link
from console.rights.roles import BUILT_IN
from tests.support.identity_provider import START, IdentityProvider, link
from tests.support.passkey import Passkey
from tests.support.people import invite
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[Operator], Client]
PASSWORD = "correct horse battery"
LINK = "/accounts/single-sign-on/link/"
BY_PASSKEY = "/accounts/2fa/webauthn/login/"


def is_signed_in(browser: Client) -> bool:
    return browser.get("/o/acme/").status_code == 200


def by_password(operator: Operator) -> Client:
    browser = Client()
    browser.post("/accounts/login/", {"login": operator.email, "password": PASSWORD})
    return browser


def test_email_of_somebody_else_opens_no_account(
    provider: IdentityProvider, mapped: Organization, org_admin: Operator
) -> None:
    provider.claims["email"] = org_admin.email.upper()
    browser = Client()

    answer = provider.sign_in(browser)

    assert "is not linked to the identity provider" in answer.text
    assert not is_signed_in(browser)
    assert not LinkedIdentity.objects.exists()


def test_same_subject_at_another_issuer_is_somebody_else(
    provider: IdentityProvider, mapped: Organization, helpdesk: Operator
) -> None:
    LinkedIdentity.objects.create(operator=helpdesk, issuer="https://login.acme.test/earlier", subject="ada-1")

    provider.sign_in(Client())

    assert Operator.objects.get(email="ada@acme.test") != helpdesk


def test_second_factor_of_one_person_counts_for_nobody_else(
    provider: IdentityProvider, mapped: Organization, settings: Any, helpdesk: Operator
) -> None:
    """In one browser: single sign-on as oneself, then another's password."""
    settings.OIDC_SECOND_FACTOR_ACR = ["mfa"]
    provider.claims["acr"] = "mfa"
    TOTP.activate(helpdesk, "JBSWY3DPEHPK3PXP")
    browser = Client()
    provider.sign_in(browser)
    kept = browser.session["single-sign-on"]
    browser.logout()
    session = browser.session
    session["single-sign-on"] = kept
    session.save()

    answer = browser.post("/accounts/login/", {"login": helpdesk.email, "password": PASSWORD})

    assert answer["Location"].startswith("/accounts/2fa/authenticate/")


def test_membership_by_groups_is_entered_by_single_sign_on_alone(
    provider: IdentityProvider, mapped: Organization
) -> None:
    """A password that was set later must not outlive the groups."""
    provider.sign_in(Client())
    ada = Operator.objects.get(email="ada@acme.test")
    ada.set_password(PASSWORD)
    ada.save()

    assert by_password(ada).get("/o/acme/")["Location"].startswith(START)


def test_role_that_a_group_gave_a_moment_ago_approves_nothing(
    provider: IdentityProvider, mapped: Organization, org_admin: Operator
) -> None:
    """An org admin maps a group of their own second account to org admin, to approve what they asked for."""
    with time_machine.travel(timezone.now() - timedelta(days=30)):
        provider.sign_in(Client())
    provider.sign_in(Client())
    assert not is_new(Membership.objects.get(is_by_groups=True))  # the same groups change nothing

    provider.claims["groups"] = ["Admins"]
    provider.sign_in(Client())

    second = Membership.objects.get(is_by_groups=True)
    assert second.role == "org_admin"
    assert is_new(second)


def test_link_that_began_in_another_account_is_not_made(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator, org_admin: Operator
) -> None:
    browser = browser_of(helpdesk)
    asked = provider.leave(browser, LINK, do="link")
    begun = browser.session["single-sign-on-begun"]
    browser.force_login(org_admin)
    session = browser.session
    session["single-sign-on-begun"] = begun
    session.save()

    assert "did not begin in this browser" in provider.come_back(browser, asked).text
    assert not LinkedIdentity.objects.exists()


def test_signing_in_again_as_somebody_else_proves_nothing(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, org_admin: Operator
) -> None:
    link(org_admin, "boss-1")
    browser = signed_in_long_ago(browser_of(org_admin))

    answer = provider.sign_in(browser)

    assert "as somebody else than here" in answer.text
    assert browser.post("/o/acme/settings/directory/")["Location"].startswith("/accounts/reauthenticate/")


def test_answer_of_the_attacker_signs_no_victim_in_as_the_attacker(
    provider: IdentityProvider, mapped: Organization
) -> None:
    """Otherwise the victim would work, and type, in an account that the attacker reads."""
    attacker, victim = Client(), Client()
    provider.leave(victim)  # the victim may even be about to sign in

    answer = provider.come_back(victim, provider.leave(attacker))

    assert "did not begin in this browser" in answer.text
    assert not is_signed_in(victim)


def test_token_for_another_application_is_of_no_use(provider: IdentityProvider, mapped: Organization) -> None:
    """Whoever runs another application at the same provider has such tokens of everybody who uses it."""
    browser = Client()
    asked = provider.leave(browser)
    provider.id_token = provider.signed(aud="another-application", nonce=asked["nonce"])

    provider.come_back(browser, asked)

    assert not is_signed_in(browser)


def test_token_of_an_earlier_sign_in_is_of_no_use(provider: IdentityProvider, mapped: Organization) -> None:
    browser = Client()
    provider.id_token = provider.signed(nonce=provider.leave(browser)["nonce"])

    provider.sign_in(browser)

    assert not is_signed_in(browser)


def test_desk_that_was_left_confirms_nothing(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, org_admin: Operator
) -> None:
    """The owner is still signed in at the provider, so that it lets whoever sits there through."""
    link(org_admin)
    provider.claims["auth_time"] = int(time.time()) - 3600
    for_signing_in, again = Client(), signed_in_long_ago(browser_of(org_admin))
    provider.sign_in(for_signing_in)
    provider.sign_in(again)

    for browser in (for_signing_in, again):
        browser.post("/o/acme/settings/members/", {"email": "mine@evil.test", "role": "org_admin"})
    assert not Invitation.objects.exists()
    provider.claims["auth_time"] = None  # nor where the provider does not say when
    provider.sign_in(again)
    again.post("/o/acme/settings/members/", {"email": "mine@evil.test", "role": "org_admin"})
    assert not Invitation.objects.exists()


def test_no_other_way_leads_around_single_sign_on(
    provider: IdentityProvider, mapped: Organization, settings: Any, helpdesk: Operator, org_admin: Operator
) -> None:
    """Where it is the only way: password, passkey, a new password by email, an invitation, an older session."""
    older, passkey, way = by_password(helpdesk), Passkey(helpdesk), invite("new@acme.test", to=mapped)
    settings.OIDC_ONLY = True

    assert not is_signed_in(older)
    assert not is_signed_in(by_password(helpdesk))
    browser = Client()
    asked = browser.get(BY_PASSKEY, headers={"X-Requested-With": "XMLHttpRequest"}).json()
    challenge = asked["request_options"]["publicKey"]["challenge"]
    entered = browser.post(BY_PASSKEY, {"credential": passkey.sign(challenge, verified=True)})
    assert "Single sign-on is required" in entered.text
    assert not is_signed_in(browser)
    browser = Client()
    form = browser.get(set_password_link(org_admin).removeprefix(settings.PUBLIC_URL), follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": "a long new password", "password2": "a long new password"})
    assert not is_signed_in(browser)
    browser = Client()
    chosen = {"name": "New", "password1": "a long new password", "password2": "a long new password"}
    assert "single sign-on only" in browser.post(way, chosen).text
    assert not is_signed_in(browser)
    assert not Operator.objects.filter(email="new@acme.test").exists()
    assert older.post("/o/acme/users/new/", {"username": "x"})["Location"].startswith(START)


def test_org_admin_maps_no_group_for_another_organization(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, stranger: Operator
) -> None:
    for do in ({"do": "map", "group": "Mine", "role": "org_admin"}, {"do": "demand", "demanded": "on"}):
        assert browser_of(stranger).post("/o/acme/settings/single-sign-on/", do).status_code == 404
    assert mapped.mapped_groups.count() == 2


def test_role_that_manages_members_maps_nobody_to_org_admin(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator
) -> None:
    give(helpdesk, BUILT_IN["org_admin"])
    browser = browser_of(helpdesk)

    for do in ({"do": "map", "group": "Mine", "role": "org_admin"}, {"do": "remove", "mapped": "1"}, {"do": "demand"}):
        assert browser.post("/o/acme/settings/single-sign-on/", do).status_code == 403
    assert "Only org admins change this." in browser.get("/o/acme/settings/single-sign-on/").text
    assert mapped.mapped_groups.count() == 2
