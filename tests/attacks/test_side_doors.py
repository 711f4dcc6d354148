"""Stories of a right that is used to get another one: each must fail, and each was seen to succeed without its guard.

A story returns whether the attack worked. The test runs it with the guard, and then without.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.limits.rules import LIMITS
from console.models import LimitPolicy, Membership, Operator, Organization, ProtectedMark
from console.policies.matrix import LABELS
from console.rights.permissions import Permission
from console.rights.roles import Rights
from console.sessions import fresh
from pingone_integration.calls import any_endpoint
from tests.support.answers import ADA
from tests.support.rights import give
from tests.support.small_environment import SmallEnvironment, browser, call_api, press

UNLOCK_AT = timezone.now() + timedelta(days=300)


@dataclass(frozen=True)
class Desk:
    agent: Operator
    admin: Operator
    acme: Organization
    environment: SmallEnvironment

    def mark_ada(self) -> None:
        ProtectedMark.objects.create(
            organization=self.acme, kind="user", target_id=ADA, reason="Chair", marked_by=self.admin
        )


def makes_an_accomplice_org_admin(desk: Desk) -> bool:
    """The stolen session of an org admin is not fresh. A new org admin of the thief's would sign in afresh."""
    sent = {"email": "eve@mail.test", "name": "Eve", "role": "org_admin"}
    browser(desk.admin, fresh=False).post("/o/acme/settings/members/", sent)
    return desk.acme.invitations.filter(email="eve@mail.test").exists()


def makes_an_agent_org_admin(desk: Desk) -> bool:
    theirs = Membership.objects.get(operator=desk.agent)
    browser(desk.admin, fresh=False).post(f"/o/acme/settings/members/{theirs.pk}/role/", {"role": "org_admin"})
    theirs.refresh_from_db()
    return theirs.is_org_admin


def raises_the_limits_before_they_are_reached(desk: Desk) -> bool:
    browser(desk.admin, fresh=False).post(
        "/o/acme/settings/policies/limits/", {limit.key: "100000" for limit in LIMITS}
    )
    return LimitPolicy.objects.exists()


def trusts_a_new_address_sooner(desk: Desk) -> bool:
    unchanged = {f"{key}-requirement": "optional" for key in LABELS}
    browser(desk.admin, fresh=False).post("/o/acme/settings/policies/tickets/", unchanged | {"cooling_off_hours": "1"})
    desk.acme.refresh_from_db()
    return desk.acme.cooling_off_hours == 1


def removes_a_mark_as_manager_of_members(desk: Desk) -> bool:
    """A role may manage members and nothing else. Marks are the org admins'."""
    desk.mark_ada()
    give(desk.agent, Rights(pages=Rights().pages | {Permission.MANAGE_MEMBERS}))
    browser(desk.agent, fresh=True).post(f"/o/acme/users/{ADA}/protection/", {"reason": "Not needed"})
    return not ProtectedMark.objects.exists()


def unlocks_with_the_right_to_lock(desk: Desk) -> bool:
    """A shorter lock replaces the longer one: in two minutes, the account is open."""
    return _locks(desk, {"status": "LOCKED", "unlockAt": f"{UNLOCK_AT:%Y-%m-%dT%H:%M:%SZ}"})


def unlocks_for_good_with_the_right_to_lock(desk: Desk) -> bool:
    """Without a time, only an administrator could unlock the account."""
    return _locks(desk, {"status": "LOCKED"})


def _locks(desk: Desk, account: dict[str, Any]) -> bool:
    desk.environment.users[ADA] |= {"account": account}
    press(browser(desk.agent), "user.lock", until=f"{timezone.now() + timedelta(minutes=2):%Y-%m-%dT%H:%M}")
    return bool(desk.environment.writes)


def redirects_the_code_by_an_odd_id(desk: Desk) -> bool:
    """The ID without hyphens: PingOne may take it, while the record and the cooling-off go by the usual spelling."""
    call_api(browser(desk.admin, fresh=True), "PATCH", f"users/{ADA.hex}", {"email": "thief@mail.test"})
    press(browser(desk.agent), "password.send-recovery-code")
    return desk.environment.writes == [f"PATCH /users/{ADA.hex}", f"POST /users/{ADA}/password"]


# The guards


def sessions_stay_fresh(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fresh, "FRESH_FOR", timedelta(days=1))


def rights_make_an_org_admin(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrgAccess, "require_org_admin", lambda _: None)


def locks_replace_each_other(patch: pytest.MonkeyPatch) -> None:
    careless = replace(BY_KEY["user.lock"], obstacle=lambda *_: "")
    patch.setitem(BY_KEY, "user.lock", careless)


def ids_may_be_odd(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(any_endpoint, "_is_odd_id", lambda _: False)


STORIES: list[tuple[Callable[[Desk], bool], Callable[[pytest.MonkeyPatch], None]]] = [
    (makes_an_accomplice_org_admin, sessions_stay_fresh),
    (makes_an_agent_org_admin, sessions_stay_fresh),
    (raises_the_limits_before_they_are_reached, sessions_stay_fresh),
    (trusts_a_new_address_sooner, sessions_stay_fresh),
    (removes_a_mark_as_manager_of_members, rights_make_an_org_admin),
    (unlocks_with_the_right_to_lock, locks_replace_each_other),
    (unlocks_for_good_with_the_right_to_lock, locks_replace_each_other),
    (redirects_the_code_by_an_odd_id, ids_may_be_odd),
]


@pytest.fixture
def desk(acme, helpdesk, org_admin, environment) -> Desk:
    return Desk(agent=helpdesk, admin=org_admin, acme=acme, environment=environment)


@pytest.mark.parametrize(("story", "without_guard"), STORIES, ids=[story.__name__ for story, _guard in STORIES])
@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "guard-removed"])
def test_attack_works_only_without_its_guard(desk, monkeypatch, story, without_guard, is_guarded):
    if not is_guarded:
        without_guard(monkeypatch)

    assert story(desk) is not is_guarded
