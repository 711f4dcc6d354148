"""The requests that an operator may see: those that wait for somebody, and those of the last days."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.approvals.approvers import able, hindrance, is_new
from console.approvals.decisions import is_open, may_see
from console.approvals.rules import rules_of
from console.audit.wording import Value, inputs_of, label_of, values_of
from console.models import ApprovalRequest, AuditEntry
from pingone_integration.texts import Text

SHOWN_FOR = timedelta(days=30)
_MOST = 500

State = ApprovalRequest.State

_STATES: dict[str, Text] = {
    State.OPEN: _("Waits for a decision"),
    State.APPROVED: _("Approved, not used yet"),
    State.DECLINED: _("Declined"),
    State.WITHDRAWN: _("Withdrawn"),
    State.USED: _("Done"),
    State.LAPSED: _("Lapsed: too many rows had changed"),
}
_EXPIRED = _("Expired")
_GLASS = _("Can be done without an approval")
_UNUSED = _("Approved, but not used in time")


@dataclass(frozen=True)
class Shown:
    """A request as a page shows it to an operator."""

    request: ApprovalRequest
    access: OrgAccess
    is_new_member: bool | None = None  # the operator; None: not known yet

    @property
    def name(self) -> Text:
        key = self.request.needs[0][0] if self.request.needs else ""
        action = BY_KEY.get(key)
        return action.name if action and self.request.kind == ApprovalRequest.Kind.ACTION else self.request.name

    @property
    def does(self) -> Text:
        action = BY_KEY.get(self.request.needs[0][0])
        is_action = self.request.kind == ApprovalRequest.Kind.ACTION
        return format_lazy("{} {}", action.does, action.leaves) if action and is_action else ""

    @property
    def state(self) -> Text:
        request, now = self.request, timezone.now()
        if request.state == State.OPEN and request.opens_at and request.opens_at <= now < request.expires_at:
            return _GLASS
        if request.state == State.OPEN and request.expires_at <= now:
            return _EXPIRED
        if request.state == State.APPROVED and request.usable_until and request.usable_until <= now:
            return _UNUSED
        return _STATES[request.state]

    @property
    def is_open(self) -> bool:
        return is_open(self.request)

    @property
    def is_own(self) -> bool:
        return self.request.requester_id == self.access.operator.pk and self.access.viewing_as is None

    @cached_property
    def hindrance(self) -> Text:
        return hindrance(self.access, self.request, is_new_member=self.is_new_member)

    @property
    def may_decide(self) -> bool:
        return self.is_open and not self.hindrance

    @property
    def may_stop(self) -> bool:
        """Return whether it is theirs to decline: an org admin may always stop what others are about to do."""
        may = self.access.is_org_admin and self.access.viewing_as is None and not self.is_own
        return self.is_open and may

    @property
    def may_withdraw(self) -> bool:
        return self.is_own and (self.is_open or self.is_usable)

    @property
    def is_usable(self) -> bool:
        request, now = self.request, timezone.now()
        if request.state == State.APPROVED:
            return bool(request.usable_until and request.usable_until > now)
        return self.is_open and bool(request.opens_at and request.opens_at <= now)

    @property
    def may_use(self) -> bool:
        return self.is_own and self.is_usable

    @cached_property
    def approvers(self) -> list[str]:
        """Return who can decide now, for the requester."""
        return sorted(one.operator.email for one in able(self.request.organization, self.request))

    @property
    def may_break_glass(self) -> bool:
        return self.is_own and self.is_open and self.request.opens_at is None and not self.approvers

    @property
    def user_id(self) -> str:
        """Return the ID of the user whom it is about, for a link; "" if there is none (yet)."""
        is_about_user = self.request.kind != ApprovalRequest.Kind.JOB and self.request.needs[0][0] in BY_KEY
        return self.request.subject_id if is_about_user else ""

    @property
    def inputs(self) -> list[tuple[Text, Text]]:
        inputs = {name: value for name, value in self.request.inputs.items() if name not in {"seen", "seen_at"}}
        changes = inputs.pop("changes", None) if self.request.after else None
        return inputs_of(self._entry(inputs)) if inputs or changes is None else []

    @property
    def values(self) -> list[Value]:
        """Return the values as they were read, with those afterwards as far as they are known."""
        request = self.request
        after = request.after if isinstance(request.after, dict) else {}
        found = values_of(self._entry({}))
        return [one for one in found if one.before is not None or any(one.label == label_of(name) for name in after)]

    @property
    def typed(self) -> list[tuple[str, str]]:
        return [(name, one) for name, values in self.request.typed.items() for one in values]

    def _entry(self, inputs: dict[str, object]) -> AuditEntry:
        request = self.request
        return AuditEntry(action=request.needs[0][0], inputs=inputs, before=request.before, after=request.after)


def waiting(access: OrgAccess) -> list[Shown]:
    """Return the open requests, those that this operator can decide first."""
    now = timezone.now()
    found = _seen(access, ApprovalRequest.objects.filter(state=State.OPEN, expires_at__gt=now))
    return sorted(found, key=lambda one: (not one.may_decide, not one.is_own, -one.request.asked_at.timestamp()))


def lately(access: OrgAccess) -> list[Shown]:
    """Return the other requests of the last days."""
    since = timezone.now() - SHOWN_FOR
    found = _seen(access, ApprovalRequest.objects.filter(asked_at__gt=since))
    return [one for one in found if not one.is_open]


def count_to_decide(access: OrgAccess) -> int:
    """Return how many requests wait for this operator. No query where nothing needs an approval."""
    if not rules_of(access.org).is_on:
        return 0
    return sum(one.may_decide for one in waiting(access))


def _seen(access: OrgAccess, requests: QuerySet[ApprovalRequest]) -> list[Shown]:
    of_org = requests.filter(organization=access.org).select_related("organization", "requester", "approver")
    found = [request for request in of_org.order_by("-asked_at")[:_MOST] if may_see(access, request)]
    is_new_member = is_new(access.membership) if found else None  # once, not for each
    return [Shown(request, access, is_new_member) for request in found]
