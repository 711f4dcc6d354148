"""The sandbox's own pages for people: its index, and the mailbox of its users."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from pingone_integration.sandbox.connection import connection_details
from pingone_integration.sandbox.models import Environment, Mail, User
from pingone_integration.sandbox.seed import fixtures
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


@csrf_exempt  # a page of another site cannot send JSON here
@require_http_methods(["GET", "HEAD", "POST"])
def outbox(request: HttpRequest) -> HttpResponse:
    """List emails, newest first; `?to=` shows one address only. POST an email as JSON to deliver it here."""
    if request.method == "POST":
        return HttpResponse(status=201 if _delivered(request) else 400)
    mails = Mail.objects.all()
    if to := request.GET.get("to"):
        mails = mails.filter(to=to)
    return plain(render(request, "sandbox/outbox.html", {"mails": mails[:SHOWN], "to": to}))


def _delivered(request: HttpRequest) -> bool:
    """Store an email that somebody else than PingOne sends to a user."""
    try:
        sent: Any = json.loads(request.body) if request.content_type == "application/json" else None
        to, subject, body = (str(sent[name]) for name in ("to", "subject", "body"))
    except (ValueError, KeyError, TypeError):
        return False
    user = User.objects.filter(environment_id=fixtures.MANAGED_ENVIRONMENT_ID, email_key=to.lower()).first()
    Mail.objects.create(
        environment_id=fixtures.MANAGED_ENVIRONMENT_ID,
        user_id=user.id if user else UUID(int=0),
        to=to[:256],
        subject=subject[:256],
        body=body,
    )
    return True


def plain(response: HttpResponse) -> HttpResponse:
    """Forbid scripts, even if an invented name contains one."""
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
    response["Cache-Control"] = "no-store"
    return response
