"""Answers to an operator's action: its circumstances, flash messages, and redirects that htmx follows too."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from console.access import OrgAccess
from console.actions.forms import ActionForm
from console.actions.outcome import Notice
from console.audit.entries import Circumstances
from console.failures.failure import with_explanation
from console.fragments import wants_fragment
from console.source_address import source_address

TYPED_BEFORE = _("You were signed out before this was submitted. Nothing was changed. Your entries are below.")


def circumstances_of(request: HttpRequest, form: Form) -> Circumstances:
    """Return the circumstances from a valid ActionForm."""
    return Circumstances(
        source_address=source_address(request),
        ticket=form.cleaned_data["ticket"],
        reason=form.cleaned_data["reason"],
        submission=form.cleaned_data["submission"],
    )


def tell(request: HttpRequest, access: OrgAccess, notice: Notice) -> None:
    """Show the notice on the next page, or with the next fragment."""
    text = with_explanation(access, notice.text, notice.kind)
    messages.add_message(request, notice.level, text, extra_tags=str(notice.undoes or ""))


def tell_notes(request: HttpRequest, form: ActionForm) -> None:
    """Say which values were saved in another spelling than the typed one."""
    for note in form.notes:
        messages.info(request, str(note))


def go(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)


def with_panels(response: HttpResponse, panels: tuple[str, ...]) -> HttpResponse:
    """Tell these panels of the user's page to reload."""
    for panel in panels:
        trigger_client_event(response, f"{panel}-changed")
    return response
