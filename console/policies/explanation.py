"""What a member can do, and why: each action with what allows or forbids it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import BY_KEY
from console.models import Membership, Organization
from console.policies.matrix import AREAS, DEMAND_LABELS, LABELS
from console.rights.roles import TICKET, Rights, rights_of
from pingone_integration.texts import Text

# Further reasons, for instance the populations that a member is narrowed to: each function returns what it says of an
# action for this member, "" for nothing.
Note = Callable[[Membership, str], Text]
NOTES: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether a member may run one action, and why."""

    label: Text
    allowed: bool
    why: tuple[Text, ...]


def explained(membership: Membership) -> list[tuple[Text, list[Answer]]]:
    """Return each area with an answer for each action. `membership` has its organization and role read."""
    rights, organization = rights_of(membership), membership.organization
    by = _decided_by(membership, organization)
    return [(area, [_answer(membership, rights, key, by=by) for key in keys]) for area, keys in AREAS]


def _decided_by(membership: Membership, organization: Organization) -> Text:
    if membership.custom_role:
        return format_lazy(_("role “{role}” of this organization"), role=membership.role_name)
    if membership.role in organization.role_overrides:
        return format_lazy(_("role “{role}”, as this organization changed it"), role=membership.role_name)
    return format_lazy(_("built-in role “{role}”"), role=membership.role_name)


def _answer(membership: Membership, rights: Rights, key: str, *, by: Text) -> Answer:
    if not membership.operator.is_active:
        return Answer(label=LABELS[key], allowed=False, why=(_("Their account is deactivated."),))
    if membership.suspended_at:
        return Answer(label=LABELS[key], allowed=False, why=(_("They are suspended in this organization."),))
    if not rights.may(key):
        return Answer(label=LABELS[key], allowed=False, why=(format_lazy(_("Not in the {role}."), role=by),))
    why: list[Text] = [format_lazy(_("Allowed by the {role}."), role=by)]
    demanded = _demanded(rights, key, required=membership.organization.required_tickets)
    if demanded:
        why.append(format_lazy(_("Needs: {demands}."), demands=_joined(demanded)))
    is_stopped = membership.organization.is_locked_down and _may_give_access(key)
    if is_stopped:
        told = _("Stopped by the lock down: {reason}")
        why.append(format_lazy(told, reason=membership.organization.lock_down_reason))
    why += [note for find in NOTES if (note := find(membership, key))]
    return Answer(label=LABELS[key], allowed=not is_stopped, why=tuple(why))


def _demanded(rights: Rights, key: str, *, required: Iterable[str]) -> list[Text]:
    demands = rights.demands(key) | ({TICKET} if key in required else set())
    return [label for demand, label in DEMAND_LABELS.items() if demand in demands]


def _joined(labels: list[Text]) -> Text:
    return format_lazy(", ".join(["{}"] * len(labels)), *labels)


def _may_give_access(key: str) -> bool:
    return key not in BY_KEY or BY_KEY[key].may_give_access
