"""The page behind the link "this was not me" in an email to a user. For anybody who has the link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from console.access import public_view
from console.models import NotMeReport
from console.not_me.reports import report
from console.recovery.policy import settings_of as helpdesk_of
from console.source_address import source_address
from console.user_mails.events import BY_KEY
from console.user_mails.links import link_of
from console.user_mails.tell import settings_of


@public_view(reason="users have no account here: the secret of the link is the proof")
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the email told of (GET), and report that it was somebody else (POST).

    Programs that follow links change nothing.
    """
    link = link_of(token)
    if link is None:
        return render(request, "console/user_mails/not_me.html", status=404)
    if request.method == "POST":
        report(link, source_address=source_address(request))
        return redirect("not-me", token)
    context = {
        "link": link,
        "event": BY_KEY[link.event],
        "report": NotMeReport.objects.filter(link=link).first(),
        "lock_days": settings_of(link.organization).lock_days,
        "helpdesk": helpdesk_of(link.organization),
    }
    return render(request, "console/user_mails/not_me.html", context)
