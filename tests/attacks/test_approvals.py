"""Stories of somebody who wants to do alone what takes two: each has the attack, and what must happen instead."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.utils import timezone

from console.access import enter_org
from console.approvals import requests
from console.approvals.decisions import NotDecided, decide
from console.models import ApprovalRequest, Membership, Operator, Organization, ProtectedMark
from console.policies import changes
from console.policies.matrix import role_of
from tests.support.answers import ADA, ENGINEERS, STAFF
from tests.support.approving import DEACTIVATE, approves, asks, demand, make_long_standing, sends, time_passes
from tests.support.narrowed import PARTNERS, narrow
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.small_environment import SmallEnvironment, browser, call_api

pytestmark = pytest.mark.django_db

State = ApprovalRequest.State
EVA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e22")


@pytest.fixture(autouse=True)
def _standing(acme: Organization, org_admin: Operator, helpdesk: Operator) -> None:
    make_long_standing(org_admin, helpdesk)
    demand(acme, "user.deactivate", "group.add")


def old(operator: Operator) -> Operator:
    make_long_standing(operator)
    return operator


def themself(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    return requester


def second_account_of_the_same_mailbox(
    acme: Organization, requester: Operator, environment: SmallEnvironment
) -> Operator:
    return old(make_operator("Agent+other@ACME.test", acme, "org_admin"))


def account_made_today(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    return make_operator("eve@acme.test", acme, "org_admin")


def account_made_today_of_an_older_version(
    acme: Organization, requester: Operator, environment: SmallEnvironment
) -> Operator:
    eve = make_operator("eve@acme.test", acme, "org_admin")
    Membership.objects.filter(operator=eve).update(since=None)
    return eve


def promoted_today(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    other = old(make_operator("eve@acme.test", acme, "auditor"))
    admin = make_operator("boss@acme.test", acme, "org_admin")
    theirs = Membership.objects.get(operator=other)
    browser(admin).post(f"/o/acme/settings/members/{theirs.pk}/role/", {"role": "org_admin"})
    theirs.refresh_from_db()
    assert theirs.is_org_admin
    return other


def reactivated_today(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    other = old(make_operator("eve@acme.test", acme, "org_admin"))
    theirs = Membership.objects.get(operator=other)
    Membership.objects.filter(pk=theirs.pk).update(suspended_at=timezone.now())
    admin = make_operator("boss@acme.test", acme, "org_admin")
    browser(admin).post(f"/o/acme/settings/members/{theirs.pk}/reactivate/")
    theirs.refresh_from_db()
    assert theirs.suspended_at is None
    return other


def with_a_role_that_got_the_right_today(
    acme: Organization, requester: Operator, environment: SmallEnvironment
) -> Operator:
    other = old(make_operator("eve@acme.test", acme, "auditor"))
    admin = make_operator("boss@acme.test", acme, "org_admin")
    role: Any = role_of(acme, "auditor")
    rights = role.rights
    actions = {**rights.actions, "user.deactivate": frozenset()}
    changes.change(
        enter_org(admin, "acme"),
        "auditor",
        type(rights)(pages=rights.pages, actions=actions, fields=rights.fields),
        seen=rights.stored(),
        source_address="",
    )
    return other


def without_the_right(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    return old(make_operator("auditor@acme.test", acme, "auditor"))


def the_subject(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    return old(make_operator("ada.berg@acme.test", acme, "org_admin"))


def of_other_populations(acme: Organization, requester: Operator, environment: SmallEnvironment) -> Operator:
    return narrow(old(make_operator("narrow@acme.test", acme, "helpdesk_agent")), PARTNERS)


ACCOMPLICES: list[Callable[[Organization, Operator, SmallEnvironment], Operator]] = [
    themself,
    second_account_of_the_same_mailbox,
    account_made_today,
    account_made_today_of_an_older_version,
    promoted_today,
    reactivated_today,
    with_a_role_that_got_the_right_today,
    without_the_right,
    the_subject,
    of_other_populations,
]


@pytest.mark.parametrize("accomplice", ACCOMPLICES, ids=lambda one: one.__name__)
def test_approver_who_is_no_second_person(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment, accomplice: Any
) -> None:
    environment.users[ADA]["email"] = "ada.berg@acme.test"
    request = asks(helpdesk)
    approver = accomplice(acme, helpdesk, environment)

    answer = browser(approver).post(f"/o/acme/approvals/{request.pk}/", {"do": "approve"})
    with pytest.raises(NotDecided):
        approves(approver, request)
    sends(browser(helpdesk))

    assert answer.status_code in {404, 422}
    assert environment.writes == []
    assert ApprovalRequest.objects.get().state == State.OPEN


def test_approver_who_is_good_enough_is_let_through(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    """Otherwise the story above would hold for any reason."""
    request = asks(helpdesk)

    approves(narrow(old(make_operator("other@acme.test", acme, "helpdesk_agent")), STAFF), request)
    sends(browser(helpdesk))

    assert environment.writes == [f"PUT /users/{ADA}/enabled"]


def test_viewing_as_another_member_decides_nothing(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    request = asks(org_admin)
    theirs = Membership.objects.get(operator=helpdesk)

    for operator in (org_admin, old(make_operator("boss@acme.test", acme, "org_admin"))):
        viewing = browser(operator)
        viewing.post(f"/o/acme/settings/members/{theirs.pk}/view-as/")
        viewing.post(f"/o/acme/approvals/{request.pk}/", {"do": "approve"})
        access = enter_org(operator, "acme").seen_as(theirs)
        with pytest.raises(NotDecided):
            decide(access, request, approves=True, reason="", source_address="")

    assert ApprovalRequest.objects.get().state == State.OPEN


def other_target(environment: SmallEnvironment, requester: Operator) -> None:
    other = DEACTIVATE.replace(str(ADA), str(EVA))
    environment.users[EVA] = environment.users[ADA] | {"id": str(EVA)}
    sends(browser(requester), other)


def other_values_shown(environment: SmallEnvironment, requester: Operator) -> None:
    environment.users[ADA]["email"] = "somebody.else@acme.test"
    sends(browser(requester))


def other_population(environment: SmallEnvironment, requester: Operator) -> None:
    environment.users[ADA]["population"] = {"id": str(PARTNERS)}
    sends(browser(requester))


def other_action(environment: SmallEnvironment, requester: Operator) -> None:
    sends(browser(requester), f"/o/acme/users/{ADA}/groups/", add="1", group_ids=[str(ENGINEERS)])


def other_way(environment: SmallEnvironment, requester: Operator) -> None:
    """An approval of the page is none of a request that is something else."""
    call_api(browser(requester), "PUT", f"users/{ADA}/enabled", {"enabled": False})


@pytest.mark.parametrize(
    "attack",
    [other_target, other_values_shown, other_population, other_action, other_way],
    ids=lambda one: one.__name__,
)
def test_approval_is_good_for_nothing_else(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment, attack: Any
) -> None:
    approves(helpdesk, asks(org_admin))

    attack(environment, org_admin)

    assert environment.writes == []
    assert ApprovalRequest.objects.get().state == State.APPROVED


def test_other_inputs_than_approved(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, "user.update")
    path = f"/o/acme/users/{ADA}/actions/user.update/"
    approves(helpdesk, asks(org_admin, path, title="Chief"))

    sends(browser(org_admin), path, title="Chairman")
    assert environment.writes == []
    before = environment.users[ADA]["title"]
    environment.users[ADA]["title"] = "Retired"  # so it is not what was shown
    sends(browser(org_admin), path, title="Chief")
    assert environment.writes == []
    environment.users[ADA]["title"] = before
    sends(browser(org_admin), path, title="Chief")

    assert environment.writes == [f"PATCH /users/{ADA}"]


def test_colleague_does_not_use_it(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    approves(org_admin, asks(helpdesk))

    sends(browser(org_admin))
    sends(browser(old(make_operator("other@acme.test", acme, "helpdesk_agent"))))

    assert environment.writes == []


def loses_the_right(acme: Organization, approver: Operator) -> None:
    Membership.objects.filter(operator=approver).update(role="auditor")


def leaves(acme: Organization, approver: Operator) -> None:
    Membership.objects.filter(operator=approver).delete()


def is_suspended(acme: Organization, approver: Operator) -> None:
    Membership.objects.filter(operator=approver).update(suspended_at=timezone.now())


@pytest.mark.parametrize("event", [loses_the_right, leaves, is_suspended], ids=lambda one: one.__name__)
@pytest.mark.parametrize("whose", ["approver", "requester"])
def test_both_rights_are_checked_when_it_runs(
    acme: Organization, org_admin: Operator, environment: SmallEnvironment, event: Any, whose: str
) -> None:
    requester = old(make_operator("one@acme.test", acme, "org_admin"))
    approver = old(make_operator("two@acme.test", acme, "org_admin"))
    approves(approver, asks(requester))

    event(acme, approver if whose == "approver" else requester)
    sends(browser(requester))

    assert environment.writes == []


def test_other_organization_reaches_no_request(
    acme: Organization, globex: Organization, helpdesk: Operator, stranger: Operator, environment: SmallEnvironment
) -> None:
    old(stranger)
    request = asks(helpdesk)
    spy = browser(stranger)

    for slug in ("acme", "globex"):
        page = f"/o/{slug}/approvals/{request.pk}/"
        assert spy.get(page).status_code == 404
        for do in ("approve", "decline", "withdraw", "break-glass"):
            assert spy.post(page, {"do": do, "reason": "x"}).status_code == 404
    assert "ada.berg" not in spy.get("/o/globex/approvals/").content.decode()
    assert ApprovalRequest.objects.get().state == State.OPEN


def test_narrowed_approver_sees_requests_of_their_populations_only(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    request = asks(org_admin)

    for population, sees in ((STAFF, True), (PARTNERS, False)):
        agent = browser(narrow(helpdesk, population))
        assert ("ada.berg" in agent.get("/o/acme/approvals/").content.decode()) == sees
        assert (agent.get(f"/o/acme/approvals/{request.pk}/").status_code == 200) == sees
        assert ("waits for your approval" in agent.get("/o/acme/").content.decode()) == sees


def test_protected_account_takes_two_org_admins(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    demand(acme, protected=True)
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=org_admin)
    path = f"/o/acme/users/{ADA}/actions/user.unlock/"
    environment.users[ADA]["account"] = {"canAuthenticate": False, "status": "LOCKED"}

    sends(browser(org_admin), path, reason="Locked out")
    assert environment.writes == []
    request = asks(org_admin, path, reason="Locked out")
    with pytest.raises(NotDecided, match="Only org admins"):
        approves(helpdesk, request)
    approves(old(make_operator("second@acme.test", acme, "org_admin")), request)
    sends(browser(org_admin), path, reason="Locked out")

    assert environment.writes == [f"POST /users/{ADA}"]


def test_glass_is_broken_only_where_nobody_is_left(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    request = asks(helpdesk)
    page = f"/o/acme/approvals/{request.pk}/"
    agent = browser(helpdesk)

    agent.post(page, {"do": "break-glass"})
    request.refresh_from_db()
    assert request.opens_at is None
    Membership.objects.filter(operator=org_admin).update(since=timezone.now())  # nobody is able now
    agent.post(page, {"do": "break-glass"})
    sends(agent)
    assert environment.writes == []
    time_passes(timedelta(hours=24))
    sends(agent)

    assert environment.writes == [f"PUT /users/{ADA}/enabled"]


def test_any_org_admin_stops_broken_glass(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    Membership.objects.filter(operator=org_admin).update(since=timezone.now())
    request = asks(helpdesk)
    page = f"/o/acme/approvals/{request.pk}/"
    browser(helpdesk).post(page, {"do": "break-glass"})
    assert "admin@acme.test" in {mail.to[0] for mail in sent_emails()}

    browser(org_admin).post(page, {"do": "decline", "reason": "No"})
    time_passes(timedelta(hours=24))
    sends(browser(helpdesk))

    assert environment.writes == []


def test_two_tabs_use_an_approval_once(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    """The other tab is quicker, after this one has found the approval."""
    approves(org_admin, asks(helpdesk))
    find = requests.find

    def found_late(*args: Any) -> Any:
        found = find(*args)
        if found:
            requests.use(found)
        return found

    with patch.object(requests, "find", found_late):
        sends(browser(helpdesk))

    assert environment.writes == []
