"""Call API: compose a request to any endpoint of the environment, send it, read the answer, save it for later."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand, problem_with, ticket_policy_for
from console.actions.outcome import AlreadySubmitted, Conflict, Done, Failed, Refused, Unknown
from console.audit.api_requests import ACTION, shown_inputs
from console.audit.entries import Circumstances
from console.call_api import api_call
from console.call_api.api_call import ApiCall
from console.call_api.forms import CallApiForm, SaveCallForm, SendWriteForm
from console.failures.failure import report
from console.models import AuditEntry, SavedApiCall
from console.responses import circumstances_of, to_request
from console.sessions import fresh
from console.sessions.fresh import address_to_sign_in_again
from console.source_address import source_address
from pingone_integration.calls.any_endpoint import MEDIA_TYPES, SUGGESTED_PATHS, Exchange
from pingone_integration.connection.regions import api_url_for
from pingone_integration.connection.tokens import require_grant
from pingone_integration.errors import NoEnvironmentChosen

RECENT = 20
_KEPT = (*CallApiForm.base_fields, *SendWriteForm.base_fields)  # by a request for approval


@org_view(Permission.CALL_API)
@require_http_methods(["GET", "POST"])
def composer(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the form, filled from `?saved=` or `?entry=`. Send a read at once, and a write after a confirmation."""
    environment_id = _environment_id(access)
    if request.method != "POST":
        form = CallApiForm(initial=_chosen(request, access), environment_id=environment_id)
        return _page(request, access, form)
    form = CallApiForm(request.POST, environment_id=environment_id)
    if not form.is_valid():
        return _page(request, access, form, status=422)
    call = form.call
    if not call.writes:
        return _send(request, access, form, Circumstances(source_address=source_address(request)))
    second_look = SendWriteForm(
        request.POST if "submission" in request.POST else None,
        policy=ticket_policy_for(access, ACTION),
    )
    is_fresh = fresh.is_fresh(request)
    if not second_look.is_valid():
        status = 422 if second_look.is_bound else 200
        sign_in_url = "" if is_fresh else address_to_sign_in_again(request.user)
        return _page(request, access, form, second_look=second_look, status=status, sign_in_url=sign_in_url)
    if not is_fresh:
        demanded = frozenset({Demand.FRESH_SIGN_IN})
        more = _once_more(request, access, demanded)
        return _page(request, access, form, refusal=problem_with(demanded), status=422, **more)
    kept = _KEPT if call.body in ("", call.harmless_body) else ()  # else it may hold secrets
    return _send(request, access, form, circumstances_of(request, second_look, keeps=kept))


@org_view(Permission.CALL_API)
@require_POST
def save(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Save a request under a name, and replace an earlier request of that name."""
    form = CallApiForm(request.POST, environment_id=_environment_id(access), to_send=False)
    naming = SaveCallForm(request.POST)
    if not (form.is_valid() and naming.is_valid()):
        return _page(request, access, form, naming=naming, status=422)
    name = naming.cleaned_data["name"]
    kept = {**form.call.inputs(), "media_type": form.call.media_type, "body": form.call.harmless_body}
    saved, _is_new = SavedApiCall.objects.update_or_create(
        organization=access.org, name=name, defaults={**kept, "saved_by": access.operator}
    )
    messages.success(request, format_lazy(_("Saved the request {name}."), name=saved.name))
    return _to_composer(access, saved=str(saved.pk))


@org_view(Permission.CALL_API)
@require_POST
def forget(request: ConsoleRequest, access: OrgAccess, saved_id: int) -> HttpResponse:
    saved = get_object_or_404(SavedApiCall, organization=access.org, pk=saved_id)
    saved.delete()
    messages.success(request, format_lazy(_("Deleted the request {name}."), name=saved.name))
    return _to_composer(access)


def _environment_id(access: OrgAccess) -> UUID:
    """Return the managed environment. Raises NoEnvironmentChosen, or why there is no connection to choose it with."""
    connection = access.org.connection
    if connection.managed_environment_id is None:
        require_grant(connection)
        raise NoEnvironmentChosen
    return connection.managed_environment_id


def _send(request: ConsoleRequest, access: OrgAccess, form: CallApiForm, circumstances: Circumstances) -> HttpResponse:
    """Send the request. Show PingOne's answer, or why there is none, and keep the form filled in."""
    match api_call.perform_call(access, form.call, circumstances):
        case AlreadySubmitted(entry=entry):
            return _page(request, access, form, sent_before=entry)
        case Refused(asked=UUID()) as refused:
            return to_request(request, access, refused)
        case Refused(reason=reason, demands=demands) if demands == {Demand.APPROVAL}:
            more = _once_more(request, access, demands)
            return _page(request, access, form, missing_approval=reason, status=422, **more)
        case Refused(reason=reason, demands=demands):
            return _page(request, access, form, refusal=reason, status=422, **_once_more(request, access, demands))
        case Done(result=Exchange() as exchange) | Failed(result=Exchange() as exchange):
            return _page(request, access, form, exchange=exchange)
        case Unknown(result=Exchange() as exchange):
            return _page(request, access, form, exchange=exchange, is_open=True)
        case Failed(error=error) | Unknown(error=error) | Conflict(error=error):
            failure = report(request, error)
            return _page(request, access, form, failure=failure, status=failure.status)
        case result:
            raise TypeError(f"a call of any endpoint came to {result}")


def _once_more(request: ConsoleRequest, access: OrgAccess, demands: frozenset[Demand]) -> dict[str, Any]:
    """Return the confirmation once more if the operator can meet the demands.

    They sign in again in another tab: the request, which may hold secrets, is not kept anywhere.
    """
    if not demands:
        return {}
    second_look = SendWriteForm(request.POST, policy=ticket_policy_for(access, ACTION))
    second_look.renew()
    sign_in_url = address_to_sign_in_again(request.user) if Demand.FRESH_SIGN_IN in demands else ""
    return {"second_look": second_look, "sign_in_url": sign_in_url}


def _page(
    request: ConsoleRequest,
    access: OrgAccess,
    form: CallApiForm,
    *,
    exchange: Exchange | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    connection = access.org.connection
    base_url = f"{api_url_for(connection.auth_url)}/v1/environments/{connection.managed_environment_id}"
    call: ApiCall | None = form.call if form.is_bound and form.is_valid() else None
    entries = AuditEntry.objects.current().filter(organization=access.org, action=ACTION)
    context = {
        "form": form,
        "call": call,
        "administrator": connection.consented_by or _("the administrator who connected"),
        "base_url": base_url,
        "curl": api_call.as_curl(call, base_url) if call else "",
        "exchange": exchange,
        "answer": api_call.pretty(exchange) if exchange else "",
        "naming": SaveCallForm(),
        "saved": SavedApiCall.objects.filter(organization=access.org),
        "recent": entries.order_by("-sequence")[:RECENT],
        "suggested_paths": SUGGESTED_PATHS,
        "media_types": MEDIA_TYPES,
        **more,
    }
    return render(request, "console/call_api/call_api.html", context, status=status)


def _chosen(request: ConsoleRequest, access: OrgAccess) -> dict[str, Any]:
    """Return the request that the URL names, or {} if the organization has no such request."""
    if (saved := request.GET.get("saved", "")).isdecimal():
        found = SavedApiCall.objects.filter(organization=access.org, pk=int(saved)).first()
        names = ("method", "path", "query", "media_type", "body")
        return shown_inputs(ACTION, {name: getattr(found, name) for name in names}) if found else {}
    try:
        entry = UUID(request.GET.get("entry", ""))
    except ValueError:
        return {}
    made = AuditEntry.objects.filter(organization=access.org, action=ACTION, entry=entry).first()
    return shown_inputs(made.action, made.inputs) if made else {}


def _to_composer(access: OrgAccess, **query: str) -> HttpResponse:
    return redirect(reverse("call-api", args=[access.org.slug], query=query))
