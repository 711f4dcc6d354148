"""Actions on a user: the form or question, the run, optimistic locking, and the operator's current ticket."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Select
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.action import Json
from console.actions.catalogue import BY_KEY, Action
from console.actions.demands import Demand, ticket_policy_for
from console.actions.forms import ActionForm, SubmissionForm
from console.actions.names import Recorded
from console.actions.notices import Notice, notice_of
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Refused,
    Result,
    user_of,
)
from console.approvals.rules import rules_of
from console.audit import entries
from console.audit.refusals import require_visible
from console.failures.at_fields import tell_at_fields
from console.failures.failure import Failure, report, status_of
from console.fragments import wants_fragment
from console.kept_forms import restore, signature_of
from console.perform.undo import may_undo
from console.perform.user_operation import perform
from console.protection.confirm import beforehand
from console.protection.judge import known_protection
from console.responses import (
    circumstances_of,
    go,
    in_words,
    tell,
    tell_notes,
    to_request,
    to_sign_in_again,
    with_focus,
    with_panels,
)
from console.source_address import source_address
from console.tickets import TicketForm, current_ticket, set_current_ticket
from console.users.account import account_context
from console.users.remembered import known_attributes, read_beside_attributes
from pingone_integration.errors import ChangedMeanwhile, PingOneError
from pingone_integration.texts import Text
from pingone_integration.users import User
from pingone_integration.values import identifier

_UNREAD_NAME = _("User")
_UNREAD = _("Could not be loaded from PingOne")


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def user_action(request: ConsoleRequest, access: OrgAccess, user_id: UUID, key: str) -> HttpResponse:
    """Show (GET) or run (POST) one action of the catalogue, for instance user.unlock."""
    action = _action_or_404(key)
    access.require_to(action)
    if request.method == "POST":
        return _run(request, access, action, user_id)
    shown = _read(access, action, user_id)
    if kept := restore(request):
        messages.warning(request, str(kept.notice))
        return _form_page(request, access, action, _form(access, action, kept.typed, user=shown), shown)
    named = {name: request.GET[name] for name in action.form.id_fields() if name in request.GET}  # from a panel's row
    form = _form(access, action, user=shown, initial=named | {"ticket": current_ticket(request, user_id)})
    return _form_page(request, access, action, form, shown)


def _run(request: ConsoleRequest, access: OrgAccess, action: Action, user_id: UUID) -> HttpResponse:
    """Run the action with the posted form. The input is kept whenever the action cannot run."""
    key = SubmissionForm(request.POST)
    if key.is_valid() and (sent := entries.submitted(access.org, access.actor, key.cleaned_data["submission"])):
        # Not validated again: after a double click, the form would find nothing left to change.
        return _told(request, access, action, user_id, AlreadySubmitted(entry=sent))
    require_visible(access, user_id, door=f"user-action {action.key}", source_address=source_address(request))
    try:
        looked_at = _read(access, action, user_id) if action.form.looks_at_user else None
    except PingOneError as error:
        if wants_fragment(request):
            raise  # shown as a notice above the page; the form stays unchanged
        form = _form(access, action, _posted(request, user_id))
        return _form_page(request, access, action, form, _Unread(user_id), failure=report(request, error))
    form = _form(access, action, _posted(request, user_id), user=looked_at)
    failure: Failure | None = None
    missing: Text = ""
    if form.is_valid():
        if ticket := form.cleaned_data["ticket"]:
            set_current_ticket(request, user_id, ticket)
        keeps = () if action.secret_inputs else None
        result = perform(access, action, user_id, form.inputs(), circumstances_of(request, form, keeps=keeps))
        match result:
            case Refused(asked=UUID()):
                return to_request(request, access, result)
            case Refused(demands=demands, reason=demanded) if demands == {Demand.APPROVAL}:
                missing = demanded
            case Failed(error=failed) if form.visible_inputs():
                failure = tell_at_fields(request, failed, form)
            case Refused(demands=demands, reason=demanded) if demands == {Demand.REASON}:
                form.fields["reason"].required = True
                form.add_error("reason", str(demanded))
            case _:
                return _answer(request, access, action, user_id, result, form=form)
    try:
        shown: User | _Unread = looked_at or visible_users.get(access, access.pingone(), user_id)
    except PingOneError:
        if not failure:
            raise
        shown = _Unread(user_id)
    return _form_page(request, access, action, form, shown, failure=failure, missing_approval=missing)


def _answer(
    request: ConsoleRequest, access: OrgAccess, action: Action, user_id: UUID, result: Result, *, form: ActionForm
) -> HttpResponse:
    """Answer with the result, which leaves nothing to correct in the form. Raises the error of a failed button."""
    match result:
        case Failed(error=failed):
            raise failed
        case Conflict(error=conflict):
            now = visible_users.get(access, access.pingone(), user_id)
            return _conflict_page(request, access, action, now, conflict)
        case Refused(demands=demands) if Demand.FRESH_SIGN_IN in demands:
            here = reverse("user-action", args=[access.org.slug, user_id, action.key])
            return to_sign_in_again(request, back_to=here, keeps=() if action.secret_inputs else form.fields)
        case Done():
            tell_notes(request, form)
    return _told(request, access, action, user_id, result)


@org_view(Permission.VIEW_USERS)
@require_POST
def set_ticket(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Set the ticket of a user, which every action on them carries until the operator changes or clears it."""
    form = TicketForm(request.POST)
    valid = form.is_valid()
    user_id = form.cleaned_data.get("user_id")
    if user_id is None:
        raise Http404("No such user.")
    require_visible(access, user_id, door="set-ticket", source_address=source_address(request))
    if valid:
        set_current_ticket(request, user_id, form.cleaned_data["ticket"])
    else:
        messages.error(request, _("A ticket can have at most 100 characters."))
    return redirect("user", access.org.slug, user_id)


@dataclass(frozen=True)
class _Unread:
    """A placeholder for a user that PingOne cannot return now, so that the operator's input is not lost."""

    id: UUID
    display_name: Text = _UNREAD_NAME
    username: Text = _UNREAD


def _action_or_404(key: str) -> Action:
    action = BY_KEY.get(key)
    if action is None or not action.needs_user:
        raise Http404("No such action.")
    return action


def _read(access: OrgAccess, action: Action, user_id: UUID) -> User:
    """Return the user. What else the form needs to know is asked at the same time."""
    read = partial(visible_users.get, access, user_id=user_id)
    return read_beside_attributes(access, read) if action.form.looks_at_schema else read(access.pingone())


def _form(access: OrgAccess, action: Action, data: QueryDict | None = None, **more: Any) -> ActionForm:
    if action.form.looks_at_schema:
        more |= {"attributes": known_attributes(access), "may_edit": access.may_edit}
    return action.form(data, policy=ticket_policy_for(access, action.key), limits=action.limits_for(access), **more)


def _posted(request: ConsoleRequest, user_id: UUID) -> QueryDict:
    """Return the posted data, with the user's current ticket added for buttons, which send none without JavaScript."""
    data = request.POST.copy()
    data.setdefault("ticket", current_ticket(request, user_id))
    return data


def _form_page(
    request: ConsoleRequest,
    access: OrgAccess,
    action: Action,
    form: ActionForm,
    shown: User | _Unread,
    *,
    failure: Failure | None = None,
    missing_approval: Text = "",
) -> HttpResponse:
    """Render the form with its input, on a page of its own or above the user's account."""
    if action.options:
        for name, options in action.options.items():
            widget = form.fields[name].widget
            if isinstance(widget, Select) and isinstance(shown, User):
                widget.choices = [("", _("Choose…")), *options(access, shown)]
            elif isinstance(widget, Select):
                chosen = str(form[name].value() or "")
                widget.choices = [(chosen, chosen or _("Choose…"))]
    context: dict[str, Any] = {
        "action": action,
        "form": form,
        "failure": failure,
        "user": shown,
        "missing_approval": missing_approval,
        "asks_approval": missing_approval or rules_of(access.org).demand([action.key]),
        "protection": _told_beforehand(access, action, shown),
        "losses": action.losses(access.pingone(), shown) if isinstance(shown, User) else [],
        "question": _question(access, action, form, shown),
        "here": reverse("user-action", args=[access.org.slug, shown.id, action.key]),
        "typed_by": signature_of(access.operator) if action.form.looks_at_schema else "",
    }
    if form.is_bound:
        form.renew()
    fragment = context["fragment"] = wants_fragment(request)
    template = "console/actions/form.html#action" if fragment else "console/actions/form.html"
    is_refused = request.method == "POST" and (form.errors or missing_approval)
    status = failure.status if failure else 422 if is_refused else 200
    return render(request, template, context, status=status)


def _told_beforehand(access: OrgAccess, action: Action, shown: User | _Unread) -> Text:
    """Return what the form says if the user is known to be protected, else ""."""
    found = known_protection(access.org, shown) if isinstance(shown, User) else None
    return beforehand(access, found, is_remedy=action.is_remedy) if found else ""


def _question(access: OrgAccess, action: Action, form: ActionForm, shown: User | _Unread) -> Text:
    """Return the question of a risky action. It names the user and the object, and costs a call only for an object.

    The page does not pass the object's name in its URL: it would be personal data in access logs, and could be forged.
    """
    if not action.question:
        return ""
    ids = {name: known for name in action.form.id_fields() if (known := identifier(str(form[name].value())))}
    seen: Json = {}
    if isinstance(shown, User) and ids:
        with suppress(PingOneError):
            seen = action.observe(access.pingone(), shown, ids)
    return action.sentence(action.question, user=shown.display_name, recorded=Recorded(inputs=ids, before=seen))


def _conflict_page(
    request: ConsoleRequest, access: OrgAccess, action: Action, now: User, error: PingOneError
) -> HttpResponse:
    """Show both values of each edited field side by side, for the operator to choose. Nothing is written yet."""
    form = _form(access, action, _posted(request, now.id), user=now)
    if not form.is_valid() or not form.differences():  # PingOne already has the typed values
        return _form_page(request, access, action, form, now)
    context = {
        "action": action,
        "form": form,
        "user": now,
        "error": error,
        "fresh": _form(access, action, user=now),
        "here": reverse("user-action", args=[access.org.slug, now.id, action.key]),
        "typed_by": signature_of(access.operator),
    }
    template = "console/actions/conflict.html#action" if wants_fragment(request) else "console/actions/conflict.html"
    return render(request, template, context, status=status_of(ChangedMeanwhile))


def _told(request: ConsoleRequest, access: OrgAccess, action: Action, user_id: UUID, result: Result) -> HttpResponse:
    """Show the result of an action that no longer needs its form."""
    user = user_of(result)
    entry = result.entry
    notice = notice_of(
        result,
        action,
        name=user.display_name if user else entry.subject_name if entry else "",
        may_undo=entry is not None and may_undo(access, entry) and not getattr(result, "then", ()),
        in_words=partial(in_words, request),
    )
    if user and not access.sees(user):  # moved away meanwhile
        return go(request, reverse("users", args=[access.org.slug]))
    match result:
        case Done() if action.secret_result:
            return _show_once(request, access, action, result)
        case Done(is_gone=True):
            tell(request, access, notice)
            return go(request, reverse("users", args=[access.org.slug]))
        case Done() | NoChange():
            return _as_they_are(request, access, action, user_id, notice, shown=user, panels=action.panels)
        case _:
            return _as_they_are(request, access, action, user_id, notice)


def _show_once(request: ConsoleRequest, access: OrgAccess, action: Action, done: Done) -> HttpResponse:
    """Show the secret in the only response that holds it. A redirect would have to store the secret."""
    context = {
        "action": action,
        "secret": done.result,
        "note": done.note,
        "name": done.user.display_name if done.user else done.entry.subject_name,
        "user_url": reverse("user", args=[access.org.slug, done.entry.subject_id]),
    }
    if not wants_fragment(request):
        return render(request, "console/actions/secret.html", context)
    context |= {"fragment": True} | (account_context(access, done.user) if done.user else {})
    return with_panels(render(request, "console/actions/secret.html#secret", context), action.panels)


def _as_they_are(
    request: ConsoleRequest,
    access: OrgAccess,
    action: Action,
    user_id: UUID,
    notice: Notice,
    *,
    shown: User | None = None,
    panels: tuple[str, ...] = (),
) -> HttpResponse:
    """Show the user as read back from PingOne, and a notice of the result."""
    tell(request, access, notice)
    if not wants_fragment(request) or request.htmx.target != "action":
        return go(request, reverse("user", args=[access.org.slug, user_id]))
    try:
        shown = shown or visible_users.get(access, access.pingone(), user_id)
    except PingOneError:  # the page then says why it cannot show the user
        return go(request, reverse("user", args=[access.org.slug, user_id]))
    response = with_panels(render(request, "console/users/after_action.html", account_context(access, shown)), panels)
    response["HX-Reswap"] = "innerHTML show:#notices:top"
    return with_focus(response, action.place.part)
