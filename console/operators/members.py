"""The members of an organization: changing, suspending and removing them, each in the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.access import OrgAccess, Permission
from console.actions import demands
from console.actions.demands import Demand
from console.audit import entries
from console.models import AuditEntry, Membership, Operator, Organization, Role
from console.operators import org_admin_mail, sessions
from console.rights.roles import Rights, built_in, rights_of


class LastOrgAdmin(Exception):
    """The only org admin: without them, no one could manage the organization."""


class SeesAll(Exception):
    """An org admin, who sees the users of all populations: somebody has to know and decide about everything."""


class NotFresh(Exception):
    """The operator signed in too long ago: an open session is not enough for this."""


class InOtherOrganizations(Exception):
    """The account belongs to another organization as well: only whoever runs the server changes it for all of them."""


class BeyondOwnRights(Exception):
    """A role that has more rights than the operator: nobody grants what they lack, and nobody takes it from others."""


def change_role(
    access: OrgAccess, membership: Membership, role: str, *, signed_in_at: datetime | None, source_address: str
) -> None:
    """Change the member's role, by key. Raises LastOrgAdmin, BeyondOwnRights, NotFresh, Role.DoesNotExist."""
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        membership = locked(access, membership)
        if role == membership.role_key:
            return
        before: dict[str, object] = {"role": membership.role_key}
        was_org_admin, kept = membership.is_org_admin, role_columns(access, role)
        check_fresh_for(role, signed_in_at)
        membership.role, membership.custom_role = kept["role"], kept["custom_role"]
        membership.since = timezone.now()
        membership.is_by_groups = False  # from now on it is by hand: single sign-on leaves it as it is
        membership.save(update_fields=["role", "custom_role", "is_by_groups", "since"])
        keep_an_org_admin(access.org)
        record(
            access, "membership.role-changed", membership.operator, source_address, before=before, after={"role": role}
        )
        if membership.is_org_admin or was_org_admin:
            _tell(access, membership, "membership.role-changed", is_now=membership.is_org_admin)


def narrow(
    access: OrgAccess,
    membership: Membership,
    populations: frozenset[UUID] | None,
    names: Mapping[str, str],
    *,
    source_address: str,
) -> None:
    """Let the member see the users of these populations only, or of all (None), from the next request on.

    `names` are those of the populations by ID, for the record. Raises SeesAll.
    """
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        membership = locked(access, membership)
        if membership.role == Membership.Role.ORG_ADMIN:
            raise SeesAll
        before, after = membership.populations, None if populations is None else sorted(map(str, populations))
        if before == after:
            return
        membership.populations, membership.since = after, timezone.now()
        membership.save(update_fields=["populations", "since"])
        record(
            access,
            "membership.populations-changed",
            membership.operator,
            source_address,
            before={"populations": _on_record(before, names)},
            after={"populations": _on_record(after, names)},
        )


def _on_record(populations: list[str] | None, names: Mapping[str, str]) -> object:
    if populations is None:
        return "all, also future ones"  # stored
    return [{"id": one, "name": names.get(one, one)} for one in populations]


def remove(access: OrgAccess, membership: Membership, *, source_address: str) -> None:
    """Remove the member, who loses access with the next request. Raises LastOrgAdmin, BeyondOwnRights."""
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        membership = locked(access, membership)
        membership.delete()
        keep_an_org_admin(access.org)
        sessions.end_if_nowhere_to_go(membership.operator)
        record(access, "membership.removed", membership.operator, source_address, before={"role": membership.role_key})
        if membership.is_org_admin:
            _tell(access, membership, "membership.removed", is_now=False)


def suspend(access: OrgAccess, membership: Membership, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Close the organization to the member from their next request on, also to their jobs and commands.

    Their role and populations are kept. Raises LastOrgAdmin, BeyondOwnRights, NotFresh.
    """
    access.require(Permission.MANAGE_MEMBERS)
    check_fresh(signed_in_at)
    with transaction.atomic():
        membership = locked(access, membership)
        if membership.suspended_at:
            return
        membership.suspended_at = timezone.now()
        membership.save(update_fields=["suspended_at"])
        keep_an_org_admin(access.org)
        sessions.end_if_nowhere_to_go(membership.operator)
        record(access, "membership.suspended", membership.operator, source_address)
        if membership.is_org_admin:
            _tell(access, membership, "membership.suspended", is_now=False)


def reactivate(
    access: OrgAccess, membership: Membership, *, signed_in_at: datetime | None, source_address: str
) -> None:
    """Let a suspended member in again, with the role they had. Raises BeyondOwnRights, NotFresh."""
    access.require(Permission.MANAGE_MEMBERS)
    check_fresh(signed_in_at)
    with transaction.atomic():
        membership = locked(access, membership)
        if not membership.suspended_at:
            return
        membership.suspended_at, membership.since = None, timezone.now()
        membership.save(update_fields=["suspended_at", "since"])
        record(access, "membership.reactivated", membership.operator, source_address)
        if membership.is_org_admin:
            _tell(access, membership, "membership.reactivated", is_now=True)


def end_sessions(
    access: OrgAccess, membership: Membership, *, signed_in_at: datetime | None, source_address: str
) -> int:
    """Sign the member out everywhere. Return how many sessions ended.

    Raises InOtherOrganizations, BeyondOwnRights, NotFresh.
    """
    access.require(Permission.MANAGE_MEMBERS)
    check_fresh(signed_in_at)
    with transaction.atomic():
        membership = locked(access, membership)
        check_account_is_theirs(access, membership)
        count = sessions.end_all(membership.operator)
        record(access, "membership.sessions-ended", membership.operator, source_address, inputs={"sessions": count})
    return count


def check_account_is_theirs(access: OrgAccess, membership: Membership) -> None:
    """Raise InOtherOrganizations if a change of the account would reach beyond this organization.

    Locks the account: it joins no other organization until the transaction ends.
    """
    Operator.objects.select_for_update().get(pk=membership.operator_id)
    if Membership.objects.filter(operator=membership.operator).exclude(organization=access.org).exists():
        raise InOtherOrganizations


def check_fresh(signed_in_at: datetime | None) -> None:
    if demands.unmet({Demand.FRESH_SIGN_IN}, reason="", signed_in_at=signed_in_at):
        raise NotFresh


def locked(access: OrgAccess, membership: Membership) -> Membership:
    """Lock the organization's row and return the membership, so that two org admins cannot both demote each other."""
    Organization.objects.select_for_update().get(pk=access.org.pk)
    members = Membership.objects.select_related("operator", "organization", "custom_role")
    found = members.get(organization=access.org, pk=membership.pk)
    _check_covered(access, rights_of(found))
    return found


def role_columns(access: OrgAccess, key: str) -> dict[str, Any]:
    """Return a role as a membership keeps it."""
    if key in Membership.Role.values:
        _check_covered(access, built_in(key, access.org.role_overrides))
        return {"role": key, "custom_role": None}
    role = Role.objects.get(organization=access.org, key=key)
    _check_covered(access, Rights.read(role.rights))
    return {"role": role.base, "custom_role": role}


def check_fresh_for(role: str, signed_in_at: datetime | None) -> None:
    """Raise NotFresh if a role may confirm what needs a fresh sign-in, and is given without one."""
    if role == Membership.Role.ORG_ADMIN:
        check_fresh(signed_in_at)


def _check_covered(access: OrgAccess, rights: Rights) -> None:
    if not access.rights.covers(rights):
        raise BeyondOwnRights


def keep_an_org_admin(organization: Organization) -> None:
    """Raise LastOrgAdmin without one: call it after a change, in its transaction."""
    if not organization.org_admins().exists():
        raise LastOrgAdmin


def _tell(access: OrgAccess, membership: Membership, event: str, *, is_now: bool) -> None:
    org_admin_mail.tell(access.org, membership.operator, event, by=access.operator.email, is_now=is_now)


def record(
    access: OrgAccess,
    event: str,
    member: Operator,
    source_address: str,
    *,
    inputs: dict[str, object] | None = None,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, id=member.pk, name=member.email),
        operator=access.operator,
        source_address=source_address,
        inputs=inputs,
        before=before,
        after=after,
    )
