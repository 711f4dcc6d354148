"""Members of an organization: changing and removing them, without lockout or account takeover."""

from collections.abc import Callable

import pytest
from django.test import Client

from console.models import AuditEntry, Membership, Operator, Organization
from tests.support.people import make_operator
from tests.support.small_environment import browser

pytestmark = pytest.mark.database

PAGE = "/o/acme/settings/members/"

BrowserOf = Callable[[Operator], Client]


@pytest.fixture
def admin(browser_of: BrowserOf, org_admin: Operator) -> Client:
    return browser_of(org_admin)


def roles(organization: Organization) -> dict[str, str]:
    return dict(organization.memberships.values_list("operator__email", "role"))


def events() -> list[tuple[str, str, object, object]]:
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "subject_name", "before", "after"))


def test_changed_role_applies_at_once_and_is_on_record(
    org_admin: Operator, browser_of: BrowserOf, acme: Organization, helpdesk: Operator
) -> None:
    membership = acme.memberships.get(operator=helpdesk)

    browser(org_admin, fresh=True).post(f"{PAGE}{membership.pk}/role/", {"role": "org_admin"})

    assert browser_of(helpdesk).get(PAGE).status_code == 200
    assert events() == [("membership.role-changed", helpdesk.email, {"role": "helpdesk_agent"}, {"role": "org_admin"})]


def test_org_admin_is_made_after_a_fresh_sign_in(org_admin: Operator, acme: Organization) -> None:
    stale, fresh = browser(org_admin, fresh=False), browser(org_admin)

    asked = stale.post(PAGE, {"email": "boss@acme.test", "name": "Bo", "role": "org_admin"})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert 'value="boss@acme.test"' in stale.get(PAGE).content.decode()
    assert not acme.invitations.exists()
    fresh.post(PAGE, {"email": "agent2@acme.test", "name": "", "role": "helpdesk_agent"})
    fresh.post(PAGE, {"email": "boss@acme.test", "name": "", "role": "org_admin"})

    invited = dict(acme.invitations.values_list("email", "role"))
    assert invited == {"boss@acme.test": "org_admin", "agent2@acme.test": "helpdesk_agent"}


def test_removed_member_loses_access_at_once(admin: Client, acme: Organization, helpdesk: Operator) -> None:
    agent = Client()
    agent.post("/accounts/login/", {"login": helpdesk.email, "password": "correct horse battery"})
    membership = acme.memberships.get(operator=helpdesk)
    assert "They lose access to Acme immediately." in admin.get(f"{PAGE}{membership.pk}/remove/").content.decode()
    assert agent.get("/o/acme/").status_code == 200

    admin.post(f"{PAGE}{membership.pk}/remove/")

    assert agent.get("/o/acme/")["Location"].startswith("/accounts/login/")  # no other organization lets them in
    assert events()[1:] == [("membership.removed", helpdesk.email, {"role": "helpdesk_agent"}, None)]


@pytest.mark.parametrize("step", ["role", "remove"])
def test_last_org_admin_cannot_be_removed(admin: Client, acme: Organization, org_admin: Operator, step: str) -> None:
    membership = acme.memberships.get(operator=org_admin)

    response = admin.post(f"{PAGE}{membership.pk}/{step}/", {"role": "auditor"}, follow=True)

    assert response.redirect_chain == [(PAGE, 302)]
    assert "Make someone else an org admin first" in response.content.decode()
    assert roles(acme) == {"admin@acme.test": "org_admin"}
    assert events() == []


def test_deactivated_org_admin_does_not_count_as_the_last(
    admin: Client, acme: Organization, org_admin: Operator
) -> None:
    left = make_operator("left@acme.test", acme, Membership.Role.ORG_ADMIN)
    Operator.objects.filter(pk=left.pk).update(is_active=False)

    admin.post(f"{PAGE}{acme.memberships.get(operator=org_admin).pk}/remove/")

    assert "admin@acme.test" in roles(acme)


def test_members_of_another_organization_cannot_be_changed(
    browser_of: BrowserOf, stranger: Operator, acme: Organization, helpdesk: Operator
) -> None:
    membership = acme.memberships.get(operator=helpdesk)
    client = browser_of(stranger)

    for url in (f"{membership.pk}/role/", f"{membership.pk}/remove/"):
        assert client.post(f"/o/globex/settings/members/{url}", {"role": "auditor"}).status_code == 404
    assert helpdesk.email not in client.get("/o/globex/settings/members/").content.decode()
    assert roles(acme)[helpdesk.email] == "helpdesk_agent"


def test_member_pages_are_for_org_admins_only(browser_of: BrowserOf, helpdesk: Operator, auditor: Operator) -> None:
    for operator in (helpdesk, auditor):
        assert browser_of(operator).get(PAGE).status_code == 403
        assert browser_of(operator).post(PAGE, {"email": "x@acme.test", "role": "org_admin"}).status_code == 403


def test_member_names_are_escaped(admin: Client, helpdesk: Operator) -> None:
    Operator.objects.filter(pk=helpdesk.pk).update(name="<script>alert(1)</script>{{ 7*7 }}")

    text = admin.get(PAGE).content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in text
