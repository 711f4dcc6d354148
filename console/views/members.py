"""Settings > Members: an organization's operators and their roles."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view, second_factors_of
from console.audit.search import latest
from console.audit.wording import Line
from console.kept_forms import restore
from console.models import FactorReset, Membership
from console.operators import invitations, lost_factor, members
from console.operators.forms import MemberForm, RoleForm
from console.operators.population_form import PopulationsForm
from console.plans.calendar import started_by
from console.policies.explanation import explained
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration.texts import Text

LATELY = 20  # entries of the audit log on an operator's page
_BEYOND = _("This role has rights that you do not have. Ask an org admin.")
_FRESH = _("Sign in again to make someone an org admin, and then choose the role once more.")
_ELSEWHERE = _("This account belongs to other organizations as well. Ask whoever runs this server.")
_LAST = _("This is the only org admin. Make someone else an org admin first.")


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def member_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the members (GET), or invite one (POST)."""
    least = {"role": Membership.Role.HELPDESK_AGENT}  # a higher role is a deliberate choice
    roles = list(access.org.roles.all())
    form = MemberForm(request.POST if request.method == "POST" else None, roles=roles, initial=least)
    if request.method != "POST" and (kept := restore(request)):
        messages.warning(request, str(kept.notice))
        form = MemberForm(roles=roles, initial=least | kept.typed.dict())
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            link = invitations.send(
                access,
                chosen["email"],
                chosen["name"],
                chosen["role"],
                signed_in_at=signed_in_at(request),
                source_address=source_address(request),
            )
        except members.NotFresh:
            return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
        except members.BeyondOwnRights:
            form.add_error("role", _BEYOND)
        except invitations.AlreadyMember:
            form.add_error("email", _("This person is already a member."))
        except invitations.AlreadyInvited:
            form.add_error("email", _("This person is already invited. You can send the invitation again."))
        else:
            if not invitations.mails_links():
                context = {"link": link, "email": chosen["email"]}
                return render(request, "console/operators/invitation_link.html", context)
            messages.success(request, format_lazy(_("Invited {email} by email."), email=chosen["email"]))
            return redirect("members", access.org.slug)
    memberships = access.org.memberships.select_related("operator", "custom_role").annotate(
        has_second_factor=Exists(second_factors_of(OuterRef("operator")))
    )
    names = dict(Membership.Role.choices) | {role.key: role.name for role in roles}
    context = {
        "form": form,
        "invitations": [
            (invitation, names.get(invitation.role, invitation.role))
            for invitation in access.org.invitations.open().order_by("email")
        ],
        "mails_links": invitations.mails_links(),
        "may_set_policies": access.allows(Permission.MANAGE_POLICIES),
        "members": [
            (
                membership,
                RoleForm(roles=roles, initial={"role": membership.role_key}, auto_id=f"role-{membership.pk}-%s"),
            )
            for membership in memberships.order_by("operator__email")
        ],
    }
    return render(request, "console/operators/members.html", context, status=422 if form.is_bound else 200)


@org_view(Permission.MANAGE_MEMBERS)
@require_safe
def member(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    """Show a member, whose users they see, and their latest actions."""
    membership = _membership_or_404(access, membership_id)
    return _member_page(request, access, membership, PopulationsForm(membership))


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def member_populations(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    """Set the populations whose users the member sees. The form is on the member's page."""
    if request.method != "POST":
        return redirect("member", access.org.slug, membership_id)
    membership = _membership_or_404(access, membership_id)
    form = PopulationsForm(membership, request.POST)
    if not form.is_valid():
        return _member_page(request, access, membership, form)
    try:
        members.narrow(access, membership, form.chosen, form.names, source_address=source_address(request))
    except members.SeesAll:
        messages.error(request, _("Org admins see the users of all populations."))
    else:
        messages.success(request, _("Saved the populations. They apply from the next request on."))
    return redirect("member", access.org.slug, membership_id)


def _membership_or_404(access: OrgAccess, membership_id: int) -> Membership:
    found = Membership.objects.select_related("operator", "organization__connection", "custom_role")
    return get_object_or_404(found, organization=access.org, pk=membership_id)


def _member_page(
    request: ConsoleRequest, access: OrgAccess, membership: Membership, form: PopulationsForm
) -> HttpResponse:
    operator = membership.operator
    context = {
        "membership": membership,
        "is_account_elsewhere": operator.memberships.exclude(organization=access.org).exists(),
        "factor_reset": FactorReset.objects.open().filter(operator=operator).first(),
        "is_self": operator == access.operator,
        "has_second_factor": second_factors_of(operator).exists(),
        "history_url": reverse("audit", args=[access.org.slug], query={"operator": operator.email}),
        "lately": [Line(entry) for entry in latest(access, most=LATELY, operator=operator)],
        "by_operator": True,
        "explained": explained(membership),
        "populations_form": form,
    }
    return render(request, "console/operators/member.html", context, status=422 if form.is_bound else 200)


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def change_role(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    membership = get_object_or_404(Membership, organization=access.org, pk=membership_id)
    form = RoleForm(request.POST, roles=access.org.roles.all())
    if not form.is_valid():
        messages.error(request, _("Choose a role from the list."))
        return redirect("members", access.org.slug)
    role = str(form.cleaned_data["role"])
    try:
        members.change_role(
            access, membership, role, signed_in_at=signed_in_at(request), source_address=source_address(request)
        )
    except members.NotFresh:
        messages.warning(request, _FRESH)
        return to_sign_in_again(request, back_to=reverse("members", args=[access.org.slug]))
    except members.BeyondOwnRights:
        messages.error(request, _BEYOND)
        return redirect("members", access.org.slug)
    except members.LastOrgAdmin:
        messages.error(request, _LAST)
        return redirect("members", access.org.slug)
    membership.refresh_from_db()
    told = format_lazy(
        _("{email} now has the role {role}."), email=membership.operator.email, role=membership.role_name
    )
    messages.success(request, told)
    return redirect("members" if access.again().allows(Permission.MANAGE_MEMBERS) else "organization", access.org.slug)


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def remove(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    """Ask (GET), then remove the member (POST)."""
    membership = get_object_or_404(
        Membership.objects.select_related("operator"), organization=access.org, pk=membership_id
    )
    if request.method != "POST":
        context = {"membership": membership, "runs": started_by(access, membership.operator)}
        return render(request, "console/operators/remove.html", context)
    try:
        members.remove(access, membership, source_address=source_address(request))
    except members.BeyondOwnRights:
        messages.error(request, _BEYOND)
        return redirect("members", access.org.slug)
    except members.LastOrgAdmin:
        messages.error(request, _LAST)
        return redirect("members", access.org.slug)
    told = format_lazy(_("Removed {email} from {org}."), email=membership.operator.email, org=access.org.name)
    messages.success(request, told)
    return redirect("home") if membership.operator == access.operator else redirect("members", access.org.slug)


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def suspend(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    return _change(request, access, membership_id, members.suspend, _("Suspended {email} in {org}."))


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def reactivate(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    return _change(request, access, membership_id, members.reactivate, _("Reactivated {email} in {org}."))


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def end_sessions(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    return _change(request, access, membership_id, members.end_sessions, _("Signed {email} out everywhere."))


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def reset_second_factor(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    told = _("We told {email}. Their second factors are removed unless they stop it.")
    return _change(request, access, membership_id, lost_factor.ask, told)


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def cancel_factor_reset(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    return _change(request, access, membership_id, lost_factor.cancel, _("Canceled the reset for {email}."))


def _change(
    request: ConsoleRequest, access: OrgAccess, membership_id: int, change: Callable[..., object], done: Text
) -> HttpResponse:
    """Run a change of a member that asks for a fresh sign-in, and return to the member's page."""
    membership = _membership_or_404(access, membership_id)
    page = reverse("member", args=[access.org.slug, membership_id])
    try:
        change(access, membership, signed_in_at=signed_in_at(request), source_address=source_address(request))
    except members.NotFresh:
        messages.warning(request, _("Sign in again to confirm that it is you, and then choose it once more."))
        return to_sign_in_again(request, back_to=page)
    except members.BeyondOwnRights:
        messages.error(request, _BEYOND)
    except members.LastOrgAdmin:
        messages.error(request, _LAST)
    except lost_factor.NotPossible:
        messages.error(
            request, _("Nothing was changed: this member has no second factor of which that can be done now.")
        )
    except members.InOtherOrganizations:
        messages.error(request, _ELSEWHERE)
    else:
        messages.success(request, str(done).format(email=membership.operator.email, org=access.org.name))
    return redirect("home") if change is members.suspend and _is_out(access) else redirect(page)


def _is_out(access: OrgAccess) -> bool:
    return not access.operator.entered_organizations.filter(pk=access.org.pk).exists()
