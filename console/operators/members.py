"""The members of an organization: adding, changing and removing them, each in the audit log."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions import demands
from console.actions.demands import Demand
from console.audit import entries
from console.models import AuditEntry, Membership, Operator, Organization, Role
from console.operators.accounts import set_password_link
from console.outbox import emails
from console.rights.roles import Rights, built_in, rights_of


class LastOrgAdmin(Exception):
    """The only org admin: without them, no one could manage the organization."""


class SeesAll(Exception):
    """An org admin, who sees the users of all populations: somebody has to know and decide about everything."""


class NotFresh(Exception):
    """The operator signed in too long ago: an open session must not be enough to make an org admin."""


class AlreadyMember(Exception):
    """An operator with this address is already a member."""


class BeyondOwnRights(Exception):
    """A role that has more rights than the operator: nobody grants what they lack, and nobody takes it from others."""


def add(
    access: OrgAccess, email: str, name: str, role: str, *, signed_in_at: datetime | None, source_address: str
) -> Membership:
    """Add a member, create the operator if the address is new to this server, and send a welcome email.

    The link to choose a first password goes to that address only: the org admin must not be able to sign in as the
    new operator, who may later work for other organizations as well. `role` is a key.
    Raises AlreadyMember, BeyondOwnRights, NotFresh, Role.DoesNotExist.
    """
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=access.org.pk)
        kept = _role(access, role)
        operator = Operator.objects.filter(email__iexact=email).first() or Operator.objects.create_user(
            email, name=name
        )
        membership, is_new = Membership.objects.get_or_create(organization=access.org, operator=operator, defaults=kept)
        if not is_new:
            raise AlreadyMember(operator.email)
        _check_fresh(role, signed_in_at)
        _record(access, "membership.added", operator, source_address, after={"role": role})
        _welcome(access, membership)
    return membership


def change_role(
    access: OrgAccess, membership: Membership, role: str, *, signed_in_at: datetime | None, source_address: str
) -> None:
    """Change the member's role, by key. Raises LastOrgAdmin, BeyondOwnRights, NotFresh, Role.DoesNotExist."""
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        membership = _locked(access, membership)
        if role == membership.role_key:
            return
        before: dict[str, object] = {"role": membership.role_key}
        kept = _role(access, role)
        _check_fresh(role, signed_in_at)
        membership.role, membership.custom_role = kept["role"], kept["custom_role"]
        membership.save(update_fields=["role", "custom_role"])
        _keep_an_org_admin(access)
        _record(
            access, "membership.role-changed", membership.operator, source_address, before=before, after={"role": role}
        )


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
        membership = _locked(access, membership)
        if membership.role == Membership.Role.ORG_ADMIN:
            raise SeesAll
        before, after = membership.populations, None if populations is None else sorted(map(str, populations))
        if before == after:
            return
        membership.populations = after
        membership.save(update_fields=["populations"])
        _record(
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
        membership = _locked(access, membership)
        emails.withdraw(_invitation(membership))
        membership.delete()
        _keep_an_org_admin(access)
        _record(access, "membership.removed", membership.operator, source_address, before={"role": membership.role_key})


def _locked(access: OrgAccess, membership: Membership) -> Membership:
    """Lock the organization's row and return the membership, so that two org admins cannot both demote each other."""
    Organization.objects.select_for_update().get(pk=access.org.pk)
    members = Membership.objects.select_related("operator", "organization", "custom_role")
    found = members.get(organization=access.org, pk=membership.pk)
    _check_covered(access, rights_of(found))
    return found


def _role(access: OrgAccess, key: str) -> dict[str, Any]:
    """Return a role as a membership keeps it."""
    if key in Membership.Role.values:
        _check_covered(access, built_in(key, access.org.role_overrides))
        return {"role": key, "custom_role": None}
    role = Role.objects.get(organization=access.org, key=key)
    _check_covered(access, Rights.read(role.rights))
    return {"role": role.base, "custom_role": role}


def _check_fresh(role: str, signed_in_at: datetime | None) -> None:
    """Raise NotFresh if a role may confirm what needs a fresh sign-in, and is given without one."""
    if role == Membership.Role.ORG_ADMIN and demands.unmet(
        {Demand.FRESH_SIGN_IN}, reason="", signed_in_at=signed_in_at
    ):
        raise NotFresh


def _check_covered(access: OrgAccess, rights: Rights) -> None:
    if not access.rights.covers(rights):
        raise BeyondOwnRights


def _keep_an_org_admin(access: OrgAccess) -> None:
    if not access.org.org_admins().exists():
        raise LastOrgAdmin


def _record(
    access: OrgAccess,
    event: str,
    member: Operator,
    source_address: str,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, id=member.pk, name=member.email),
        operator=access.operator,
        source_address=source_address,
        before=before,
        after=after,
    )


def _welcome(access: OrgAccess, membership: Membership) -> None:
    operator = membership.operator
    context = {
        "membership": membership,
        "added_by": access.operator,
        "url": settings.PUBLIC_URL + reverse("organization", args=[access.org.slug]),
        "set_password_link": "" if operator.has_usable_password() else set_password_link(operator),
    }
    subject = format_lazy(_("You can now work for {org} in the PingOne console"), org=access.org.name)
    emails.write(
        to=operator.email,
        subject=str(subject),
        body=render_to_string("console/email/welcome.txt", context),
        about=_invitation(membership),
        worth_for=timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        may_repeat=True,
    )


def _invitation(membership: Membership) -> str:
    return f"membership {membership.pk}"
