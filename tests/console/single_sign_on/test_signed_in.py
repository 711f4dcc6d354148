"""After single sign-on: roles by groups, second factor, signing in again and out, and where nothing else is allowed."""

import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.models import AuditEntry, LinkedIdentity, MappedGroup, Membership, Operator, Organization
from tests.support.identity_provider import ISSUER, START, IdentityProvider, link, url_of
from tests.support.people import make_operator
from tests.support.sessions import signed_in_long_ago

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[Operator], Client]
LINK = "/accounts/single-sign-on/link/"
SETTINGS = "/o/acme/settings/single-sign-on/"
PASSWORD = "correct horse battery"


def by_password(operator: Operator) -> Client:
    browser = Client()
    browser.post("/accounts/login/", {"login": operator.email, "password": PASSWORD})
    return browser


def roles() -> dict[str, str]:
    return {one.operator.email: one.role for one in Membership.objects.select_related("operator")}


def test_roles_are_read_anew_at_each_sign_in(provider: IdentityProvider, mapped: Organization) -> None:
    make_operator("boss@acme.test", mapped, "org_admin")
    first = Client()
    provider.claims["groups"] = ["Admins", "Helpdesk"]  # the first of the list counts
    provider.sign_in(first)
    assert roles()["ada@acme.test"] == "org_admin"

    provider.claims["groups"] = ["Helpdesk", "Elsewhere"]
    provider.sign_in(Client())
    assert roles()["ada@acme.test"] == "helpdesk_agent"
    assert first.get("/o/acme/settings/members/").status_code == 403  # at once, in the older session as well

    provider.claims["groups"] = []
    refused = provider.sign_in(Client())
    assert "You do not belong to an organization any longer." in refused.text
    assert "ada@acme.test" not in roles()
    assert first.get("/o/acme/").status_code == 302  # signed out
    provider.claims["groups"] = ["Helpdesk"]
    assert provider.sign_in(Client()).status_code == 302  # and back: the account was kept
    changes = AuditEntry.objects.filter(action__startswith="membership.").order_by("pk")
    assert [one.action.removeprefix("membership.") for one in changes] == [
        "added",
        "role-changed",
        "removed",
        "added",
    ]
    assert {one.inputs["by"] for one in changes} == {"groups of the identity provider"}


def test_membership_that_an_org_admin_gave_stays(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, org_admin: Operator, helpdesk: Operator
) -> None:
    link(helpdesk)
    provider.claims["groups"] = ["Admins"]
    provider.sign_in(Client())
    assert roles()["agent@acme.test"] == "helpdesk_agent"
    provider.claims["groups"] = []
    assert provider.sign_in(Client()).status_code == 302

    provider.claims |= {"sub": "new-1", "email": "new@acme.test", "groups": ["Helpdesk"]}
    provider.sign_in(Client())
    new = Membership.objects.get(operator__email="new@acme.test")
    page = browser_of(org_admin).get("/o/acme/settings/members/").text
    assert page.count("By group") == 1
    browser_of(org_admin).post(f"/o/acme/settings/members/{new.pk}/role/", {"role": "auditor"})
    provider.claims["groups"] = ["Admins"]
    provider.sign_in(Client())
    assert roles()["new@acme.test"] == "auditor"  # from now on by hand
    assert "By group" not in browser_of(org_admin).get("/o/acme/settings/members/").text


def test_suspended_member_is_not_let_in_by_a_group(provider: IdentityProvider, mapped: Organization) -> None:
    provider.sign_in(Client())
    Membership.objects.update(suspended_at="2026-01-01T00:00Z")
    provider.claims["groups"] = ["Admins"]

    assert "You are suspended." in provider.sign_in(Client()).text


def test_only_org_admin_keeps_the_role_on_record(provider: IdentityProvider, mapped: Organization) -> None:
    provider.claims["groups"] = ["Admins"]
    provider.sign_in(Client())
    for groups in (["Helpdesk"], []):
        provider.claims["groups"] = groups
        provider.sign_in(Client())

        assert roles() == {"ada@acme.test": "org_admin"}
        refused = AuditEntry.objects.filter(outcome="refused").last()
        assert refused
        assert refused.reason == "The only org admin keeps the role until there is another one"
    make_operator("boss@acme.test", mapped, "org_admin")
    provider.sign_in(Client())
    assert roles() == {"boss@acme.test": "org_admin"}


def test_group_whose_role_is_gone_gives_nothing(provider: IdentityProvider, acme: Organization) -> None:
    MappedGroup.objects.create(organization=acme, group="Helpdesk", role="night-shift")

    assert "none of your groups" in provider.sign_in(Client()).text


@pytest.mark.parametrize(
    ("claims", "counts"),
    [
        ({"acr": "mfa"}, True),
        ({"amr": ["pwd", "otp"]}, True),
        ({"acr": "mfa", "auth_time": None}, False),
        ({"acr": "Single_Factor", "amr": ["pwd"]}, False),
        ({"acr": ["mfa"]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_second_factor_at_the_provider_counts_where_the_server_says_so(
    provider: IdentityProvider, mapped: Organization, settings: Any, claims: dict[str, Any], counts: bool
) -> None:
    settings.SECOND_FACTOR_DEMANDED = True
    settings.OIDC_SECOND_FACTOR_ACR, settings.OIDC_SECOND_FACTOR_AMR = ["mfa"], ["otp"]
    provider.claims |= claims
    browser = Client()
    provider.sign_in(browser)

    assert browser.get("/o/acme/").status_code == (200 if counts else 302)
    ada = Operator.objects.get(email="ada@acme.test")
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    asked = provider.sign_in(Client())
    assert asked["Location"] == ("/" if counts else "/accounts/2fa/authenticate/")


def test_operator_who_needs_a_second_factor_can_set_one_up(
    provider: IdentityProvider, mapped: Organization, settings: Any
) -> None:
    settings.SECOND_FACTOR_DEMANDED = True
    browser = Client()
    provider.sign_in(browser)

    assert browser.get("/accounts/2fa/totp/activate/").status_code == 200


def test_signing_in_again_leads_by_the_provider_and_takes_a_new_proof(
    provider: IdentityProvider, mapped: Organization
) -> None:
    make_operator("boss@acme.test", mapped, "org_admin")
    provider.claims |= {"groups": ["Admins"], "auth_time": int(time.time()) - 3600}
    browser = Client()
    provider.sign_in(browser)  # still signed in there since an hour: no fresh sign-in

    form = {"email": "x@acme.test", "role": "auditor"}
    asked = browser.post("/o/acme/settings/members/", form)
    assert asked["Location"] == f"{START}?next=%2Fo%2Facme%2Fsettings%2Fmembers%2F"
    assert "Confirm it" in browser.get(asked["Location"]).text
    leaving = provider.leave(browser, next="/o/acme/settings/members/")
    assert leaving["max_age"] == "0"
    assert "did not ask you to prove again" in provider.come_back(browser, leaving).text
    del provider.claims["auth_time"]
    key = browser.session.session_key
    back = provider.come_back(browser, provider.leave(browser, next="/o/acme/settings/members/"))
    assert back["Location"] == "/o/acme/settings/members/"
    assert browser.session.session_key != key
    assert 'value="x@acme.test"' in browser.get("/o/acme/settings/members/").text
    assert not str(browser.post("/o/acme/settings/members/", form).get("Location")).startswith(START)


def test_linking_takes_a_fresh_session_of_the_account(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator
) -> None:
    stale = signed_in_long_ago(browser_of(helpdesk))
    assert stale.post(LINK, {"do": "link"})["Location"].startswith("/accounts/reauthenticate/")
    browser = browser_of(helpdesk)

    linked = provider.come_back(browser, provider.leave(browser, LINK, do="link"))

    assert linked["Location"] == LINK
    assert "is linked to Acme login" in browser.get(LINK).text
    assert LinkedIdentity.objects.get().operator == helpdesk
    assert provider.sign_in(Client()).status_code == 302
    assert roles() == {"agent@acme.test": "helpdesk_agent"}
    browser.post(LINK, {"do": "unlink"})
    assert not LinkedIdentity.objects.exists()
    events = AuditEntry.objects.filter(action__contains="identity").order_by("pk").values_list("action", flat=True)
    assert list(events) == ["operator.identity-linked", "operator.identity-unlinked"]


def test_one_person_is_linked_to_one_account(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator, org_admin: Operator
) -> None:
    link(org_admin)
    browser = browser_of(helpdesk)

    answer = provider.come_back(browser, provider.leave(browser, LINK, do="link"))

    assert "is linked already" in answer.text
    assert LinkedIdentity.objects.get().operator == org_admin


def test_only_way_in_keeps_its_link(provider: IdentityProvider, mapped: Organization) -> None:
    browser = Client()
    provider.sign_in(browser)

    assert "Choose a password first" in browser.post(LINK, {"do": "unlink"}).text
    assert LinkedIdentity.objects.exists()


def test_sign_out_ends_both_sessions(provider: IdentityProvider, mapped: Organization, helpdesk: Operator) -> None:
    browser = Client()
    provider.sign_in(browser)

    left = browser.post("/accounts/logout/")

    assert url_of(left).startswith(
        f"{ISSUER}/signoff?client_id=the-console&post_logout_redirect_uri=http%3A%2F%2Flocal"
    )
    assert "an-access-token" not in left.text
    assert left.headers["Clear-Site-Data"]
    assert browser.get("/o/acme/").status_code == 302
    assert by_password(helpdesk).post("/accounts/logout/")["Location"] == "/accounts/login/"


def test_where_single_sign_on_is_the_only_way_nothing_else_lets_in(
    provider: IdentityProvider, mapped: Organization, settings: Any, helpdesk: Operator, org_admin: Operator
) -> None:
    before = by_password(org_admin)
    settings.OIDC_ONLY = True

    refused = Client().post("/accounts/login/", {"login": helpdesk.email, "password": PASSWORD})

    assert refused.status_code == 403
    assert "Single sign-on is required" in refused.text
    assert "Sign in with Acme login" in refused.text
    assert AuditEntry.objects.filter(action="operator.sign-in-failed", reason="Not by single sign-on").exists()
    assert before.get("/o/acme/users/")["Location"] == f"{START}?next=%2Fo%2Facme%2Fusers%2F"
    assert provider.sign_in(Client()).status_code == 302
    link(helpdesk, "agent-1")
    provider.claims["sub"] = "agent-1"
    browser = Client()
    provider.sign_in(browser)
    assert browser.get("/o/acme/").status_code == 200


def test_break_glass_account_is_let_in(
    provider: IdentityProvider, mapped: Organization, settings: Any, org_admin: Operator
) -> None:
    settings.OIDC_ONLY = True
    told = StringIO()
    call_command("break_glass", org_admin.email, stdout=told)
    assert "may sign in with its password" in told.getvalue()

    assert by_password(org_admin).get("/o/acme/").status_code == 200
    call_command("break_glass", stdout=told)
    assert told.getvalue().endswith("admin@acme.test\n")
    call_command("break_glass", org_admin.email, "--withdraw", stdout=told)
    assert by_password(org_admin).get("/o/acme/").status_code == 302
    assert AuditEntry.objects.filter(action="operator.break-glass-changed").count() == 2
    with pytest.raises(CommandError, match="no account"):
        call_command("break_glass", "nobody@acme.test")
    provider.sign_in(Client())
    with pytest.raises(CommandError, match="no password"):
        call_command("break_glass", "ada@acme.test")


def test_organization_that_requires_it_is_entered_by_single_sign_on_alone(
    provider: IdentityProvider, mapped: Organization, helpdesk: Operator, org_admin: Operator
) -> None:
    by_hand = by_password(org_admin)
    refused = by_hand.post(SETTINGS, {"do": "demand", "demanded": "on"}, follow=True)
    assert "so that you do not lock yourself out" in refused.text
    link(org_admin)
    admin = Client()
    provider.sign_in(admin)

    admin.post(SETTINGS, {"do": "demand", "demanded": "on"})

    assert Organization.objects.get().single_sign_on_demanded
    assert admin.get("/o/acme/").status_code == 200
    agent = by_password(helpdesk)
    assert agent.get("/o/acme/")["Location"].startswith(START)
    fragment = agent.get("/o/acme/users/", headers={"HX-Request": "true"})
    assert fragment.headers["HX-Redirect"].startswith(START)
    assert "is not linked to the identity provider yet" in agent.get(START).text
    assert AuditEntry.objects.filter(action="single-sign-on.demand-changed").count() == 1
    admin.post(SETTINGS, {"do": "demand"})
    assert by_password(helpdesk).get("/o/acme/").status_code == 200


def test_org_admin_maps_groups_on_record(
    provider: IdentityProvider, acme: Organization, browser_of: BrowserOf, org_admin: Operator, helpdesk: Operator
) -> None:
    admin = browser_of(org_admin)

    assert "No group has a role yet." in admin.get(SETTINGS).text
    page = admin.post(SETTINGS, {"do": "map", "group": "<b>Night</b>", "role": "auditor"}, follow=True).text
    assert "&lt;b&gt;Night&lt;/b&gt;" in page
    twice = admin.post(SETTINGS, {"do": "map", "group": "<b>Night</b>", "role": "org_admin"})
    assert (twice.status_code, "has a role already" in twice.text) == (422, True)
    assert admin.post(SETTINGS, {"do": "map", "group": "", "role": "auditor"}).status_code == 422
    assert admin.post(SETTINGS, {"do": "map", "group": "x", "role": "root"}).status_code == 422
    assert browser_of(helpdesk).post(SETTINGS, {"do": "map", "group": "x", "role": "org_admin"}).status_code == 403
    mapped = MappedGroup.objects.get()
    assert "Removed the group." in admin.post(SETTINGS, {"do": "remove", "mapped": mapped.pk}, follow=True).text
    assert "removed already" in admin.post(SETTINGS, {"do": "remove", "mapped": mapped.pk}, follow=True).text
    events = AuditEntry.objects.filter(action__startswith="single-sign-on").order_by("pk")
    assert [(one.action, one.before or one.after) for one in events] == [
        ("single-sign-on.group-mapped", {"group": "<b>Night</b>", "role": "auditor"}),
        ("single-sign-on.group-unmapped", {"group": "<b>Night</b>", "role": "auditor"}),
    ]


def test_group_of_another_organization_is_not_removed(
    provider: IdentityProvider, mapped: Organization, globex: Organization, browser_of: BrowserOf, stranger: Operator
) -> None:
    admin = browser_of(stranger)
    one = MappedGroup.objects.first()
    assert one

    admin.post("/o/globex/settings/single-sign-on/", {"do": "remove", "mapped": one.pk})

    assert MappedGroup.objects.count() == 2


def test_pages_to_sign_in_again_lead_to_each_other(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator
) -> None:
    link(helpdesk)
    browser = browser_of(helpdesk)

    here = browser.get(f"{START}?next=/o/acme/").text
    assert 'href="/accounts/reauthenticate/?next=/o/acme/"' in here
    assert "Use your password" in here
    there = browser.get("/accounts/reauthenticate/").text
    assert f'href="{START}"' in there
    assert "Use Acme login" in there


def test_page_asks_the_database_no_more_after_single_sign_on(
    provider: IdentityProvider, mapped: Organization, browser_of: BrowserOf, helpdesk: Operator
) -> None:
    link(helpdesk)
    after = Client()
    provider.sign_in(after)
    counted = []
    for browser in (browser_of(helpdesk), after):
        browser.get("/o/acme/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/o/acme/").status_code == 200
        counted.append(len(queries))

    assert counted[0] == counted[1]
