"""Settings > Policies > Limits: the organization's own values, and the limits that are reached now."""

from collections.abc import Iterable

from django.contrib import messages
from django.forms import Form, IntegerField
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.limits import policy
from console.limits.reached import NotLifted, lift, now_reached
from console.limits.rules import LIMITS
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address

MOST = 100_000


class LimitsForm(Form):
    """One field for each limit."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        wrong = format_lazy(_("Enter a number from 1 to {most}."), most=MOST)
        told = dict.fromkeys(("invalid", "min_value", "max_value"), wrong)
        for limit in LIMITS:
            self.fields[limit.key] = IntegerField(
                label=str(limit.label), min_value=1, max_value=MOST, error_messages=told
            )


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def limits(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the limits (GET), or save them (POST)."""
    initial: dict[str, object] = {**policy.values(access.org)}
    if request.method != "POST" and (kept := restore(request)):
        messages.warning(request, str(kept.notice))
        initial |= kept.typed.dict()
    form = LimitsForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            changed = policy.change(
                access, form.cleaned_data, signed_in_at=signed_in_at(request), source_address=source_address(request)
            )
        except NotLifted as refusal:
            return _not_lifted(request, access, refusal, keeps=form.fields)
        messages.success(request, _("Limits saved.") if changed else _("Nothing was changed."))
        return redirect("limits", access.org.slug)
    context = {"form": form, "reached": now_reached(access.org)}
    return render(request, "console/limits/limits.html", context, status=422 if form.is_bound else 200)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def lift_limit(request: ConsoleRequest, access: OrgAccess, reached_id: int) -> HttpResponse:
    """Lift a reached limit, for which the operator may have to sign in again first."""
    found = next((one for one in now_reached(access.org) if one.row.pk == reached_id), None)
    if found is None:
        raise Http404("No such reached limit.")
    try:
        lift(access, found, signed_in_at=signed_in_at(request), source_address=source_address(request))
    except NotLifted as refusal:
        return _not_lifted(request, access, refusal)
    messages.success(request, _("Limit lifted. Counting starts anew."))
    return redirect("limits", access.org.slug)


def _not_lifted(
    request: ConsoleRequest, access: OrgAccess, refusal: NotLifted, *, keeps: Iterable[str] = ()
) -> HttpResponse:
    if refusal.demanded:
        return to_sign_in_again(request, back_to=reverse("limits", args=[access.org.slug]), keeps=keeps)
    messages.error(request, str(refusal.reason))
    return redirect("limits", access.org.slug)
