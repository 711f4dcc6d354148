"""Settings > Policies > Emails to users: which events users are told of."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.policies.user_mail_settings import UserMailSettingsForm, change, values_of
from console.source_address import source_address


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def user_mails(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the settings (GET), or save them (POST)."""
    is_sent = request.method == "POST"
    kept = None if is_sent else restore(request)
    if kept:
        messages.warning(request, str(kept.notice))
    data = request.POST if is_sent else kept.typed if kept else None
    form = UserMailSettingsForm(data, initial=values_of(access.org))
    if is_sent and form.is_valid():
        changed = change(access, form.cleaned_data, source_address=source_address(request))
        messages.success(request, _("Settings saved.") if changed else _("Nothing was changed."))
        return redirect("user-mails", access.org.slug)
    return render(request, "console/policies/user_mails.html", {"form": form}, status=422 if is_sent else 200)
