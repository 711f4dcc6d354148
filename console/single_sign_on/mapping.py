"""What an org admin sets: which of the provider's groups have which role, and whether members have to use it."""

from datetime import datetime

from django.db import IntegrityError, transaction

from console.access import OrgAccess, Permission
from console.audit import entries
from console.models import AuditEntry, MappedGroup, Organization
from console.operators import members


class AlreadyMapped(Exception):
    """The group has a role already."""


def add(access: OrgAccess, group: str, role: str, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Let the people of a group be members with this role, by key, from their next sign-in on.

    Raises AlreadyMapped, members.NotFresh, members.BeyondOwnRights, Role.DoesNotExist.
    """
    _require(access, signed_in_at)
    members.role_columns(access, role)
    try:
        with transaction.atomic():
            MappedGroup.objects.create(organization=access.org, group=group, role=role)
            _record(access, "single-sign-on.group-mapped", source_address, after={"group": group, "role": role})
    except IntegrityError:
        raise AlreadyMapped from None


def remove(access: OrgAccess, mapped_id: int, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Let a group give nothing from the next sign-ins on. Raises members.NotFresh, MappedGroup.DoesNotExist."""
    _require(access, signed_in_at)
    with transaction.atomic():
        mapped = MappedGroup.objects.select_for_update().get(organization=access.org, pk=mapped_id)
        mapped.delete()
        gone: dict[str, object] = {"group": mapped.group, "role": mapped.role}
        _record(access, "single-sign-on.group-unmapped", source_address, before=gone)


def demand(access: OrgAccess, is_demanded: bool, *, signed_in_at: datetime | None, source_address: str) -> bool:
    """Demand single sign-on of all members, or no longer. Return whether that changed anything. Raises NotFresh."""
    _require(access, signed_in_at)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        if organization.single_sign_on_demanded == is_demanded:
            return False
        organization.single_sign_on_demanded = is_demanded
        organization.save(update_fields=["single_sign_on_demanded"])
        _record(
            access,
            "single-sign-on.demand-changed",
            source_address,
            before={"single_sign_on_demanded": not is_demanded},
            after={"single_sign_on_demanded": is_demanded},
        )
    return True


def _require(access: OrgAccess, signed_in_at: datetime | None) -> None:
    access.require(Permission.MANAGE_MEMBERS)
    access.require_org_admin()
    members.check_fresh(signed_in_at)


def _record(access: OrgAccess, event: str, source_address: str, **values: dict[str, object]) -> None:
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=access.org.name),
        operator=access.operator,
        source_address=source_address,
        **values,  # type: ignore[arg-type]
    )
