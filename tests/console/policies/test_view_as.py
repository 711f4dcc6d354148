"""View as: an operator sees the pages as a member does. Nothing but reading, and never more than their own rights."""

from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from console.access import enter_org
from console.models import AuditEntry, Membership, Operator, Organization
from console.rights.permissions import Permission
from console.rights.roles import BUILT_IN, Rights
from tests.support.answers import ADA
from tests.support.performing import refused, run
from tests.support.rights import give

STOP = "/o/acme/view-as/stop/"


def shown(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def start(client: Client, member: Operator, organization: str = "acme") -> Any:
    membership = Membership.objects.get(operator=member, organization__slug=organization)
    return client.post(f"/o/{organization}/settings/members/{membership.pk}/view-as/", follow=True)


@pytest.fixture
def admin(browser_of: Callable[[Operator], Client], org_admin: Operator) -> Client:
    return browser_of(org_admin)


@pytest.fixture
def viewing(admin: Client, auditor: Operator) -> Client:
    start(admin, auditor)
    return admin


def test_viewer_sees_what_the_member_sees(admin, org_admin, auditor, acme):
    page = shown(start(admin, auditor))

    assert f"You are viewing as <bdi>{auditor}</bdi> (Auditor)." in page
    assert "Call API" not in page
    for path in ("call-api/", "settings/members/", "settings/policies/", "settings/connection/", "users/new/"):
        assert admin.get(f"/o/acme/{path}").status_code == 403
    assert admin.get("/o/acme/audit/").status_code == 200


def test_viewer_gets_no_right_that_they_lack(browser_of, helpdesk, org_admin):
    give(helpdesk, Rights(pages=BUILT_IN["auditor"].pages | {Permission.MANAGE_MEMBERS}))
    client = browser_of(helpdesk)

    start(client, org_admin)

    for path in ("call-api/", "settings/policies/", "settings/connection/"):
        assert client.get(f"/o/acme/{path}").status_code == 403


def test_nothing_is_changed_and_no_account_is_opened_meanwhile(viewing, helpdesk, acme, pingone):
    entries = AuditEntry.objects.count()

    for path in (
        f"/o/acme/users/{ADA}/actions/user.deactivate/",
        "/o/acme/working-on/",
        "/o/acme/populations/sync/",
        "/theme/",
        f"/o/acme/audit/{uuid4()}/undo/",
    ):
        response = viewing.post(path, {"submission": str(uuid4())})
        assert response.status_code == 403
        assert "You are viewing as another member" in shown(response)
    for path in ("/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/", "/connect/callback/"):
        assert viewing.get(path).status_code == 403
    assert AuditEntry.objects.count() == entries
    assert not pingone.calls


def test_perform_refuses_meanwhile(org_admin, auditor, acme, pingone):
    member = Membership.objects.select_related("organization").get(operator=auditor, organization=acme)
    access = enter_org(org_admin, "acme").seen_as(member)
    assert access.again().rights == access.rights

    give(auditor, Rights(actions={"user.deactivate": frozenset()}))
    member.refresh_from_db()

    assert "Stop viewing" in str(refused(run(access.seen_as(member), "user.deactivate")).reason)


def test_stopping_gives_the_own_rights_back_on_record(viewing, org_admin, auditor):
    assert viewing.get("/o/acme/call-api/").status_code == 403

    viewing.post(STOP)

    assert viewing.get("/o/acme/settings/members/").status_code == 200
    assert list(AuditEntry.objects.order_by("sequence").values_list("action", "operator", "subject_name")) == [
        ("member.viewed-as", org_admin.pk, auditor.email),
        ("access.refused", org_admin.pk, org_admin.email),
        ("member.view-ended", org_admin.pk, auditor.email),
    ]


def test_export_meanwhile_names_the_viewer(viewing, org_admin, pingone):
    pingone.get(f"/groups/{ADA}").respond(json={"id": str(ADA), "name": "VPN"})
    pingone.get("/users").respond(json={"_embedded": {"users": []}})

    response = viewing.get(f"/o/acme/groups/{ADA}/members.csv")

    assert b"".join(response.streaming_content)
    assert AuditEntry.objects.get(action="group.members-exported").operator == org_admin


def test_viewing_ends_with_the_membership(viewing, auditor, acme):
    Membership.objects.get(operator=auditor, organization=acme).delete()

    assert viewing.get("/o/acme/settings/members/").status_code == 200
    assert viewing.post("/o/acme/settings/policies/roles/", {"of": "auditor", "name": "Copy"}).status_code == 302


def test_only_those_who_manage_members_may_view_as(browser_of, helpdesk, org_admin, auditor, stranger):
    for operator, status in ((helpdesk, 403), (auditor, 403), (stranger, 404)):
        assert start(browser_of(operator), org_admin).status_code == status


def test_member_of_another_organization_cannot_be_viewed_as(admin, acme, globex: Organization, stranger):
    membership = Membership.objects.get(operator=stranger, organization=globex)

    assert admin.post(f"/o/acme/settings/members/{membership.pk}/view-as/").status_code == 404


def test_sign_out_ends_it(viewing, org_admin):
    viewing.post("/accounts/logout/")

    viewing.force_login(org_admin)
    assert viewing.get("/o/acme/settings/members/").status_code == 200
