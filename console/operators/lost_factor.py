"""A lost second factor: another org admin resets it, after a delay in which its owner can stop that by a link.

Whoever takes over an org admin's account would otherwise remove the factor of the next one, and sign in as them.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission, enter_org
from console.audit import entries
from console.audit.entries import Outcome
from console.models import AuditEntry, FactorReset, Membership, Operator, Organization
from console.operators import members, sessions
from console.operators.on_record import chains_of
from console.outbox import emails


class NotPossible(Exception):
    """It is their own factor, they have none, or it is being reset already."""


def ask(
    access: OrgAccess, membership: Membership, *, signed_in_at: datetime | None, source_address: str
) -> FactorReset:
    """Let the member's second factors be removed after SECOND_FACTOR_RESET_HOURS, and tell them.

    Raises NotPossible, InOtherOrganizations, BeyondOwnRights, NotFresh.
    """
    access.require(Permission.MANAGE_MEMBERS)
    access.require_org_admin()
    members.check_fresh(signed_in_at)
    if membership.operator_id == access.operator.pk:
        raise NotPossible
    with transaction.atomic():
        membership = members.locked(access, membership)
        operator = membership.operator
        members.check_account_is_theirs(access, membership)
        if not _factors_of(operator).exists() or FactorReset.objects.open().filter(operator=operator).exists():
            raise NotPossible
        token, now = secrets.token_urlsafe(32), timezone.now()
        reset = FactorReset.objects.create(
            organization=access.org,
            operator=operator,
            asked_by=access.operator,
            token_hash=_hashed(token),
            asked_at=now,
            due_at=now + timedelta(hours=settings.SECOND_FACTOR_RESET_HOURS),
        )
        members.record(access, "second-factor.reset-asked", operator, source_address)
        _tell(reset, token)
        return reset


def cancel(access: OrgAccess, membership: Membership, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Take a reset back. Raises NotPossible if none waits, NotFresh."""
    access.require(Permission.MANAGE_MEMBERS)
    members.check_fresh(signed_in_at)
    open_ones = FactorReset.objects.open().filter(organization=access.org, operator=membership.operator)
    with transaction.atomic():
        if not open_ones.update(stopped_at=timezone.now()):
            raise NotPossible
        members.record(access, "second-factor.reset-stopped", membership.operator, source_address)


def find(token: str) -> FactorReset | None:
    """Return the reset of a link, if it can still be stopped."""
    waiting = FactorReset.objects.open().select_related("organization", "operator", "asked_by")
    return waiting.filter(token_hash=_hashed(token)).first()


def stop(token: str, *, source_address: str) -> bool:
    """Stop the reset for whoever has the link. Return False if it was over."""
    with transaction.atomic():
        reset = find(token)
        if reset is None or not FactorReset.objects.open().filter(pk=reset.pk).update(stopped_at=timezone.now()):
            return False
        _record(reset.organization, "second-factor.reset-stopped", reset.operator, source_address=source_address)
    return True


def remove_due() -> int:
    """Remove the factors whose delay is over. Return how many people that were."""
    due = FactorReset.objects.open().filter(due_at__lte=timezone.now())
    return sum(_remove(pk) for pk in due.values_list("pk", flat=True))


def remove_now(operator: Operator) -> int:
    """Remove all second factors for whoever runs the server. Return how many there were."""
    with transaction.atomic():
        count = _remove_factors(operator)
        for organization in chains_of(operator):
            _record(organization, "second-factor.reset", operator, reason=_BY_COMMAND)
    return count


_BY_COMMAND = "By whoever runs the server, on its command line"  # stored


def _remove(pk: int) -> bool:
    with transaction.atomic():
        now = timezone.now()
        if not FactorReset.objects.open().filter(pk=pk, due_at__lte=now).update(done_at=now):
            return False  # stopped meanwhile, or another worker was quicker
        reset = FactorReset.objects.select_related("organization", "operator", "asked_by").get(pk=pk)
        if not _is_still_allowed(reset):
            told = "Whoever asked for it may not reset this account any longer"  # stored
            _record(reset.organization, "second-factor.reset", reset.operator, outcome=Outcome.REFUSED, reason=told)
            return False
        _remove_factors(reset.operator)
        _record(reset.organization, "second-factor.reset", reset.operator, by=reset.asked_by)
    return True


def _is_still_allowed(reset: FactorReset) -> bool:
    theirs = Membership.objects.filter(organization=reset.organization, operator=reset.operator).first()
    if theirs is None:
        return False
    try:
        access = enter_org(reset.asked_by, reset.organization.slug)
        access.require_org_admin()
        members.check_account_is_theirs(access, theirs)
    except (Http404, PermissionDenied, members.InOtherOrganizations):
        return False
    return True


def _factors_of(operator: Operator) -> QuerySet[Authenticator]:
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=operator)
    return found


def _remove_factors(operator: Operator) -> int:
    """Remove the factors with the recovery codes, and end the sessions that they proved."""
    found = _factors_of(operator)
    count = found.exclude(type=Authenticator.Type.RECOVERY_CODES).count()
    found.delete()
    FactorReset.objects.open().filter(operator=operator).update(done_at=timezone.now())
    sessions.end_all(operator)
    return count


def _tell(reset: FactorReset, token: str) -> None:
    organization = emails.one_line(reset.organization.name)
    context = {
        "reset": reset,
        "organization": organization,
        "hours": settings.SECOND_FACTOR_RESET_HOURS,
        "link": f"{settings.PUBLIC_URL}{reverse('stop-factor-reset', args=[token])}",
    }
    emails.write(
        to=reset.operator.email,
        subject=str(format_lazy(_("Your second factor in {organization} will be removed"), organization=organization)),
        body=render_to_string("console/email/factor_reset.txt", context),
        about=f"factor reset {reset.pk}",
        worth_for=reset.due_at - reset.asked_at,
        may_repeat=True,
    )


def _record(
    organization: Organization | None,
    event: str,
    operator: Operator,
    *,
    by: Operator | None = None,
    source_address: str = "",
    outcome: Outcome = Outcome.SUCCEEDED,
    reason: str = "",
) -> None:
    entries.record(
        organization,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.pk, name=operator.email),
        operator=by,
        source_address=source_address,
        outcome=outcome,
        reason=reason,
    )


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
