"""Attacks on and by members: each must fail, and each was seen to succeed with its guard taken out.

A story returns whether the attack worked. The test runs it with the guard, and then without.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client, override_settings
from django.utils import timezone

from console import access
from console.models import FactorReset, Invitation, Membership, Operator, Organization
from console.models.invitations import InvitationQuerySet
from console.operators import invitations, lost_factor, members, org_admin_mail, way_in
from console.rights.permissions import Permission
from console.rights.roles import Rights
from tests.support.answers import ADA, STAFF
from tests.support.outbox import sent_emails
from tests.support.people import invite, make_operator
from tests.support.record import happened
from tests.support.rights import give
from tests.support.small_environment import SmallEnvironment, browser, call_api, command, send

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
NEW = {"name": "Eve", "password1": "a long new password", "password2": "a long new password"}
Story = Callable[["Desk"], bool]


class Desk:
    def __init__(self, acme: Organization, globex: Organization, admin: Operator, agent: Operator) -> None:
        self.acme, self.globex, self.admin, self.agent = acme, globex, admin, agent
        self.theirs = Membership.objects.get(operator=agent)

    def post(self, step: str, by: Operator | None = None, *, fresh: bool = True) -> None:
        """Press a button on the agent's page as an org admin."""
        browser(by or self.admin, fresh=fresh).post(f"/o/acme/settings/members/{self.theirs.pk}/{step}/")


def accepts_what_was_withdrawn(desk: Desk) -> bool:
    link = invite("eve@mail.test", to=desk.acme)
    invitations.withdraw(access.enter_org(desk.admin, "acme"), desk.acme.invitations.get(), source_address="")
    Client().post(link, NEW)
    return Operator.objects.filter(email="eve@mail.test").exists()


def accepts_too_late(desk: Desk) -> bool:
    link = invite("eve@mail.test", to=desk.acme)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Client().post(link, NEW)
    return Operator.objects.filter(email="eve@mail.test").exists()


def comes_back_by_the_used_link(desk: Desk) -> bool:
    link = invite("eve@mail.test", to=desk.acme)
    Client().post(link, NEW)
    eve = Operator.objects.get(email="eve@mail.test")
    eve.memberships.all().delete()  # removed
    browser(eve).post(link)
    return desk.acme.memberships.filter(operator=eve).exists()


def accepts_under_another_name(desk: Desk) -> bool:
    """A link that was passed on: the org admin invited Ann, and Eve comes in."""
    link = invite("ann@mail.test", to=desk.acme)
    make_operator("ann@mail.test")
    eve = make_operator("eve@mail.test")
    browser(eve).post(link)
    return desk.acme.memberships.filter(operator=eve).exists()


def comes_back_by_an_accomplice(desk: Desk) -> bool:
    """An org admin who is removed has invited somebody before."""
    boss = make_operator("boss@acme.test", desk.acme, "org_admin")
    link = invite("eve@mail.test", "org_admin", to=desk.acme)
    Invitation.objects.update(invited_by=boss)
    boss.memberships.all().delete()
    Client().post(link, NEW)
    return Operator.objects.filter(email="eve@mail.test").exists()


def signs_in_after_the_last_membership(desk: Desk) -> bool:
    desk.theirs.delete()
    client = Client()
    client.post("/accounts/login/", {"login": desk.agent.email, "password": PASSWORD})
    return "_auth_user_id" in client.session


def suspends_with_a_stolen_session(desk: Desk) -> bool:
    desk.post("suspend", fresh=False)
    return Membership.objects.filter(pk=desk.theirs.pk).exclude(suspended_at=None).exists()


def signs_somebody_out_of_another_organization(desk: Desk) -> bool:
    Membership.objects.create(organization=desk.globex, operator=desk.agent, role="auditor")
    client = Client()
    client.post("/accounts/login/", {"login": desk.agent.email, "password": PASSWORD})
    desk.post("end-sessions")
    return client.get("/o/globex/").status_code != 200


def leaves_no_org_admin(desk: Desk) -> bool:
    own = Membership.objects.get(operator=desk.admin)
    browser(desk.admin, fresh=True).post(f"/o/acme/settings/members/{own.pk}/suspend/")
    return not desk.acme.org_admins().exists()


def suspends_a_stronger_one(desk: Desk) -> bool:
    """Whoever manages members and nothing else suspends an org admin."""
    give(desk.agent, Rights(pages=Rights().pages | {Permission.MANAGE_MEMBERS}))
    make_operator("second@acme.test", desk.acme, "org_admin")
    own = Membership.objects.get(operator=desk.admin)
    browser(desk.agent, fresh=True).post(f"/o/acme/settings/members/{own.pk}/suspend/")
    return Membership.objects.exclude(suspended_at=None).exists()


def pushes_the_other_org_admins_out_unnoticed(desk: Desk) -> bool:
    """From then on, what org admins are told of reaches the attacker alone."""
    desk.agent.memberships.update(role="org_admin")
    desk.post("suspend")
    told = {to for one in sent_emails() for to in one.to}
    return Membership.objects.exclude(suspended_at=None).exists() and desk.agent.email not in told


def removes_the_factor_of_the_next_org_admin(desk: Desk) -> bool:
    """Whoever took over an org admin's account cannot wait for a day: their victim hears of it and stops it."""
    TOTP.activate(desk.agent, "JBSWY3DPEHPK3PXP")
    desk.post("reset-second-factor")
    lost_factor.remove_due()
    return not Authenticator.objects.exists()


def removes_a_factor_after_being_suspended(desk: Desk) -> bool:
    TOTP.activate(desk.agent, "JBSWY3DPEHPK3PXP")
    desk.post("reset-second-factor")
    desk.admin.memberships.update(suspended_at=timezone.now())
    FactorReset.objects.update(due_at=timezone.now())
    lost_factor.remove_due()
    return not Authenticator.objects.exists()


def works_with_a_password_alone(desk: Desk) -> bool:
    with override_settings(SECOND_FACTOR_DEMANDED=True):
        return browser(desk.agent).get("/o/acme/").status_code == 200


def _at_once(reset: FactorReset, _token: str) -> None:
    FactorReset.objects.filter(pk=reset.pk).update(due_at=timezone.now())


def _valid_without(**left_out: Any) -> Callable[..., Any]:
    """Return `valid` of the invitations without one of its conditions."""

    def valid(self: Any) -> Any:
        conditions = {"accepted_at": None, "withdrawn_at": None, "expires_at__gt": timezone.now()}
        return self.filter(**{name: value for name, value in conditions.items() if name not in left_out})

    return valid


def _no_check(*_arguments: Any, **_named: Any) -> None:
    return None


STORIES: list[tuple[Story, Any, str, Any]] = [
    (accepts_what_was_withdrawn, InvitationQuerySet, "valid", _valid_without(withdrawn_at=0)),
    (accepts_too_late, InvitationQuerySet, "valid", _valid_without(expires_at__gt=0)),
    (comes_back_by_the_used_link, InvitationQuerySet, "valid", _valid_without(accepted_at=0)),
    (accepts_under_another_name, invitations, "is_for", lambda _invitation, _operator: True),
    (comes_back_by_an_accomplice, invitations, "_grant_of", lambda one: {"role": one.role, "custom_role": None}),
    (signs_in_after_the_last_membership, way_in, "has_way_in", lambda _operator: True),
    (suspends_with_a_stolen_session, members, "check_fresh", _no_check),
    (signs_somebody_out_of_another_organization, members, "check_account_is_theirs", _no_check),
    (leaves_no_org_admin, members, "keep_an_org_admin", _no_check),
    (pushes_the_other_org_admins_out_unnoticed, org_admin_mail, "tell", _no_check),
    (removes_the_factor_of_the_next_org_admin, lost_factor, "_tell", _at_once),
    (removes_a_factor_after_being_suspended, lost_factor, "_is_still_allowed", lambda _reset: True),
    (works_with_a_password_alone, access.OrgAccess, "lacks_second_factor", False),
    (suspends_a_stronger_one, members, "_check_covered", _no_check),
]


@pytest.mark.parametrize(
    ("story", "place", "guard", "without"), STORIES, ids=[story.__name__ for story, *_guard in STORIES]
)
@pytest.mark.parametrize("guarded", [True, False], ids=["fails", "succeeds without its guard"])
def test_attack(
    acme: Organization,
    globex: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    monkeypatch: pytest.MonkeyPatch,
    story: Story,
    place: Any,
    guard: str,
    without: Any,
    guarded: bool,
) -> None:
    if not guarded:
        monkeypatch.setattr(place, guard, without)
        if guard == "check_fresh":  # the door of the page asks as well
            monkeypatch.setattr(access, "demanded_first", lambda _request: "")

    assert story(Desk(acme, globex, org_admin, helpdesk)) is not guarded


def _undo(operator: Operator, client: Client) -> None:
    """Undo what a colleague did."""
    organization = operator.organizations.get()
    other = make_operator("colleague@acme.test", organization, "org_admin")
    state: dict[str, Any] = {"before": {"enabled": False}, "after": {"enabled": True}}
    entry = happened(organization, other, action="user.activate", population_id=STAFF, **state)
    client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4()), "reason": "Left"})


WAYS: dict[str, Callable[[Operator, Client], object]] = {
    "page": lambda _operator, client: send(client, "user.deactivate", reason="Left"),
    "fragment": lambda _operator, client: send(client, "user.deactivate", htmx=True, reason="Left"),
    "undo": _undo,
    "call api": lambda _operator, client: call_api(client, "PUT", f"users/{ADA}/enabled", {"enabled": False}),
    "command": lambda operator, _client: command(operator, "user.deactivate", "--user", str(ADA), "--reason", "Left"),
}


@pytest.mark.parametrize("is_suspended", [False, True], ids=["works before", "is out when suspended"])
@pytest.mark.parametrize("way", WAYS)
def test_suspended_member_acts_by_no_way_in(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment, way: str, is_suspended: bool
) -> None:
    client = browser(helpdesk, fresh=True)
    assert client.get("/o/acme/").status_code == 200
    if is_suspended:
        helpdesk.memberships.update(suspended_at=timezone.now())

    WAYS[way](helpdesk, client)

    assert bool(environment.writes) is not is_suspended
