"""Limits that were reached: the org admins are told once an hour, and another org admin can lift them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions import demands
from console.actions.demands import Demand
from console.audit import entries
from console.audit.entries import Subject
from console.limits.count import LimitReached, counted, name_of
from console.limits.rules import BY_LIMIT, Limit
from console.models import AuditEntry, Operator, Organization, ReachedLimit
from console.outbox import emails
from console.user_mails.tell import harmless
from pingone_integration.texts import Text, english

TOLD_EVERY = timedelta(hours=1)
_NEWS_FOR = timedelta(days=1)
_ANOTHER = _("You reached this limit yourself. Another org admin can lift it: {admins}.")


class NotLifted(Exception):
    """A limit that this operator cannot lift now: the reason, and what would meet it."""

    def __init__(self, reason: Text, *, demanded: frozenset[Demand] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.demanded = reason, demanded


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A reached limit, for the page."""

    row: ReachedLimit
    limit: Limit
    lifters: tuple[Operator, ...]  # empty: any org admin, after a fresh sign-in


def refused(access: OrgAccess, reached: LimitReached, *, subject_name: str) -> None:
    """Note that the operator was refused by a limit, and tell the org admins."""
    name = name_of(reached.limit, reached.about, subject_name=subject_name)
    happened(access, reached.limit, reached.about, name=name, most=reached.most, free_at=reached.free_at, refused=True)


def happened(
    access: OrgAccess, limit: Limit, about: str, *, name: str, most: int, free_at: datetime, refused: bool
) -> bool:
    """Note that a limit was reached, and email the org admins once an hour. Return whether that was now."""
    now = timezone.now()
    with transaction.atomic():
        # PostgreSQL locks the row until the commit; on SQLite the transaction itself is IMMEDIATE.
        row, is_new = ReachedLimit.objects.select_for_update().get_or_create(
            organization=access.org,
            limit=limit.key,
            about=about,
            defaults={"reached_at": now, "free_at": free_at, "name": name},
        )
        if not is_new and row.free_at <= now:
            row.refused.clear()
        is_told = bool(row.told_at and row.told_at > now - TOLD_EVERY)
        row.reached_at, row.free_at, row.name = now, free_at, name
        if not is_told:
            row.told_at = now
            _tell(access, row, limit, most)
        row.save()
        if refused:
            row.refused.add(access.operator)
    return not is_told


def now_reached(organization: Organization) -> list[Reached]:
    """Return the limits that refuse something now, the latest first."""
    rows = ReachedLimit.objects.filter(organization=organization, free_at__gt=timezone.now(), limit__in=BY_LIMIT)
    rows = rows.exclude(limit__in=[key for key, limit in BY_LIMIT.items() if limit.kind is None])
    return [
        Reached(row=row, limit=BY_LIMIT[row.limit], lifters=_lifters(organization, row))
        for row in rows.order_by("-reached_at")
        if row.lifted_at is None or row.lifted_at < row.reached_at
    ]


def lift(access: OrgAccess, reached: Reached, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Let what the limit counts begin anew. Raises NotLifted."""
    access.require(Permission.MANAGE_POLICIES)
    require_lifter(access, reached, signed_in_at=signed_in_at)
    with transaction.atomic():
        row = ReachedLimit.objects.select_for_update().get(pk=reached.row.pk)
        row.lifted_at = row.free_at = timezone.now()
        row.told_at = None
        row.save()
        row.refused.clear()
        entries.record(
            access.org,
            "limit.lifted",
            subject=Subject(kind=AuditEntry.Subject.POLICY, id=reached.limit.key, name=reached.limit.label),
            operator=access.operator,
            source_address=source_address,
            inputs={"about": row.about, "name": row.name} if row.about else {},
        )


def require_lifter(access: OrgAccess, reached: Reached, *, signed_in_at: datetime | None) -> None:
    """Raise NotLifted if the operator reached the limit, while there is an org admin who did not, or else without a
    fresh sign-in."""
    if reached.lifters and access.operator not in reached.lifters:
        admins = ", ".join(admin.email for admin in reached.lifters)
        raise NotLifted(format_lazy(_ANOTHER, admins=admins))
    if not reached.lifters:
        require_fresh(signed_in_at)


def require_fresh(signed_in_at: datetime | None) -> None:
    """Raise NotLifted without a fresh sign-in."""
    if left := demands.unmet({Demand.FRESH_SIGN_IN}, reason="", signed_in_at=signed_in_at):
        raise NotLifted(demands.problem_with(left), demanded=left)


def _lifters(organization: Organization, row: ReachedLimit) -> tuple[Operator, ...]:
    """Return the org admins who had no part in reaching the limit; or else those whom it has not refused."""
    refused = set(row.refused.values_list("pk", flat=True))
    parties = {one.operator_id for one in counted(organization.pk, BY_LIMIT[row.limit], row.about)}
    admins = list(organization.org_admins().order_by("email"))
    for involved in (refused | parties, refused):
        if others := tuple(admin for admin in admins if admin.pk not in involved):
            return others
    return ()


def _tell(access: OrgAccess, row: ReachedLimit, limit: Limit, most: int) -> None:
    blocks = limit.kind is not None
    title = (
        _("{organization}: a limit was reached") if blocks else _("{organization}: an operator looks at many people")
    )
    organization = emails.one_line(access.org.name)
    context = {
        "organization": organization,
        "limit": english(limit.told(most)),
        "operator": access.operator.email,
        "name": (harmless(row.name) or row.about) if blocks else "",
        "free_at": row.free_at if blocks else None,
        "limits_url": settings.PUBLIC_URL + reverse("limits", args=[access.org.slug]),
        "log_url": settings.PUBLIC_URL
        + reverse("audit", args=[access.org.slug], query={"operator": access.operator.email}),
    }
    for admin in access.org.org_admins():
        emails.write(
            to=admin.email,
            subject=str(format_lazy(title, organization=organization)),
            body=render_to_string("console/email/limit_reached.txt", context),
            about=f"limit {row.limit} {row.about or row.organization_id}"[:100],
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
