"""Roles by the provider's groups, read anew at each sign-in: who left a group has less at once, or nothing.

A membership that an org admin gave stays as it is. The last org admin keeps their role, and that is on record.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.audit import entries
from console.audit.entries import Outcome
from console.models import AuditEntry, MappedGroup, Membership, Operator, Organization, Role
from console.operators import members, org_admin_mail, sessions

Columns = dict[str, object]
_BY = {"by": "groups of the identity provider"}
_GROUPS = _("the groups of the identity provider")
_ORG_ADMIN = {"role": Membership.Role.ORG_ADMIN.value}


def opened_by(groups: frozenset[str]) -> dict[Organization, Columns]:
    """Return the organizations that these groups open, each with the columns of a membership.

    Of several groups of an organization, the first in its list decides.
    """
    found: dict[Organization, Columns] = {}
    mapped = MappedGroup.objects.filter(group__in=groups).select_related("organization")
    for one in mapped.order_by("organization", "pk"):
        columns = _columns(one)
        if columns:
            found.setdefault(one.organization, columns)
    return found


def apply(operator: Operator, opened: dict[Organization, Columns], *, source_address: str) -> None:
    """Give the operator what the groups open, and take what they no longer open. Call it in a transaction."""
    touched = Organization.objects.filter(memberships__operator=operator, memberships__is_by_groups=True)
    for organization in sorted({*touched, *opened}, key=lambda one: str(one.pk)):
        Organization.objects.select_for_update().get(pk=organization.pk)  # see members.locked
        columns = opened.get(organization)
        membership = (
            Membership.objects.select_related("custom_role")
            .filter(organization=organization, operator=operator)
            .first()
        )
        if membership is None and columns:
            Membership.objects.create(organization=organization, operator=operator, is_by_groups=True, **columns)
            _record("membership.added", organization, operator, source_address, after=_named(columns))
        elif membership and membership.is_by_groups:
            _settle(membership, columns, source_address)
    sessions.end_if_nowhere_to_go(operator)


def _settle(membership: Membership, columns: Columns | None, source_address: str) -> None:
    """Let a membership that groups gave be what they give now."""
    before = {"role": membership.role_key}
    event = "membership.role-changed" if columns else "membership.removed"
    if columns and before == _named(columns):
        return
    try:
        with transaction.atomic():
            if columns:
                Membership.objects.filter(pk=membership.pk).update(**columns, since=timezone.now())
            else:
                Membership.objects.filter(pk=membership.pk).delete()
            if membership.is_org_admin:
                members.keep_an_org_admin(membership.organization)
    except members.LastOrgAdmin:
        _record(
            event,
            membership.organization,
            membership.operator,
            source_address,
            before=before,
            outcome=Outcome.REFUSED,
            reason="The only org admin keeps the role until there is another one",
        )
        return
    after = _named(columns) if columns else None
    _record(event, membership.organization, membership.operator, source_address, before=before, after=after)


def _columns(mapped: MappedGroup) -> Columns | None:
    """Return a role as a membership keeps it, or None if it is gone."""
    if mapped.role in Membership.Role.values:
        return {"role": mapped.role, "custom_role": None}
    role = Role.objects.filter(organization=mapped.organization, key=mapped.role).first()
    return {"role": role.base, "custom_role": role} if role else None


def _named(columns: Columns) -> dict[str, object]:
    role = columns["custom_role"]
    return {"role": role.key if isinstance(role, Role) else columns["role"]}


def _record(event: str, organization: Organization, operator: Operator, source_address: str, **values: object) -> None:
    entries.record(
        organization,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, id=operator.pk, name=operator.email),
        operator=operator,
        source_address=source_address,
        inputs=_BY,
        **values,  # type: ignore[arg-type]
    )
    after = values.get("after")
    if "outcome" not in values and _ORG_ADMIN in (values.get("before"), after):
        org_admin_mail.tell(organization, operator, event, by=str(_GROUPS), is_now=after == _ORG_ADMIN)
