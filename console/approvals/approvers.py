"""Who may approve a request: somebody else, who holds the right themselves, and has been a member for a while."""

import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import ApprovalRequest, AuditEntry, JobRow, Membership, Operator, Organization
from console.rights.permissions import Permission
from console.rights.roles import rights_of
from pingone_integration.texts import Text

MEMBER_FOR = timedelta(hours=24)
REMEMBERED_FOR = timedelta(days=7)  # who was an org admin
_GIVES = frozenset(
    {  # events by which somebody may do more, or sees more users
        "membership.added",
        "membership.role-changed",
        "membership.populations-changed",
        "membership.reactivated",
    }
)

_OWN = _("You asked for this yourself. Somebody else has to decide.")
_SAME_PERSON = _("Your account has the same email address as the one that asked. Somebody else has to decide.")
_ABOUT_YOU = _("This is about your own account. Somebody else has to decide.")
_NO_RIGHT = _("Your role does not allow this action, so you cannot approve it.")
_ORG_ADMINS = _("Only org admins decide about protected accounts.")
_NOT_SEEN = _("It is about users outside your populations.")
_TOO_NEW = _("You got your role less than {hours} hours ago. Somebody else has to decide.")
_VIEWING = _("You are viewing as another member. Stop viewing to decide.")


def hindrance(access: OrgAccess, request: ApprovalRequest, *, is_new_member: bool | None = None) -> Text:
    """Return why this operator cannot decide about the request, or "" if they can.

    `is_new_member`: as of `is_new`, where it is known already; None: it is looked up if it matters.
    """
    operator, requester = access.operator, request.requester
    own = same_person(operator.email)
    if access.viewing_as is not None:
        return _VIEWING
    if operator.pk == requester.pk:
        return _OWN
    if own == same_person(requester.email):
        return _SAME_PERSON
    if own in map(same_person, [request.subject_name, *request.subject_emails]) or _is_in_job(operator, request):
        return _ABOUT_YOU
    if not holds_right(access, request):
        return _NO_RIGHT
    if request.protects and not access.is_org_admin:
        return _ORG_ADMINS
    if not sees(access, request):
        return _NOT_SEEN
    if is_new(access.membership) if is_new_member is None else is_new_member:
        return format_lazy(_TOO_NEW, hours=int(MEMBER_FOR.total_seconds() // 3600))
    return ""


def holds_right(access: OrgAccess, request: ApprovalRequest) -> bool:
    may = all((not key or access.rights.may(key)) and access.allows(Permission(of)) for key, of in request.needs)
    return may and all(map(access.may_edit, request.fields))


def sees(access: OrgAccess, request: ApprovalRequest) -> bool:
    """Return whether the request may be shown to the operator. A narrowed one sees nothing about unknown users."""
    if not access.is_narrowed:
        return True
    return bool(request.populations) and all(map(access.sees_population, request.population_ids))


def is_new(membership: Membership) -> bool:
    """Return whether they got their role, its rights or their account lately, as far as the row or the record knows.

    The record as well: a version before this one, still serving during an upgrade, writes only that.
    """
    begins = timezone.now() - MEMBER_FOR
    if membership.since is None or max(membership.since, membership.operator.date_joined) > begins:
        return True
    of_role = Q(action="role.changed", subject_id=membership.role_key)
    of_member = Q(action__in=_GIVES, subject_id=str(membership.operator_id))
    lately = AuditEntry.objects.filter(organization=membership.organization, at__gt=begins)
    return lately.filter(of_role | of_member, outcome=AuditEntry.Outcome.SUCCEEDED).exists()


def _is_in_job(operator: Operator, request: ApprovalRequest) -> bool:
    """Return whether a row of the job is about the operator themself."""
    if request.about is None or request.kind != ApprovalRequest.Kind.JOB:
        return False
    address = operator.email
    rows = JobRow.objects.filter(job_id=request.about)
    return rows.filter(Q(label__iexact=address) | Q(key__iexact=address)).exists()


def able(organization: Organization, request: ApprovalRequest) -> list[OrgAccess]:
    """Return the members who can decide about the request now."""
    return [access for access in accesses(organization) if not hindrance(access, request)]


def former_org_admins(organization: Organization) -> list[Operator]:
    """Return those who were org admins in the last days, and whose role was taken from them or suspended."""
    begins = timezone.now() - REMEMBERED_FOR
    ended = AuditEntry.objects.filter(
        organization=organization,
        action__in=("membership.removed", "membership.role-changed"),
        outcome=AuditEntry.Outcome.SUCCEEDED,
        at__gt=begins,
    )
    were = {one.subject_id for one in ended if (one.before or {}).get("role") == Membership.Role.ORG_ADMIN}
    suspended = Membership.objects.filter(
        organization=organization, role=Membership.Role.ORG_ADMIN, custom_role=None, suspended_at__gt=begins
    )
    known = Operator.objects.filter(Q(pk__in=were) | Q(pk__in=suspended.values("operator")), is_active=True)
    return list(known.exclude(pk__in=organization.org_admins()).order_by("email"))


def accesses(organization: Organization) -> Iterable[OrgAccess]:
    """Yield what each member may do, as `enter_org` would."""
    members = Membership.objects.filter(organization=organization, suspended_at=None, operator__is_active=True)
    for membership in members.select_related("organization__connection", "operator", "custom_role"):
        yield OrgAccess(
            membership.organization,
            membership.operator,
            membership,
            rights_of(membership),
            populations=membership.narrowed_to,
        )


def same_person(address: str) -> str:
    """Return what two spellings of one mailbox have in common: the case, and a part after + do not count."""
    name, at, host = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    return f"{name.partition('+')[0]}{at}{host}" if at else host
