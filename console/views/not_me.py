"""The page behind the link "this was not me" in an email to a user. For anybody who has the link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.access import public_view
from console.user_mails.events import BY_KEY
from console.user_mails.links import link_of


@public_view(reason="users have no account here: the secret of the link is the proof")
@require_safe
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the email told of. Programs that follow links change nothing."""
    link = link_of(token)
    context = {"link": link, "event": BY_KEY.get(link.event) if link else None}
    return render(request, "console/user_mails/not_me.html", context, status=200 if link else 404)
