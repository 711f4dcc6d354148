"""Changes of the rules. To ask for more holds at once; to ask for less, only with another org admin, or a day later."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions import demands
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand
from console.approvals import mail
from console.approvals.approvers import accesses, is_new, same_person
from console.approvals.rules import EVERY_PLAN, WEAKER_AFTER, Kept, Rules
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Operator, Organization
from pingone_integration.texts import Text, english

_FEW = _("{what} needs two members who may do it. There are not two.")
_OWN = _("You asked for this yourself. Another org admin has to let it hold at once.")
_NEW = _("You became an org admin less than 24 hours ago.")
_GONE = _("There are no weaker rules to decide about. Reload the page.")
_PROTECTED = _("Acting on protected accounts")
_API = _("Call API")
_TWO = 2  # people


class NotChanged(Exception):
    """A change that cannot be made, and why."""

    def __init__(self, reason: Text, *, demanded: frozenset[Demand] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.demanded = reason, demanded


def change(access: OrgAccess, rules: Rules, *, signed_in_at: datetime | None, source_address: str) -> Kept:
    """Save the rules, and return them as kept. What is weaker waits a day, and all org admins are told.

    Raises PermissionDenied and NotChanged.
    """
    with _kept(access, signed_in_at) as (organization, before):
        if rules == before.now and before.weaker is None:
            return before
        _require_two(organization, rules, before.now)
        stronger = _stronger_of(before.now, rules)
        kept = Kept(now=stronger)
        if rules.is_weaker_than(stronger):
            by = str(access.operator.pk)
            kept = replace(kept, weaker=rules, weaker_from=timezone.now() + WEAKER_AFTER, asked_by=by)
        _save(organization, kept)
        if stronger != before.now:
            _record(access, "approval.rules-changed", source_address, before=before.now, after=stronger)
        if kept.weaker and kept.weaker_from:
            _record(access, "approval.change-asked", source_address, before=stronger, after=kept.weaker)
            told = list(in_words(kept.now, kept.weaker))
            mail.weaker_rules(organization, access.operator, at=f"{kept.weaker_from:%Y-%m-%d %H:%M}", told=told)
    return kept


def let_hold(access: OrgAccess, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Let weaker rules hold at once. It takes another org admin. Raises PermissionDenied and NotChanged."""
    with _kept(access, signed_in_at) as (organization, before):
        if before.weaker is None:
            raise NotChanged(_GONE)
        asked_by = Operator.objects.get(pk=UUID(before.asked_by))
        if same_person(asked_by.email) == same_person(access.operator.email):
            raise NotChanged(_OWN)
        if is_new(access.membership):
            raise NotChanged(_NEW)
        _save(organization, Kept(now=before.weaker))
        _record(access, "approval.rules-changed", source_address, before=before.now, after=before.weaker)


def stop(access: OrgAccess, *, signed_in_at: datetime | None, source_address: str) -> None:
    """Drop weaker rules that wait. Every org admin may. Raises PermissionDenied and NotChanged."""
    with _kept(access, signed_in_at) as (organization, before):
        if before.weaker is None:
            raise NotChanged(_GONE)
        _save(organization, Kept(now=before.now))
        _record(access, "approval.change-stopped", source_address, before=before.weaker, after=before.now)


def in_words(before: Rules, after: Rules) -> Iterator[Text]:
    """Yield what needs no approval any more, in sentences."""
    for key in sorted(before.actions - after.actions):
        yield format_lazy(_("No approval for: {what}"), what=name_of(key))
    for slug in sorted(before.plans - after.plans):
        yield format_lazy(_("No approval for the plan: {what}"), what=_("every plan") if slug == EVERY_PLAN else slug)
    if before.protected and not after.protected:
        yield _("No approval for protected accounts")
    if before.job_rows is not None and before.job_rows != after.job_rows:
        if after.job_rows is None:
            yield _("No approval for large jobs")
        else:
            yield format_lazy(_("Jobs need an approval from {rows} rows on"), rows=after.job_rows)
    if after.hours > before.hours:
        yield format_lazy(_("Requests are good for {hours} hours"), hours=after.hours)


def name_of(key: str) -> Text:
    return BY_KEY[key].name if key in BY_KEY else _API


def _stronger_of(before: Rules, after: Rules) -> Rules:
    """Return rules that ask for everything that one of both asks for."""
    sizes = [size for size in (before.job_rows, after.job_rows) if size is not None]
    return Rules(
        actions=before.actions | after.actions,
        plans=before.plans | after.plans,
        job_rows=min(sizes, default=None),
        protected=before.protected or after.protected,
        hours=min(before.hours, after.hours) if before.is_on else after.hours,
    )


def _require_two(organization: Organization, rules: Rules, before: Rules) -> None:
    """Raise NotChanged if something would need a second person where there is only one."""
    people = list(accesses(organization))
    for key in rules.actions - before.actions:
        if len({same_person(one.operator.email) for one in people if one.rights.may(key)}) < _TWO:
            raise NotChanged(format_lazy(_FEW, what=name_of(key)))
    admins = {same_person(one.operator.email) for one in people if one.is_org_admin}
    if rules.protected and not before.protected and len(admins) < _TWO:
        raise NotChanged(format_lazy(_FEW, what=_PROTECTED))


@contextmanager
def _kept(access: OrgAccess, signed_in_at: datetime | None) -> Iterator[tuple[Organization, Kept]]:
    """Lock the organization, and yield its rules. Raises PermissionDenied and NotChanged."""
    access.require_org_admin()
    if access.viewing_as is not None:
        raise PermissionDenied
    if left := demands.unmet({Demand.FRESH_SIGN_IN}, reason="", signed_in_at=signed_in_at):
        raise NotChanged(demands.problem_with(left), demanded=left)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        yield organization, Kept.of(organization)


def _save(organization: Organization, kept: Kept) -> None:
    organization.approvals = kept.stored()
    organization.save(update_fields=["approvals"])


def _record(access: OrgAccess, event: str, source_address: str, *, before: Rules, after: Rules) -> None:
    entries.record(
        access.org,
        event,
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=english(_("Approvals"))),
        operator=access.operator,
        source_address=source_address,
        before=before.stored(),
        after=after.stored(),
    )
