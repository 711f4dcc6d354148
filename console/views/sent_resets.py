"""Whether codes that were sent have been used: parts of two pages that ask by themselves while the worker looks.

Without JavaScript, a reload shows the same.
"""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.fragments import wants_fragment
from console.protection.facts import facts_of
from console.users import lately, panel_addresses
from console.users.sent_resets import mark_of, rows_of, sent_lately

UNCHANGED = 204  # htmx leaves the page as it is


@org_view(Permission.VIEW_USERS)
@require_safe
def sent_resets(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show what the operator sent lately, for their first page."""
    if not wants_fragment(request):
        return redirect("organization", access.org.slug)
    rows = rows_of(access)
    if request.GET.get("was") == mark_of(rows):
        return HttpResponse(status=UNCHANGED)
    if not rows:
        return HttpResponse()
    return render(request, "console/home/sent_resets.html", {"sent": sent_lately(access, rows)})


@org_view(Permission.VIEW_USERS)
@require_safe
def sent_reset(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Show the latest code or new password that a user was sent, for their page. No call to PingOne for its own URL."""
    is_closed = panel_addresses.CLOSED in request.GET
    facts = facts_of(access.org, user_id, (), build=lately.query)
    reset = lately.reset_of(access, user_id, facts, is_closed=is_closed)
    signed = request.GET.get(panel_addresses.FIELD, "")
    was_theirs = reset is not None and access.sees_population(reset.population_id)
    if not was_theirs and not panel_addresses.is_signed(access, user_id, signed):
        visible_users.get(access, access.pingone(), user_id)
    if not wants_fragment(request):
        return redirect("user", access.org.slug, user_id)
    if reset is None or reset.mark == request.GET.get("was"):
        return HttpResponse(status=UNCHANGED)
    sent_url = panel_addresses.sent_url(access, user_id, signed, is_closed=is_closed, mark=reset.mark)
    response = render(request, "console/users/lately.html#reset", {"reset": reset, "sent_url": sent_url})
    # Once it was used, the page's panel shows an old state of the password.
    return trigger_client_event(response, "password-changed", after="settle") if reset.used_at else response
