"""Stories of the desk about policies: each must fail, and each was seen to succeed without the guard against it.

A story returns whether the attack worked. The test runs it with the guards, and then with those of the story removed.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions import demands
from console.actions.catalogue import BY_KEY
from console.actions.outcome import Refused
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.call_api.api_call import ApiCall, perform_call
from console.models import AuditEntry, Membership, Operator, Organization, Role
from console.models.tickets import ticket_policy
from console.operators import members
from console.perform import guards, several, undo, user_operation
from console.policies import lock_down
from console.policies.matrix import RoleOnPage
from console.rights import viewing
from console.rights.permissions import Permission
from console.rights.roles import Rights
from console.sessions.fresh import DEMANDED
from pingone_integration.calls.any_endpoint import Endpoint
from pingone_integration.errors import NotConnected
from tests.support.answers import ADA, ENGINEERS
from tests.support.performing import on_record, run
from tests.support.rights import give, rights_form
from tests.support.sessions import signed_in_long_ago
from tests.support.small_environment import browser

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Desk:
    """The people of the stories: an agent, an org admin and an auditor of Acme."""

    agent: Operator
    admin: Operator
    auditor: Operator
    acme: Organization

    def access(self, operator: Operator | None = None) -> OrgAccess:
        return enter_org(operator or self.agent, "acme")

    def allow(self, *keys: str, demanding: frozenset[str] = NOTHING, **more: Any) -> None:
        """Let the agent do only this."""
        give(self.agent, Rights(actions=dict.fromkeys(keys, demanding), **more))

    def locks_down(self) -> None:
        Organization.objects.filter(pk=self.acme.pk).update(locked_down_at=timezone.now(), lock_down_reason="Attack")

    def browser(self, operator: Operator | None = None) -> Client:
        client = Client()
        client.force_login(operator or self.agent)
        return client

    def membership(self, operator: Operator) -> Membership:
        return Membership.objects.select_related("organization", "custom_role").get(
            operator=operator, organization=self.acme
        )


def reached_pingone(key: str) -> bool:
    """Return whether the action got as far as PingOne, which cannot be reached in these stories."""
    return AuditEntry.objects.filter(action=key, outcome="failed").exists()


def post(desk: Desk, key: str, **data: str) -> None:
    desk.browser().post(f"/o/acme/users/{ADA}/actions/{key}/", {"submission": str(uuid4())} | data)


# The stories


def deactivates_by_url(desk: Desk) -> bool:
    desk.allow("user.unlock")
    post(desk, "user.deactivate")
    return reached_pingone("user.deactivate")


def joins_with_the_right_to_remove(desk: Desk) -> bool:
    """Both actions belong to one permission."""
    desk.allow("group.remove")
    desk.browser().post(
        f"/o/acme/users/{ADA}/actions/group.add/", {"submission": str(uuid4()), "group_id": str(ENGINEERS)}
    )
    return reached_pingone("group.add")


def undoes_into_a_group(desk: Desk) -> bool:
    """The agent may remove, and Undo of it adds."""
    desk.allow("group.remove")
    entry = on_record(
        desk.access(),
        "group.remove",
        "succeeded",
        before={"direct_member": True, "group": "VPN"},
        after={"direct_member": False, "group": "VPN"},
        inputs={"group_id": str(ENGINEERS)},
    )
    desk.browser().post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    return reached_pingone("group.add")


def runs_the_command(desk: Desk) -> bool:
    desk.allow("user.unlock")
    try:
        call_command("pingone", "acme", "user.deactivate", "--user", str(ADA), "--as", desk.agent.email)
    except CommandError:
        return reached_pingone("user.deactivate")
    return True


def goes_on_after_the_right_is_gone(desk: Desk) -> bool:
    """Of several actions, the second comes after the org admin took the right away."""
    desk.allow("user.deactivate", "sessions.end-all")
    access, steps = desk.access(), [Step(action=BY_KEY[key]) for key in ("user.deactivate", "sessions.end-all")]
    tried = user_operation.perform

    def then_taken_away(*args: Any) -> Any:
        tried(*args)
        desk.allow("user.deactivate")
        return Refused(reason="Refused for another reason", entry=None)  # the silence of PingOne ends all at once

    with pytest.MonkeyPatch.context() as patch, suppress(PermissionDenied):
        patch.setattr(several, "perform", then_taken_away)
        several.perform_each(access, ADA, steps, Circumstances())
    return reached_pingone("sessions.end-all")


def redirects_the_recovery_code(desk: Desk) -> bool:
    """The agent changes the email address, to which the code then goes."""
    desk.allow("user.update", fields=frozenset({"title"}))
    run(desk.access(), "user.update", inputs={"changes": {"email": "eve@evil.test"}, "seen": {}, "seen_at": None})
    return reached_pingone("user.update")


def redirects_the_recovery_code_by_pingones_name(desk: Desk) -> bool:
    """What is no field of ours counts as a custom attribute, and PingOne's own name for the phone is none of ours."""
    desk.allow("user.update", fields=frozenset({"custom"}))
    run(desk.access(), "user.update", inputs={"changes": {"primaryPhone": "+1 555 0100"}, "seen": {}, "seen_at": None})
    return reached_pingone("user.update")


def redirects_the_recovery_code_by_call_api(desk: Desk) -> bool:
    """The agent may call the API, and edit titles. Each of these requests changes more than a title."""
    desk.allow("api.call", fields=frozenset({"title", "given_name", "custom"}))
    for method, body in (
        ("PATCH", '{"title": "x", "Email": "eve@evil.test"}'),
        ("PATCH", '{"mobilePhone": null}'),
        ("PATCH", '{"name": {"family": "Eve"}}'),
        ("PUT", '{"title": "x"}'),
    ):
        _call(desk, method, body)
    return reached_pingone("api.call")


def _call(desk: Desk, method: str, body: str) -> None:
    call = ApiCall(method=method, endpoint=Endpoint(path=f"/users/{ADA}"), media_type="application/json", body=body)
    perform_call(desk.access(), call, Circumstances(reason="Quick fix"))


def test_field_of_ones_role_may_be_written_by_call_api(desk):
    desk.allow("api.call", fields=frozenset({"title", "custom"}))

    _call(desk, "PATCH", '{"title": "x", "costCenter": "7"}')

    assert reached_pingone("api.call")


def undoes_a_new_address(desk: Desk) -> bool:
    """The user has a new address; Undo of its change gives the lost one back to whoever reads it."""
    desk.allow("user.update", fields=frozenset({"title"}))
    entry = on_record(
        desk.access(),
        "user.update",
        "succeeded",
        before={"email": "old@evil.test"},
        after={"email": "ada@acme.test"},
        inputs={"changes": {"email": "ada@acme.test"}},
    )
    undo.undo(desk.access(), entry, Circumstances())
    return reached_pingone("user.update")


def creates_with_a_forbidden_field(desk: Desk) -> bool:
    desk.allow("user.create", fields=frozenset({"title"}))
    profile = {"username": "eve", "external_id": "admin-1"}
    run(desk.access(), "user.create", None, inputs={"profile": profile, "population_id": None})
    return reached_pingone("user.create")


def gives_no_reason(desk: Desk) -> bool:
    desk.allow("password.set-temporary", demanding=frozenset({"reason"}))
    run(desk.access(), "password.set-temporary", reason="   ")
    return reached_pingone("password.set-temporary")


def lets_undo_make_up_the_reason(desk: Desk) -> bool:
    desk.allow("user.activate", demanding=frozenset({"reason"}))
    entry = on_record(desk.access(), "user.deactivate", "succeeded", before={"enabled": True}, after={"enabled": False})
    desk.browser().post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    return reached_pingone("user.activate")


def uses_a_session_left_open(desk: Desk) -> bool:
    desk.allow("user.unlock", demanding=frozenset({"fresh sign-in"}))
    run(desk.access(), "user.unlock", signed_in_at=timezone.now() - timedelta(hours=1))
    return reached_pingone("user.unlock")


def has_no_ticket(desk: Desk) -> bool:
    desk.allow("user.unlock", demanding=frozenset({"ticket"}))
    run(desk.access(), "user.unlock")
    return reached_pingone("user.unlock")


def activates_by_undo_in_a_lock_down(desk: Desk) -> bool:
    desk.allow("user.activate", "user.deactivate")
    entry = on_record(desk.access(), "user.deactivate", "succeeded", before={"enabled": True}, after={"enabled": False})
    desk.locks_down()
    desk.browser().post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    return reached_pingone("user.activate")


def joins_groups_in_a_lock_down(desk: Desk) -> bool:
    desk.allow("group.add")
    desk.locks_down()
    steps = [Step(action=BY_KEY["group.add"], inputs={"group_id": group}) for group in (ADA, ENGINEERS)]
    several.perform_each(desk.access(), ADA, steps, Circumstances())
    return reached_pingone("group.add")


def writes_to_pingone_in_a_lock_down(desk: Desk) -> bool:
    desk.locks_down()
    endpoint = Endpoint(path=f"users/{ADA}/memberOfGroups", query=())
    call = ApiCall(method="POST", endpoint=endpoint, media_type="application/json", body="{}")
    perform_call(desk.access(desk.admin), call, Circumstances(reason="Quick fix"))
    return reached_pingone("api.call")


def ends_the_lock_down_with_a_stolen_session(desk: Desk) -> bool:
    desk.locks_down()
    stolen = signed_in_long_ago(desk.browser(desk.admin))
    stolen.post("/o/acme/settings/policies/lock-down/", {"on": "0", "reason": "Over"})
    desk.acme.refresh_from_db()
    return not desk.acme.is_locked_down


def makes_themselves_org_admin(desk: Desk) -> bool:
    """A member may manage members, and nothing else."""
    desk.allow(pages=frozenset(Rights().pages | {Permission.MANAGE_MEMBERS}))
    own = desk.membership(desk.agent)
    browser(desk.agent, fresh=True).post(f"/o/acme/settings/members/{own.pk}/role/", {"role": "org_admin"})
    return desk.membership(desk.agent).is_org_admin


def throws_the_org_admin_out(desk: Desk) -> bool:
    desk.allow(pages=frozenset(Rights().pages | {Permission.MANAGE_MEMBERS}))
    Membership.objects.filter(operator=desk.auditor).update(role="org_admin")  # so that one is left
    theirs = desk.membership(desk.admin)
    desk.browser().post(f"/o/acme/settings/members/{theirs.pk}/remove/")
    return not Membership.objects.filter(pk=theirs.pk).exists()


def grants_what_they_lack(desk: Desk) -> bool:
    """A member may set policies, and nothing else."""
    pages = frozenset(Rights().pages | {Permission.MANAGE_POLICIES})
    desk.allow(pages=pages)
    more = Rights(pages=pages, actions={"user.delete": NOTHING})
    sent = rights_form(more, seen=Rights(pages=pages)) | {"save": "1"}
    desk.browser().post("/o/acme/settings/policies/roles/of-the-test/", sent)
    return desk.access().rights.may("user.delete")


def drops_their_own_demands(desk: Desk) -> bool:
    pages = frozenset(Rights().pages | {Permission.MANAGE_POLICIES})
    desk.allow("user.unlock", demanding=frozenset({"reason"}), pages=pages)
    before = desk.access().rights
    after = replace(before, actions={"user.unlock": NOTHING})
    desk.browser().post("/o/acme/settings/policies/roles/of-the-test/", rights_form(after, seen=before) | {"save": "1"})
    return not desk.access().rights.demands("user.unlock")


def narrows_the_org_admins(desk: Desk) -> bool:
    full = desk.access(desk.admin).rights
    sent = rights_form(Rights(), seen=full) | {"save": "1"}
    desk.browser(desk.admin).post("/o/acme/settings/policies/roles/org_admin/", sent)
    return desk.access(desk.admin).rights != full


def gains_rights_by_viewing_as(desk: Desk) -> bool:
    desk.allow(pages=frozenset(Rights().pages | {Permission.MANAGE_MEMBERS}))
    client = desk.browser()
    client.post(f"/o/acme/settings/members/{desk.membership(desk.admin).pk}/view-as/")
    return client.get("/o/acme/settings/policies/").status_code == 200


def acts_while_viewing_as(desk: Desk) -> bool:
    client = desk.browser(desk.admin)
    client.post(f"/o/acme/settings/members/{desk.membership(desk.agent).pk}/view-as/")
    client.post(f"/o/acme/users/{ADA}/actions/user.activate/", {"submission": str(uuid4())})
    return reached_pingone("user.activate")


def changes_their_password_while_viewing_as(desk: Desk) -> bool:
    client = desk.browser(desk.admin)
    client.post(f"/o/acme/settings/members/{desk.membership(desk.agent).pk}/view-as/")
    return client.get("/accounts/password/change/").status_code != 403


def borrows_a_role_of_another_organization(desk: Desk) -> bool:
    """An org admin of Acme names the key of a role that another organization made."""
    globex = Organization.objects.exclude(pk=desk.acme.pk).get()
    Role.objects.create(organization=globex, key="theirs", name="Theirs", base="auditor", rights=Rights().stored())
    own = desk.membership(desk.agent)
    try:
        members.change_role(desk.access(desk.admin), own, "theirs", signed_in_at=None, source_address="")
    except Role.DoesNotExist:
        return False
    return True


# The guards


def role_does_not_matter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrgAccess, "may", lambda *_: True)
    patch.setattr(OrgAccess, "permissions", frozenset(Permission))


def access_is_remembered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrgAccess, "again", lambda access: access)


def without(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    def remove(patch: pytest.MonkeyPatch) -> None:
        kept = tuple(guard for guard in guards.BEFORE_READING if guard.__name__ not in names)
        assert len(kept) == len(guards.BEFORE_READING) - len(names)
        patch.setattr(guards, "BEFORE_READING", kept)

    return remove


def role_asks_for_no_ticket(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(demands, "ticket_policy_for", lambda access, key: ticket_policy(access.org, key))


def lock_down_trusts_the_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_down, "DEMANDED", frozenset())
    patch.delitem(DEMANDED, "lock-down")


def anybody_grants_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rights, "covers", lambda *_: True)


def org_admins_are_a_role_like_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RoleOnPage, "may_be_edited", True)
    patch.setattr("console.rights.roles.OVERRIDABLE", tuple(Membership.Role))


def viewing_replaces_the_rights(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rights, "within", lambda _own, other: other)


def viewing_is_not_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(viewing, "is_on", lambda _request: False)
    without("_viewing_as")(patch)


def keys_are_looked_up_everywhere(patch: pytest.MonkeyPatch) -> None:
    found = Role.objects.get
    patch.setattr(Role.objects, "get", lambda key, **_: found(key=key))


STORIES: list[tuple[Callable[[Desk], bool], Callable[[pytest.MonkeyPatch], None]]] = [
    (deactivates_by_url, role_does_not_matter),
    (joins_with_the_right_to_remove, role_does_not_matter),
    (undoes_into_a_group, role_does_not_matter),
    (runs_the_command, role_does_not_matter),
    (goes_on_after_the_right_is_gone, access_is_remembered),
    (redirects_the_recovery_code, without("_fields_of_role")),
    (redirects_the_recovery_code_by_pingones_name, without("_fields_of_role")),
    (redirects_the_recovery_code_by_call_api, without("_fields_of_role")),
    (undoes_a_new_address, without("_fields_of_role")),
    (creates_with_a_forbidden_field, without("_fields_of_role")),
    (gives_no_reason, without("_demands_of_role")),
    (lets_undo_make_up_the_reason, without("_demands_of_role")),
    (uses_a_session_left_open, without("_demands_of_role")),
    (has_no_ticket, role_asks_for_no_ticket),
    (activates_by_undo_in_a_lock_down, without("_lock_down")),
    (joins_groups_in_a_lock_down, without("_lock_down")),
    (writes_to_pingone_in_a_lock_down, without("_lock_down")),
    (ends_the_lock_down_with_a_stolen_session, lock_down_trusts_the_session),
    (makes_themselves_org_admin, anybody_grants_anything),
    (throws_the_org_admin_out, anybody_grants_anything),
    (grants_what_they_lack, anybody_grants_anything),
    (drops_their_own_demands, anybody_grants_anything),
    (narrows_the_org_admins, org_admins_are_a_role_like_others),
    (gains_rights_by_viewing_as, viewing_replaces_the_rights),
    (acts_while_viewing_as, viewing_is_not_noticed),
    (changes_their_password_while_viewing_as, viewing_is_not_noticed),
    (borrows_a_role_of_another_organization, keys_are_looked_up_everywhere),
]


@pytest.fixture
def desk(acme, globex, helpdesk, org_admin, auditor) -> Desk:
    return Desk(agent=helpdesk, admin=org_admin, auditor=auditor, acme=acme)


@pytest.fixture(autouse=True)
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def pingone(*args: Any) -> None:
        raise NotConnected

    monkeypatch.setattr(OrgAccess, "pingone", pingone)


@pytest.mark.parametrize(("story", "without_guard"), STORIES, ids=[story.__name__ for story, _guard in STORIES])
@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "guard-removed"])
def test_attack_works_only_without_its_guard(desk, monkeypatch, story, without_guard, is_guarded):
    if not is_guarded:
        without_guard(monkeypatch)

    assert story(desk) is not is_guarded
