"""Settings > Policies > Crawls: whether populations are read once a day, and the crawls that wait for an org admin."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.crawls import populations
from console.crawls.overview import overview
from console.source_address import source_address
from pingone_integration.texts import Text
from pingone_integration.values import identifier


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def crawls(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the crawls of each population (GET), or do what the pressed button says (POST)."""
    access.require_org_admin()
    if request.method == "POST":
        if (do := _DO.get(request.POST.get("do", ""))) is None:
            raise PermissionDenied
        messages.success(request, str(do(request, access)))
        return redirect("crawls", access.org.slug)
    context = {"is_on": populations.is_on(access.org), "populations": overview(access)}
    return render(request, "console/crawls/crawls.html", context)


def _switch_on(request: ConsoleRequest, access: OrgAccess) -> Text:
    populations.switch_on(access, source_address=source_address(request))
    return _("Crawls are on. The first ones begin now.")


def _switch_off(request: ConsoleRequest, access: OrgAccess) -> Text:
    populations.switch_off(access, source_address=source_address(request))
    return _("Crawls are off. What was read is deleted.")


def _crawl_now(request: ConsoleRequest, access: OrgAccess) -> Text:
    if population_id := identifier(request.POST.get("population", "")):
        populations.crawl_now(access, population_id)
    return _("The crawl begins now.")


def _accept(request: ConsoleRequest, access: OrgAccess) -> Text:
    chosen = request.POST.get("crawl", "")
    crawl_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else 0
    if populations.accept(access, crawl_id, source_address=source_address(request)):
        return _("Accepted. The crawl takes the place of the last one now.")
    return _("Nothing was changed: this crawl does not wait anymore.")


_DO: dict[str, Callable[[ConsoleRequest, OrgAccess], Text]] = {
    "switch-on": _switch_on,
    "switch-off": _switch_off,
    "crawl-now": _crawl_now,
    "accept": _accept,
}
