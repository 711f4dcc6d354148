"""Rules of Acme on Contractors, switched on after their preview, and the worker that does what follows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.models import Operator, Rule, RuleEffect
from console.perform.user_operation import perform
from console.rules import control, engine
from console.rules.preview import preview
from tests.support.answers import STAFF
from tests.support.crawling import CONTRACTORS, Populations, crawled, switch_on

VPN = UUID("00000000-0000-4000-8000-0000000000d1")
BADGE = UUID("00000000-0000-4000-8000-0000000000d2")


def met(**more: Any) -> Circumstances:
    values: dict[str, Any] = {"reason": "They need it", "signed_in_at": timezone.now()}
    return Circumstances(**(values | more))


def rule_on(operator: Operator, environment: Populations, *, everybody: bool = False, **more: Any) -> Rule:
    """Return a rule that gives VPN to who comes into Contractors, switched on after a crawl."""
    if VPN not in environment.groups:
        environment.add_group(VPN, "VPN")
    switch_on(operator)
    crawled()
    access = enter_org(operator, "acme")
    groups = more.pop("groups", [{"id": str(VPN), "name": "VPN"}])
    values = {"name": "Contractors", "population_id": CONTRACTORS, "groups": groups, "takes_back": False}
    rule = control.write(access, values | more)
    shown = preview(rule)
    control.switch_on(access, rule, shown, shown.seen, met(), everybody=everybody)
    environment.requests.clear()
    return rule


def worked(rule: Rule) -> Rule:
    """Let the worker do what is due, and return the rule as it is then."""
    a_moment_ago = timezone.now() - timedelta(seconds=1)  # the database's clock is coarser
    RuleEffect.objects.filter(rule=rule, state="waiting").update(due_at=a_moment_ago)
    engine.run_due()
    return again(rule)


def again(rule: Rule) -> Rule:
    return Rule.objects.select_related("organization__connection", "author").get(pk=rule.pk)


def moves(operator: Operator, environment: Populations, number: int, to: UUID, **more: Any) -> None:
    """Let an operator move a user on a page."""
    user_id = UUID(environment.named(f"user{number}")["id"])
    circumstances = met(**more)
    perform(enter_org(operator, "acme"), BY_KEY["user.move"], user_id, {"population_id": to}, circumstances)


def are_in(environment: Populations, group: UUID = VPN) -> set[str]:
    return {user["username"] for one, user in environment.users.items() if group in environment.members[one]}


def moved_elsewhere(environment: Populations, number: int, to: UUID) -> None:
    """Let somebody be moved in PingOne's own console."""
    environment.named(f"user{number}")["population"] = {"id": str(to)}


def effects(rule: Rule) -> list[tuple[str, bool, str]]:
    return list(rule.effects.order_by("created_at", "username").values_list("username", "gives", "state"))


__all__ = ["CONTRACTORS", "STAFF"]
