"""Suspending, reactivating and signing out members, in one organization alone."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Membership, Operator, Organization, Role
from console.operators import members
from tests.support.people import make_operator
from tests.support.small_environment import browser

PAGE = "/o/acme/settings/members/"
SIGN_IN = {"login": "agent@acme.test", "password": "correct horse battery"}

BrowserOf = Callable[[Operator], Client]

pytestmark = pytest.mark.database


def press(client: Client, operator: Operator, step: str) -> str:
    membership = Membership.objects.get(organization__slug="acme", operator=operator)
    return client.post(f"{PAGE}{membership.pk}/{step}/", follow=True).content.decode()


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


def test_suspended_member_is_out_at_the_next_request_and_in_again_when_reactivated(
    org_admin: Operator, helpdesk: Operator, acme: Organization, globex: Organization, browser_of: BrowserOf
) -> None:
    Membership.objects.create(organization=globex, operator=helpdesk, role="auditor")
    admin, agent = browser(org_admin, fresh=True), browser_of(helpdesk)
    assert agent.get("/o/acme/").status_code == 200

    assert "Suspended agent@acme.test in Acme." in press(admin, helpdesk, "suspend")

    assert agent.get("/o/acme/").status_code == 404
    assert agent.get("/o/globex/").status_code == 200  # and its pages do not offer the way to Acme
    assert "/o/acme/" not in agent.get("/o/globex/").content.decode()
    assert agent.get("/")["Location"] == "/o/globex/"
    assert "Suspended" in admin.get(PAGE).content.decode()
    press(admin, helpdesk, "reactivate")
    assert agent.get("/o/acme/").status_code == 200
    assert Membership.objects.get(organization=acme, operator=helpdesk).role == "helpdesk_agent"
    assert events() == ["membership.suspended", "membership.reactivated"]


@pytest.mark.parametrize("step", ["suspend", "reactivate", "end-sessions"])
def test_change_of_a_member_asks_for_a_fresh_sign_in(org_admin: Operator, helpdesk: Operator, step: str) -> None:
    membership = helpdesk.memberships.get()
    if step == "reactivate":
        helpdesk.memberships.update(suspended_at=timezone.now())

    asked = browser(org_admin, fresh=False).post(f"{PAGE}{membership.pk}/{step}/")

    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert events() == []


@pytest.mark.parametrize("step", ["suspend", "remove"])
def test_member_without_another_organization_is_signed_out_and_cannot_sign_in(
    org_admin: Operator, helpdesk: Operator, step: str
) -> None:
    agent = Client()
    agent.post("/accounts/login/", SIGN_IN)
    assert agent.get("/o/acme/").status_code == 200

    press(browser(org_admin, fresh=True), helpdesk, step)

    assert agent.get("/")["Location"].startswith("/accounts/login/")
    refused = agent.post("/accounts/login/", SIGN_IN)
    told = {"suspend": "You are suspended.", "remove": "You do not belong to an organization any longer."}
    assert (refused.status_code, told[step] in refused.content.decode()) == (403, True)
    assert agent.get("/")["Location"].startswith("/accounts/login/")
    assert "operator.sign-in-failed" in events()


def test_deactivated_account_is_told_so(helpdesk: Operator) -> None:
    Operator.objects.filter(pk=helpdesk.pk).update(is_active=False)

    refused = Client().post("/accounts/login/", SIGN_IN)

    assert "Your account is deactivated." in refused.content.decode()
    assert "while no organization lets it in" in Client().get("/accounts/inactive/").content.decode()


def test_sessions_of_an_account_are_ended_where_it_belongs_to_no_other_organization(
    org_admin: Operator, helpdesk: Operator, globex: Organization
) -> None:
    agent, admin = Client(), browser(org_admin, fresh=True)
    agent.post("/accounts/login/", SIGN_IN)
    elsewhere = Membership.objects.create(organization=globex, operator=helpdesk, role="auditor")

    assert "Ask whoever runs this server" in press(admin, helpdesk, "end-sessions")
    assert agent.get("/o/acme/").status_code == 200
    elsewhere.delete()
    press(admin, helpdesk, "end-sessions")

    assert agent.get("/o/acme/").status_code == 302
    assert events()[-1] == "membership.sessions-ended"


def test_last_org_admin_is_neither_suspended_nor_replaced_by_a_copy_of_the_role(
    org_admin: Operator, acme: Organization
) -> None:
    copied = Role.objects.create(organization=acme, key="few", name="Few rights", base="org_admin", rights={})
    few = make_operator("few@acme.test", acme, Membership.Role.ORG_ADMIN)
    few.memberships.update(custom_role=copied)
    make_operator("out@acme.test", acme, Membership.Role.ORG_ADMIN).memberships.update(suspended_at=timezone.now())

    told = press(browser(org_admin, fresh=True), org_admin, "suspend")

    assert "Make someone else an org admin first" in told
    assert list(acme.org_admins()) == [org_admin]


@pytest.mark.django_db(transaction=True)
def test_two_org_admins_who_suspend_each_other_at_once_leave_one(acme: Organization, org_admin: Operator) -> None:
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    both, outcomes = Barrier(2), []

    def suspend(by: Operator, whom: Operator) -> None:
        try:
            access, membership = enter_org(by, "acme"), whom.memberships.get()
            both.wait()
            members.suspend(access, membership, signed_in_at=timezone.now(), source_address="")
            outcomes.append("suspended")
        except members.LastOrgAdmin:
            outcomes.append("last")
        finally:
            connection.close()

    threads = [Thread(target=suspend, args=pair) for pair in ((org_admin, other), (other, org_admin))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["last", "suspended"]
    assert acme.org_admins().count() == 1


def test_sign_in_is_on_record_in_the_organizations_where_they_enter(
    helpdesk: Operator, acme: Organization, globex: Organization
) -> None:
    Membership.objects.create(organization=globex, operator=helpdesk, role="auditor")
    agent = Client()
    agent.post("/accounts/login/", SIGN_IN)
    agent.get("/o/acme/")
    agent.get("/o/acme/")
    agent.post("/accounts/logout/")

    chains = AuditEntry.objects.order_by("sequence").values_list("organization__slug", "action")

    assert sorted((slug or "server", action) for slug, action in chains) == [
        ("acme", "operator.signed-in"),
        ("acme", "operator.signed-out"),
        ("server", "operator.signed-in"),
    ]
