"""Marking users and groups as protected, and removing the mark."""

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions import demands
from console.actions.demands import Demand
from console.approvals.marks import unmark
from console.approvals.rules import rules_of
from console.fields import TextField
from console.kept_forms import restore
from console.protection import marks
from console.protection.marks import Kind
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration import groups


class MarkForm(Form):
    reason = TextField(label=_("Reason"), max_length=1000, help_text=_("Saved in the audit log."))


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def mark_user(request: ConsoleRequest, access: OrgAccess, target_id: UUID) -> HttpResponse:
    """Mark a user, or remove the mark, which needs a fresh sign-in."""
    name = visible_users.get(access, access.pingone(), target_id).display_name
    return _answer(request, access, Kind.USER, target_id, name)


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def mark_group(request: ConsoleRequest, access: OrgAccess, target_id: UUID) -> HttpResponse:
    """Mark a group and thus its members, or remove the mark, which needs a fresh sign-in."""
    name = groups.get(access.pingone(), target_id).name or str(target_id)
    return _answer(request, access, Kind.GROUP, target_id, name)


def _answer(request: ConsoleRequest, access: OrgAccess, kind: Kind, target_id: UUID, name: str) -> HttpResponse:
    marked = marks.mark_of(access, kind, target_id)
    back = reverse(str(kind), args=[access.org.slug, target_id])
    is_sent = request.method == "POST"
    kept = None if is_sent else restore(request)
    form = MarkForm(request.POST if is_sent else kept.typed if kept else None)
    if is_sent and form.is_valid():
        given = {"name": name, "reason": form.cleaned_data["reason"], "source_address": source_address(request)}
        if not marked or marked.ends_at:
            marks.mark(access, kind, target_id, **given)
            told = _("{name} stays protected.") if marked else _("{name} is now protected.")
        elif demands.unmet({Demand.FRESH_SIGN_IN}, reason=given["reason"], signed_in_at=signed_in_at(request)):
            return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
        elif unmark(access, kind, target_id, **given):
            told = _(
                "{name} is protected for another 24 hours. All org admins got an email, and can keep the protection."
            )
        else:
            told = _("{name} is no longer marked as protected.")
        messages.success(request, format_lazy(told, name=name))
        return redirect(back)
    context = {
        "form": form,
        "mark": marked,
        "ends_later": rules_of(access.org).protected,
        "name": name,
        "is_group": kind is Kind.GROUP,
        "back": back,
    }
    return render(request, "console/protection/mark.html", context, status=422 if is_sent else 200)
