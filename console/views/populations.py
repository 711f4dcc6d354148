"""The environment's populations, as of the last sync."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from pingone_integration import population_sync


@org_view(Permission.VIEW_USERS)
@require_safe
def population_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the operator's stored populations and their age. No call to PingOne."""
    connection = access.org.connection
    found = population_sync.synced(connection)
    synced = [population for population in found if access.sees_population(population.population_id)]
    context = {
        "populations": synced,
        "synced_at": synced[0].synced_at if synced else None,
        "user_total": sum(population.user_count or 0 for population in synced),
        "may_run_jobs": access.allows(Permission.RUN_JOBS),
        "may_sync": access.allows(Permission.SYNC_POPULATIONS) and connection.has_grant,
    }
    return render(request, "console/users/populations.html", context)


@org_view(Permission.SYNC_POPULATIONS)
@require_POST
def sync(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    count = population_sync.sync(access.org.connection, access.pingone())
    if access.is_narrowed:
        messages.success(request, _("Synced your populations from PingOne."))
        return redirect("populations", access.org.slug)
    synced = ngettext_lazy("Synced {count} population from PingOne.", "Synced {count} populations from PingOne.", count)
    messages.success(request, format_lazy(synced, count=count))
    return redirect("populations", access.org.slug)
