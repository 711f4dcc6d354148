"""Stories of an org admin who sees to it that nobody else is left: the others hear of it all the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.utils import timezone

from console.access import enter_org
from console.models import ApprovalRequest, Membership, Operator, Organization
from console.operators import members
from tests.support.approving import asks, demand, make_long_standing
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.small_environment import SmallEnvironment, browser

pytestmark = pytest.mark.django_db

RULES = "/o/acme/settings/policies/approvals/"


@pytest.fixture
def other(acme: Organization, org_admin: Operator) -> Operator:
    other = make_operator("other@acme.test", acme, "org_admin")
    make_long_standing(org_admin, other)
    return other


def demoted(admin: Operator, membership: Membership) -> None:
    access = enter_org(admin, "acme")
    members.change_role(access, membership, "auditor", signed_in_at=timezone.now(), source_address="")


def suspended(admin: Operator, membership: Membership) -> None:
    members.suspend(enter_org(admin, "acme"), membership, signed_in_at=timezone.now(), source_address="")


def removed(admin: Operator, membership: Membership) -> None:
    members.remove(enter_org(admin, "acme"), membership, source_address="")


WAYS: list[Callable[[Operator, Membership], None]] = [demoted, suspended, removed]


def about_approvals() -> list[EmailMessage]:
    """Return the emails without those about who is an org admin."""
    return [one for one in sent_emails() if "org admin" not in str(one.subject)]


def told(address: str) -> list[str]:
    return [str(one.body) for one in about_approvals() if one.to == [address]]


@pytest.mark.parametrize("gets_rid_of", WAYS, ids=lambda one: one.__name__)
def test_who_was_an_org_admin_lately_hears_of_broken_glass(
    acme: Organization,
    org_admin: Operator,
    other: Operator,
    environment: SmallEnvironment,
    gets_rid_of: Callable[[Operator, Membership], None],
) -> None:
    demand(acme, "user.deactivate")
    gets_rid_of(org_admin, other.memberships.get())
    request = asks(org_admin, reason="They leave")

    browser(org_admin).post(f"/o/acme/approvals/{request.pk}/", {"do": "break-glass"})

    assert ApprovalRequest.objects.get().opens_at
    (body,) = told("other@acme.test")
    assert "admin@acme.test is about to change something" in body
    assert "ada" not in body.replace("admin", "").casefold()  # nothing about a user, nor a link
    assert "://" not in body


@pytest.mark.parametrize("gets_rid_of", WAYS, ids=lambda one: one.__name__)
def test_who_was_an_org_admin_lately_hears_of_weaker_rules(
    acme: Organization, org_admin: Operator, other: Operator, gets_rid_of: Callable[[Operator, Membership], None]
) -> None:
    demand(acme, "user.deactivate")
    gets_rid_of(org_admin, other.memberships.get())

    browser(org_admin).post(RULES, {"hours": "24"})

    assert len(told("other@acme.test")) == 1


def test_nobody_else_hears_of_it(acme: Organization, org_admin: Operator, other: Operator, helpdesk: Operator) -> None:
    """Neither who was never one, nor who was one long ago, nor who is one again."""
    demand(acme, "user.deactivate")
    long_ago = make_operator("long-ago@acme.test", acme, "org_admin")
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        removed(org_admin, long_ago.memberships.get())
    removed(org_admin, helpdesk.memberships.get())
    demoted(org_admin, other.memberships.get())
    members.change_role(
        enter_org(org_admin, "acme"),
        other.memberships.get(),
        "org_admin",
        signed_in_at=timezone.now(),
        source_address="",
    )

    browser(org_admin).post(RULES, {"hours": "24"})

    assert sorted(one.to[0] for one in about_approvals()) == ["admin@acme.test", "other@acme.test"]
    assert "several" not in told("other@acme.test")[0]
    assert RULES in told("other@acme.test")[0]
