"""A new job: whom it is about, what is to be done, and the inputs that all rows share."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import ACTIONS, Action
from console.jobs import drafts
from console.jobs.inputs_form import asks, inputs_form
from console.jobs.listed import KeyKind, ListedRow
from console.jobs.who import Who, who_in
from console.models import Job

_NOBODY = {
    Job.Source.SELECTION: _("Tick the users first."),
    Job.Source.SEARCH: _("This search is not valid anymore. Search again."),
}


@org_view(Permission.RUN_JOBS)
@require_http_methods(["GET", "POST"])
def new_job(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Ask what to do with whom (GET, or POST of a list's ticks), then for the inputs; `make` stores the job."""
    data = request.POST if request.method == "POST" else request.GET
    who = who_in(access, data)
    if who is None:
        messages.error(request, str(_NOBODY.get(data.get("source", ""), _("Choose the users first."))))
        return redirect("users", access.org.slug)
    actions = _offered(access, who)
    action = next((one for one in actions if one.key == data.get("job_action")), None)
    if action is None:
        return render(request, "console/jobs/new.html", {"who": who, "actions": actions})
    makes = request.method == "POST" and ("make" in data or not asks(inputs_form(access, action, who)))
    form = inputs_form(access, action, who, data if makes or "group_search" in data else None)
    if makes and form.is_valid():
        job = _made(access, action, who, form.inputs())
        return redirect("job", access.org.slug, job.pk)
    context = {"who": who, "action": action, "actions": actions, "form": form, "data": data}
    return render(request, "console/jobs/new.html", context, status=422 if makes else 200)


def _offered(access: OrgAccess, who: Who) -> list[Action]:
    """Return the actions that a job may run on them. New users come from a file alone."""
    is_file = who.source == Job.Source.FILE
    return [action for action in ACTIONS if action.bulk and access.may(action) and (action.needs_user or is_file)]


def _made(access: OrgAccess, action: Action, who: Who, inputs: dict[str, Any]) -> Job:
    rows = (ListedRow(number=number, key=str(one)) for number, one in enumerate(who.ids, start=1))
    return drafts.create(
        access, action, rows, key_kind=KeyKind.ID, source=who.source, inputs=inputs, source_label=who.label
    )
