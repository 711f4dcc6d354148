"""Settings > Policies > Directory: who a user's manager is, and how usernames are made."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.plans.directory import DirectoryForm, change
from console.source_address import source_address
from console.users.remembered import known_attributes


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def directory(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the settings (GET), or save them (POST)."""
    access.require_org_admin()
    data = request.POST if request.method == "POST" else None
    form = DirectoryForm(data, organization=access.org, attributes=known_attributes(access))
    if form.is_valid():
        changed = change(access, form.cleaned_data, source_address=source_address(request))
        messages.success(request, _("Settings saved.") if changed else _("Nothing was changed."))
        return redirect("directory", access.org.slug)
    return render(request, "console/plans/directory.html", {"form": form}, status=422 if form.is_bound else 200)
