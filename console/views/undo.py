"""Undo: the inverse of a recorded action, with the ticket and reason of the present case."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand, ticket_policy_for
from console.actions.forms import ActionForm, SubmissionForm
from console.actions.notices import notice_of
from console.actions.outcome import Conflict, Done, Failed, Refused, Result, user_of
from console.audit import entries
from console.audit.visible import visible
from console.audit.wording import title_of
from console.kept_forms import restore
from console.models import AuditEntry
from console.models.tickets import TicketPolicy
from console.perform.undo import inverse_of, may_undo
from console.perform.undo import undo as perform_undo
from console.responses import circumstances_of, go, in_words, tell, tell_joined, to_request, to_sign_in_again
from console.tickets import current_ticket, set_current_ticket
from pingone_integration.texts import Text


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def undo(request: ConsoleRequest, access: OrgAccess, entry_id: UUID) -> HttpResponse:
    """Undo an action, also another operator's. The undo has an audit entry of its own.

    Where it needs a ticket, or on GET, the form comes first, with the user's current ticket filled in.
    """
    entry = get_object_or_404(visible(access, AuditEntry.objects.current()), entry=entry_id)
    inverse = inverse_of(entry)
    if inverse is None or not entry.subject_id:
        raise Http404("Nothing to undo.")
    access.require_to(inverse)
    user_id = UUID(entry.subject_id)
    policy = _strictest(access, entry, inverse)
    present = {"ticket": current_ticket(request, user_id)}
    if request.method != "POST":
        kept = restore(request)
        form = ActionForm(kept.typed, policy=policy) if kept else ActionForm(policy=policy, initial=present)
        return _form_page(request, access, entry, form)
    key = SubmissionForm(request.POST)
    if not key.is_valid():
        raise Http404("Nothing to undo.")
    was_sent = _was_sent(access, key)
    if "ticket" not in request.POST and policy.is_required and not was_sent:
        return _form_page(request, access, entry, ActionForm(policy=policy, initial=present))
    data = request.POST.copy()
    data.setdefault("ticket", present["ticket"])
    form = ActionForm(data, policy=None if was_sent else policy)
    if not form.is_valid():
        return _form_page(request, access, entry, form)
    if ticket := form.cleaned_data["ticket"]:
        set_current_ticket(request, user_id, ticket)
    result = perform_undo(access, entry, circumstances_of(request, form))
    match result:
        case Refused(asked=UUID()):
            return to_request(request, access, result)
        case Refused(demands=demands, reason=missing) if demands == {Demand.APPROVAL}:
            return _form_page(request, access, entry, form, missing_approval=missing)
        case Refused(demands=demands) if Demand.FRESH_SIGN_IN in demands:
            return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
        case Refused(demands=demands, reason=demanded) if demands == {Demand.REASON}:
            form.fields["reason"].required = True
            form.add_error("reason", str(demanded))
            return _form_page(request, access, entry, form)
        case Failed(error=error) | Conflict(error=error):
            raise error
    return _told(request, access, inverse, user_id, result)


def _strictest(access: OrgAccess, entry: AuditEntry, inverse: Action) -> TicketPolicy:
    """Return the ticket policy of the inverse, or of a further action of this Undo if only that one needs a ticket."""
    action = BY_KEY[entry.action]
    then = action.undo.then(entry.before or {}, entry.after or {}) if action.undo else []
    policies = [ticket_policy_for(access, key) for key in dict.fromkeys([inverse.key, *(one.action for one in then)])]
    return next((policy for policy in policies if policy.is_required), policies[0])


def _was_sent(access: OrgAccess, key: SubmissionForm) -> bool:
    """Return whether the same button was pressed before: a double click gets its outcome, not another form."""
    return entries.submitted(access.org, access.actor, key.cleaned_data["submission"]) is not None


def _form_page(
    request: ConsoleRequest, access: OrgAccess, entry: AuditEntry, form: ActionForm, *, missing_approval: Text = ""
) -> HttpResponse:
    if form.is_bound:
        form.renew()
    context: dict[str, Any] = {
        "entry": entry,
        "title": title_of(entry),
        "form": form,
        "missing_approval": missing_approval,
    }
    status = 422 if (form.errors or missing_approval) and request.method == "POST" else 200
    return render(request, "console/actions/undo_form.html", context, status=status)


def _told(request: ConsoleRequest, access: OrgAccess, inverse: Action, user_id: UUID, result: Result) -> HttpResponse:
    """Go to the user with a notice of the result."""
    user, entry = user_of(result), result.entry
    then = result.then if isinstance(result, Done) else ()
    notice = notice_of(
        result,
        inverse,
        name=user.display_name if user else entry.subject_name if entry else "",
        may_undo=entry is not None and may_undo(access, entry) and not then,
        in_words=partial(in_words, request),
    )
    tell(request, access, notice)
    if then:
        tell_joined(request, access, then)
    if isinstance(result, Done) and result.is_gone:
        return go(request, reverse("users", args=[access.org.slug]))
    return go(request, reverse("user", args=[access.org.slug, user_id]))
