"""Settings > Single sign-on: the provider's groups that have a role here, and whether members have to use it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.models import MappedGroup, Membership, Role
from console.operators import members
from console.sessions import single_sign_on
from console.sessions.fresh import signed_in_at
from console.single_sign_on import mapping
from console.single_sign_on.flow import redirect_uri
from console.single_sign_on.forms import MappedGroupForm
from console.source_address import source_address


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def mapped_groups(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the groups (GET), or map one, remove one, or demand single sign-on (POST `do`)."""
    roles = list(access.org.roles.all())
    form = MappedGroupForm(roles=roles, initial={"role": Membership.Role.HELPDESK_AGENT})
    if request.method != "POST":
        if kept := restore(request):
            messages.warning(request, str(kept.notice))
            form = MappedGroupForm(roles=roles, initial=kept.typed.dict())
        return _page(request, access, form, roles)
    known: dict[str, object] = {"signed_in_at": signed_in_at(request), "source_address": source_address(request)}
    if request.POST.get("do") == "remove":
        _remove(request, access, known)
    elif request.POST.get("do") == "demand":
        _demand(request, access, known)
    else:
        form = MappedGroupForm(request.POST, roles=roles)
        if not _added(request, access, form, known):
            return _page(request, access, form, roles)
    return redirect("mapped-groups", access.org.slug)


def _added(request: ConsoleRequest, access: OrgAccess, form: MappedGroupForm, known: dict[str, object]) -> bool:
    if not form.is_valid():
        return False
    try:
        mapping.add(access, form.cleaned_data["group"], form.cleaned_data["role"], **known)  # type: ignore[arg-type]
    except mapping.AlreadyMapped:
        form.add_error("group", _("This group has a role already. Remove it first."))
    except members.BeyondOwnRights:
        form.add_error("role", _("This role has rights that you do not have. Ask an org admin."))
    except Role.DoesNotExist:
        form.add_error("role", _("This role no longer exists."))
    else:
        messages.success(request, _("Mapped the group. It applies when its people sign in next."))
    return not form.errors


def _remove(request: ConsoleRequest, access: OrgAccess, known: dict[str, object]) -> None:
    typed = request.POST.get("mapped", "")
    mapped_id = int(typed) if typed.isdecimal() and len(typed) < 19 else 0
    try:
        mapping.remove(access, mapped_id, **known)  # type: ignore[arg-type]
    except MappedGroup.DoesNotExist:
        messages.warning(request, _("This group was removed already."))
    else:
        messages.success(request, _("Removed the group. Its people lose the role when they sign in next."))


def _demand(request: ConsoleRequest, access: OrgAccess, known: dict[str, object]) -> None:
    is_demanded = request.POST.get("demanded") == "on"
    if is_demanded and single_sign_on.vouched_for(request, access.operator) is None:
        messages.error(request, _("Sign in by single sign-on first, so that you do not lock yourself out."))
    elif mapping.demand(access, is_demanded, **known):  # type: ignore[arg-type]
        messages.success(request, _("Saved. It applies from the next request on."))


def _page(request: ConsoleRequest, access: OrgAccess, form: MappedGroupForm, roles: list[Role]) -> HttpResponse:
    names = dict(Membership.Role.choices) | {role.key: role.name for role in roles}
    context = {
        "form": form,
        "mapped": [(one, names.get(one.role)) for one in access.org.mapped_groups.all()],
        "issuer": settings.OIDC_ISSUER,
        "provider": settings.OIDC_NAME,
        "claim": settings.OIDC_GROUPS_CLAIM,
        "redirect_uri": redirect_uri(),
        "is_only_way": settings.OIDC_ONLY,
    }
    return render(request, "console/single_sign_on/mapped_groups.html", context, status=422 if form.is_bound else 200)
