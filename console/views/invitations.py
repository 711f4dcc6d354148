"""The page behind the link of an invitation, for anybody who has the link, and the buttons of its sender."""

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from console.access import ConsoleRequest, OrgAccess, Permission, org_view, public_view
from console.models import Invitation, Role
from console.operators import invitations, members
from console.operators.invitation_forms import NewAccountForm
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address


@public_view(reason="the invited person has no account yet: the secret of the link is the proof")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation (GET), or accept it (POST): with a new account, or as the account that is signed in."""
    found = invitations.find(token)
    if found is None:
        return _void(request)
    account = invitations.account_of(found)
    if account is None:
        return _with_new_account(request, found, token)
    if request.method == "POST" and request.user.is_authenticated:
        try:
            invitations.accept(token, request.user, source_address=source_address(request))
        except invitations.Void:
            return _void(request)
        except invitations.OtherAccount:
            return _page(request, found, status=403, has_account=True)
        messages.success(request, format_lazy(_("You are now a member of {org}."), org=found.organization.name))
        return redirect("organization", found.organization.slug)
    return _page(request, found, has_account=True, is_theirs=request.user == account)


def _with_new_account(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = NewAccountForm(sent, invitation=found)
    if request.user.is_authenticated:
        return _page(request, found, has_account=False)
    if settings.OIDC_ONLY:  # a password would let nobody in
        return render(request, "console/operators/invitation_by_groups.html", {"invitation": found}, status=403)
    if not form.is_valid():
        return _page(request, found, form=form, status=422 if form.is_bound else 200)
    chosen = form.cleaned_data
    try:
        operator = invitations.accept_with_new_account(
            token, chosen["name"], chosen["password1"], source_address=source_address(request)
        )
    except invitations.Void:
        return _void(request)
    login = Login(user=operator, email_verification="none", email=operator.email)
    response: HttpResponse = perform_password_login(request, {"email": operator.email}, login)
    return response


def _page(request: HttpRequest, found: Invitation, *, status: int = 200, **more: object) -> HttpResponse:
    return render(request, "console/operators/invitation.html", {"invitation": found, **more}, status=status)


def _void(request: HttpRequest) -> HttpResponse:
    return render(request, "console/operators/invitation.html", status=404)


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def send_again(request: ConsoleRequest, access: OrgAccess, invitation_id: int) -> HttpResponse:
    kept = get_object_or_404(Invitation, organization=access.org, pk=invitation_id)
    try:
        link = invitations.send_again(
            access, kept, signed_in_at=signed_in_at(request), source_address=source_address(request)
        )
    except members.NotFresh:
        return to_sign_in_again(request, back_to=reverse("members", args=[access.org.slug]))
    except members.BeyondOwnRights:
        messages.error(request, _("This role has rights that you do not have. Ask an org admin."))
    except Role.DoesNotExist:
        messages.error(request, _("This role no longer exists. Withdraw the invitation and send another one."))
    except invitations.Void:
        messages.error(request, _("This invitation was accepted or withdrawn meanwhile."))
    else:
        if not invitations.mails_links():
            return render(request, "console/operators/invitation_link.html", {"link": link, "email": kept.email})
        messages.success(request, format_lazy(_("Sent {email} a new link."), email=kept.email))
    return redirect("members", access.org.slug)


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def withdraw(request: ConsoleRequest, access: OrgAccess, invitation_id: int) -> HttpResponse:
    kept = get_object_or_404(Invitation, organization=access.org, pk=invitation_id)
    try:
        invitations.withdraw(access, kept, source_address=source_address(request))
    except invitations.Void:
        messages.error(request, _("This invitation was accepted or withdrawn meanwhile."))
    else:
        messages.success(request, format_lazy(_("Withdrew the invitation of {email}."), email=kept.email))
    return redirect("members", access.org.slug)
