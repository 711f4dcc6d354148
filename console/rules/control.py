"""What org admins do with a rule: write it, switch it on after its preview, and decide when it has stopped."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions.demands import Demand
from console.audit.entries import Circumstances, storable
from console.crawls import changes
from console.crawls.populations import is_on
from console.models import AuditEntry, Rule, RuleEffect, Work
from console.perform import guards
from console.perform.guards import Attempt
from console.perform.user_operation import UserOperation
from console.rules.effects import DONE, GIVE, NO_CHANGE, TAKE
from console.rules.preview import Preview
from console.rules.record import record
from pingone_integration.texts import Text

State = Rule.State

_NOT_READ = _("The population has not been read yet. Switch the rule on after its first crawl.")
_CRAWLS_OFF = _("Crawls are off. Switch them on first.")
_NEW_PREVIEW = _("The rule or the population has changed since the preview. Look at it again.")
_NOT_NOW = _("The rule is not in that state anymore.")
_ANOTHER = _("Another org admin has to let it pass: {admins}.")


class NotPossibleNow(Exception):
    """What an org admin wants does not fit the rule as it is. The reason is for them."""

    def __init__(self, reason: Text, *, demanded: frozenset[Demand] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.demanded = reason, demanded


def rule_or_404(access: OrgAccess, rule_id: UUID) -> Rule:
    found = Rule.objects.filter(organization=access.org, pk=rule_id).select_related(
        "organization__connection", "author"
    )
    if (rule := found.first()) is None:
        raise Http404("No such rule.")
    return rule


def write(access: OrgAccess, values: dict[str, Any], rule: Rule | None = None, *, source_address: str = "") -> Rule:
    """Create a rule, or change one. It is off then: its preview comes first."""
    _require(access)
    with transaction.atomic():
        rule = _locked(rule) if rule else None
        before = storable(values_of(rule)) if rule else None
        if rule is None:
            rule = Rule.objects.create(organization=access.org, author=access.operator, **values)
        else:
            _switch_off(rule)
            Rule.objects.filter(pk=rule.pk).update(**values)
            rule = rule_or_404(access, rule.pk)
        record(
            rule,
            "rule.changed" if before else "rule.created",
            access.operator,
            source_address=source_address,
            before=before,
            after=storable(values_of(rule)),
        )
    return rule


def _locked(rule: Rule) -> Rule:
    """Return the rule as it is now; nobody else changes it until the transaction ends."""
    found = Rule.objects.select_for_update(of=("self",)).filter(pk=rule.pk)
    if (now := found.select_related("organization__connection", "author").first()) is None:
        raise Http404("No such rule.")
    return now


def _does(rule: Rule) -> tuple[object, ...]:
    return rule.population_id, {group["id"] for group in rule.groups}, rule.takes_back


def values_of(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "population_id": rule.population_id,
        "groups": [group["name"] for group in rule.groups],
        "takes_back": rule.takes_back,
    }


def switch_on(
    access: OrgAccess, rule: Rule, shown: Preview, seen: str, circumstances: Circumstances, *, everybody: bool = False
) -> None:
    """Switch a rule on, with the rights of this operator. `seen`: what the preview that they saw was about.

    `everybody`: those who are in the population already get the groups, too. Raises NotPossibleNow.
    """
    _require(access)
    if not is_on(access.org):
        raise NotPossibleNow(_CRAWLS_OFF)
    if shown.crawl is None:
        raise NotPossibleNow(_NOT_READ)
    if seen != shown.seen:
        raise NotPossibleNow(_NEW_PREVIEW)
    _require_met(access, rule, circumstances)
    with transaction.atomic():
        if _does(_locked(rule)) != _does(rule):  # changed since it was read for the preview
            raise NotPossibleNow(_NEW_PREVIEW)
        _turn(rule, (State.OFF,), **_on(access, circumstances))
        if everybody:
            changes.begin_with(rule, shown.crawl)
        of_rule = {"everybody": everybody, "users": shown.people} | storable(values_of(rule))
        record(
            rule,
            "rule.switched-on",
            access.operator,
            source_address=circumstances.source_address,
            inputs=of_rule,
            reason=circumstances.reason,
        )


def switch_off(access: OrgAccess, rule: Rule, *, source_address: str = "") -> None:
    """Switch a rule off. What it has given stays; what waits is left out."""
    _require(access)
    with transaction.atomic():
        if _switch_off(rule):
            record(rule, "rule.switched-off", access.operator, source_address=source_address)


def delete(access: OrgAccess, rule: Rule, *, source_address: str = "") -> None:
    """Delete a rule, with the memory of what it gave. What it has given stays."""
    _require(access)
    with transaction.atomic():
        record(
            rule,
            "rule.deleted",
            access.operator,
            source_address=source_address,
            before=storable(values_of(rule)),
        )
        rule.delete()


def resume(access: OrgAccess, rule: Rule, circumstances: Circumstances) -> None:
    """Let a rule that has stopped go on, with the rights of this operator. Raises NotPossibleNow."""
    _require(access)
    if rule.stop == Rule.Stop.BRAKE:
        raise NotPossibleNow(_NOT_NOW)
    _require_met(access, rule, circumstances)
    with transaction.atomic():
        _turn(rule, (State.STOPPED,), **_on(access, circumstances))
        record(rule, "rule.resumed", access.operator, source_address=circumstances.source_address)
        changes.revive(access.org)


def let_pass(access: OrgAccess, rule: Rule, circumstances: Circumstances) -> None:
    """Let what waits pass the brake on mass change. It takes another org admin than the author, where there is one."""
    _require(access)
    others = list(rule.organization.org_admins().exclude(pk=rule.author_id).order_by("email"))
    if others and access.operator not in others:
        raise NotPossibleNow(format_lazy(_ANOTHER, admins=", ".join(admin.email for admin in others)))
    with transaction.atomic():
        if rule.stop != Rule.Stop.BRAKE:
            raise NotPossibleNow(_NOT_NOW)
        _turn(rule, (State.STOPPED,), state=State.ON, stop="", stop_detail="", let_pass_at=timezone.now())
        waiting = RuleEffect.objects.filter(rule=rule, state=Work.State.WAITING).count()
        record(
            rule,
            "rule.let-pass",
            access.operator,
            source_address=circumstances.source_address,
            inputs={"users": waiting},
        )
        changes.revive(access.org)


def retry(access: OrgAccess, rule: Rule) -> int:
    """Try again what has failed or was refused. Return for how many users. An unknown outcome is never repeated."""
    _require(access)
    failed = list(RuleEffect.objects.filter(rule=rule, state=Work.State.FAILED))
    now = timezone.now()
    for effect in failed:
        for group in effect.groups:
            if group.get("state") not in {DONE, NO_CHANGE}:
                group.pop("state", None)
                group["again"] = group.get("again", 0) + 1
        again = {"state": Work.State.WAITING, "due_at": now, "wanted_at": now, "attempts": 0, "groups": effect.groups}
        RuleEffect.objects.filter(pk=effect.pk, state=Work.State.FAILED).update(**again)
    return len(failed)


def _on(access: OrgAccess, circumstances: Circumstances) -> dict[str, Any]:
    """Return the columns of a rule that this operator lets act with their rights."""
    return {
        "state": State.ON,
        "stop": "",
        "stop_detail": "",
        "author": access.operator,
        "ticket": circumstances.ticket,
        "reason": circumstances.reason,
        "source_address": circumstances.source_address,
        "signed_in_at": circumstances.signed_in_at,
        "switched_on_at": timezone.now(),
    }


def _require(access: OrgAccess) -> None:
    access.require(Permission.MANAGE_POLICIES)
    access.require_org_admin()
    if access.viewing_as is not None:
        raise PermissionDenied(Permission.MANAGE_POLICIES)


def _require_met(access: OrgAccess, rule: Rule, circumstances: Circumstances) -> None:
    """Raise NotPossibleNow unless what the rule does passes what is asked before a user is read."""
    as_rule = replace(circumstances, channel=AuditEntry.Channel.RULE, met_at=timezone.now())
    for action in (GIVE, TAKE) if rule.takes_back else (GIVE,):
        access.require_to(action)
        inputs = action.inputs_on_record({"group_id": rule.groups[0]["id"]})
        operation = UserOperation(action=action, user_id=None, inputs=inputs)
        ruling = guards.before_reading(Attempt(access=access, operation=operation, circumstances=as_rule))
        if ruling.refusal:
            raise NotPossibleNow(ruling.refusal, demanded=ruling.demands)


def _switch_off(rule: Rule) -> bool:
    off = {"state": State.OFF, "stop": "", "stop_detail": "", "let_pass_at": None}
    is_changed = Rule.objects.filter(pk=rule.pk).exclude(state=State.OFF).update(**off)
    RuleEffect.objects.filter(rule=rule, state=Work.State.WAITING).update(state=Work.State.CANCELED)
    return bool(is_changed)


def _turn(rule: Rule, before: Iterable[State], **changed: Any) -> None:
    """Change the state, in one conditional UPDATE. Raises NotPossibleNow if somebody else was quicker."""
    if not Rule.objects.filter(pk=rule.pk, state__in=before).update(**changed):
        raise NotPossibleNow(_NOT_NOW)
    for name, value in changed.items():
        setattr(rule, name, value)
