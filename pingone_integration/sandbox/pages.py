"""The sandbox's own pages for people: its index, and the outbox of emails that PingOne would have sent."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pingone_integration.sandbox.connection import connection_details
from pingone_integration.sandbox.models import Environment, Mail
from pingone_integration.sandbox.seed.named import PEOPLE

SHOWN = 200  # emails


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    url = settings.SANDBOX_URL or request.build_absolute_uri("/").rstrip("/")
    environments = Environment.objects.order_by("kind", "name")
    # People with hostile texts are all alike and would fill the page.
    people = [person for person in PEOPLE if not person.about.startswith("every text")]
    context = {"connection": connection_details(url), "environments": environments, "people": people}
    return plain(render(request, "sandbox/index.html", context))


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """List emails, newest first. `?to=` shows one address only."""
    mails = Mail.objects.all()
    if to := request.GET.get("to"):
        mails = mails.filter(to=to)
    return plain(render(request, "sandbox/outbox.html", {"mails": mails[:SHOWN], "to": to}))


def plain(response: HttpResponse) -> HttpResponse:
    """Forbid scripts, even if an invented name contains one."""
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
    response["Cache-Control"] = "no-store"
    return response
