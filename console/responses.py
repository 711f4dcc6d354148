"""Answers to an operator's action: its circumstances, flash messages, and redirects that htmx follows too."""

from collections.abc import Iterable

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from console import kept_forms
from console.access import ConsoleRequest, OrgAccess
from console.actions.demands import Demand
from console.actions.forms import ActionForm
from console.actions.notices import Notice, notice_of_step
from console.actions.outcome import Refused, Result, user_of
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.failures.failure import report, with_explanation
from console.fragments import wants_fragment
from console.sessions.fresh import address_with_return, signed_in_at
from console.source_address import source_address
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text

_BELOW = _("The details below are current.")
MOST_NOTICES = 20  # of problems, after one action on several objects


ASK = "ask-approval"  # the name of the button that asks a second person


def circumstances_of(request: HttpRequest, form: Form, *, keeps: Iterable[str] | None = None) -> Circumstances:
    """Return the circumstances from a valid ActionForm.

    `keeps`: the fields that a request for approval keeps, to send the form again; None: all of the form. No secrets.
    """
    names = form.fields if keeps is None else keeps
    typed = {name: request.POST.getlist(name) for name in names if name in request.POST}
    return Circumstances(
        asks_approval=ASK in request.POST,
        path=request.path,
        typed={name: values for name, values in typed.items() if name != "submission"},
        source_address=source_address(request),
        signed_in_at=signed_in_at(request),
        ticket=form.cleaned_data["ticket"],
        reason=form.cleaned_data["reason"],
        submission=form.cleaned_data["submission"],
    )


def tell(request: HttpRequest, access: OrgAccess, notice: Notice) -> None:
    """Show the notice on the next page, or with the next fragment."""
    text = with_explanation(access, notice.text, notice.kind)
    messages.add_message(request, notice.level, text, extra_tags=str(notice.undoes or ""))


def in_words(request: HttpRequest, error: PingOneError) -> Text:
    """Describe an unknown outcome, for a notice above the user as read again from PingOne."""
    failure = report(request, error)
    ids = "".join(f" {name} {value}." for name, value in failure.ids)
    return format_lazy("{}. {} {} {}{}", failure.title, failure.cause, _BELOW, failure.resolution, ids)


def tell_joined(request: HttpRequest, access: OrgAccess, results: Iterable[tuple[Step, Result | None]]) -> None:
    """Show one notice for all groups that a user was added to, and one for each other group."""
    results = list(results)
    user = _name_in(results)
    notices = [(step, notice_of_step(step, result, name=user)) for step, result in results]
    added = [step.names["group"] for step, notice in notices if notice.level == messages.SUCCESS]
    if added:
        told = ngettext_lazy("Added {user} to {groups}.", "Added {user} to {count} groups: {groups}.", len(added))
        messages.success(request, format_lazy(told, user=user, groups=", ".join(added), count=len(added)))
    others = [notice for _step, notice in notices if notice.level != messages.SUCCESS]
    for notice in others[:MOST_NOTICES]:
        tell(request, access, notice)
    if (more := len(others) - MOST_NOTICES) > 0:
        told = ngettext_lazy("{count} more is in the audit log.", "{count} more are in the audit log.", more)
        messages.warning(request, format_lazy(told, count=more))


def _name_in(results: list[tuple[Step, Result | None]]) -> Text:
    """Return the name of the user as read back after any of the actions, or else as on record."""
    users_read = [user for _step, result in results if result and (user := user_of(result))]
    if users_read:
        return users_read[0].display_name
    entries = [entry for _step, result in results if result and (entry := result.entry)]
    return next((entry.subject_name for entry in entries if entry.subject_name), _("the user"))


def tell_notes(request: HttpRequest, form: ActionForm) -> None:
    """Say which values were saved in another spelling than the typed one."""
    for note in form.notes:
        messages.info(request, str(note))


def go(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)


def to_sign_in_again(request: ConsoleRequest, *, back_to: str, keeps: Iterable[str] = ()) -> HttpResponse:
    """Let the operator sign in again, and then return to the page of the form, with its input."""
    if names := list(keeps):
        kept_forms.keep(request, names)
    return go(request, address_with_return(request, back_to))


def asks_to_sign_in_again(results: Iterable[tuple[Step, Result | None]]) -> bool:
    """Return whether any of several actions was refused for want of a fresh sign-in."""
    return any(isinstance(one, Refused) and Demand.FRESH_SIGN_IN in one.demands for _step, one in results)


def to_request(request: ConsoleRequest, access: OrgAccess, result: Refused) -> HttpResponse:
    """Go to the request for approval that was made instead of the action."""
    messages.success(request, str(result.reason))
    return go(request, reverse("approval", args=[access.org.slug, result.asked]))


def with_panels(response: HttpResponse, panels: tuple[str, ...]) -> HttpResponse:
    """Tell these panels of the user's page to reload."""
    for panel in panels:
        trigger_client_event(response, f"{panel}-changed")
    return response


def with_focus(response: HttpResponse, part: str) -> HttpResponse:
    """Move the focus to the part of the user's page with this id, which has just changed."""
    return trigger_client_event(response, "part-changed", {"part": part}, after="settle")
