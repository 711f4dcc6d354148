"""A new job: whom it is about, what is to be done, the inputs that all rows share, and the columns of a file."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBadRequest, QueryDict, UnreadablePostError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import ACTIONS, Action
from console.jobs import lists
from console.jobs.column_form import ColumnForm
from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import meanings_of
from console.jobs.files.kept import ListUpload
from console.jobs.inputs_form import asks, inputs_form
from console.jobs.new import make
from console.jobs.plan_action import offered_for_many
from console.jobs.who import FROM_FILE, Who, list_of, who_in
from console.models import Job
from console.page.job_news import watch
from console.users.remembered import known_attributes
from pingone_integration.texts import Text, english

_NOBODY: dict[str, Text] = {
    Job.Source.SELECTION: _("Tick the users first."),
    Job.Source.INACTIVE: _("This search is not valid anymore. Search again."),
    Job.Source.SEARCH: _("This search is not valid anymore. Search again."),
}
_CHOOSE_USERS, _CHOOSE_FILE, _CHOOSE_ACTION = (
    _("Choose the users first."),
    _("Choose a file."),
    _("Choose what to do."),
)


@org_view(Permission.RUN_JOBS)
@require_http_methods(["GET", "POST"])
def new_job(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Ask what to do with whom (GET, or POST of a list's ticks), then for the inputs; `make` stores the job."""
    data: QueryDict = request.POST if request.method == "POST" else request.GET
    who = who_in(access, data)
    if who is None:
        messages.error(request, str(_NOBODY.get(data.get("source", ""), _CHOOSE_USERS)))
        return redirect("users", access.org.slug)
    action = _chosen(access, who, data)
    if action is None or who.source == Job.Source.FILE:
        return render(request, "console/jobs/new.html", _choice(access, who, chosen=data.get("job_action", "")))
    makes = request.method == "POST" and ("make" in data or not asks(inputs_form(access, action, who)))
    form = inputs_form(access, action, who, data if makes or "group_search" in data else None)
    if makes and form.is_valid():
        job = make(access, action, list_of(access, who), form.inputs(), label=who.label)
        watch(request.session, job, english(action.name))
        return redirect("job", access.org.slug, job.pk)
    context = {"who": who, "action": action, "form": form, "data": data}
    return render(request, "console/jobs/new.html", context, status=422 if makes else 200)


@csrf_exempt  # checked below: to read the token is to read the file, which only members may send
@org_view(Permission.RUN_JOBS)
@require_POST
def upload_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Keep an uploaded list that can be used, and go on to its columns."""
    upload = ListUpload(access)
    request.upload_handlers = [upload]
    try:
        answer: HttpResponse = csrf_protect(_uploaded)(request, access, upload)
    except UnreadablePostError:  # the connection broke: nobody waits for the answer
        return HttpResponseBadRequest()
    finally:
        upload.end()
    return answer


def _uploaded(request: ConsoleRequest, access: OrgAccess, upload: ListUpload) -> HttpResponse:
    who = Who(source=Job.Source.FILE, label=FROM_FILE)
    action = _chosen(access, who, request.POST)
    problem: Text = _CHOOSE_FILE if action else _CHOOSE_ACTION
    people = None
    try:
        people = upload.result()
        if people and action:
            lists.check_file(access, people, action)
    except BadList as bad:
        people, problem = None, bad.told
    if people and action:
        upload.is_used = True
        query = {"job_action": action.key}
        return redirect(reverse("new-job-columns", args=[access.org.slug, people.pk], query=query))
    context = _choice(access, who, chosen=request.POST.get("job_action", "")) | {"problem": problem}
    return render(request, "console/jobs/new.html", context, status=422)


@org_view(Permission.RUN_JOBS)
@require_http_methods(["GET", "POST"])
def new_job_columns(request: ConsoleRequest, access: OrgAccess, list_id: UUID) -> HttpResponse:
    """Show how a kept file is read: its encoding, its columns, its first people (GET). `make` stores the job (POST)."""
    people = lists.file_or_404(access, list_id)
    data: QueryDict = request.POST if request.method == "POST" else request.GET
    who = Who(source=Job.Source.FILE, label=people.file_name)
    action = _chosen(access, who, data)
    if action is None:
        raise Http404("No such list.")
    context: dict[str, Any] = {"who": who, "action": action, "people": people, "data": data}
    try:
        attributes = known_attributes(access) or () if action.form.looks_at_schema else ()
        meanings = meanings_of(action, attributes)
        reading = lists.read_file(access, people, action, attributes, encoding=data.get("encoding", ""))
        if reading.columns is None:
            return render(request, "console/jobs/columns.html", context | {"readings": reading.readings})
        makes = request.method == "POST" and "make" in data
        columns = ColumnForm(data if makes else None, reading=reading, meanings=meanings, action=action)
        form = inputs_form(access, action, who, data if makes or "group_search" in data else None)
        context |= {"reading": reading, "columns": columns, "form": form}
        if makes and columns.is_valid() and form.is_valid():
            lists.choose_columns(access, people, action, reading, columns.columns_of(meanings))
            job = make(access, action, people, form.inputs())
            watch(request.session, job, english(action.name))
            return redirect("job", access.org.slug, job.pk)
    except BadList as bad:
        return render(request, "console/jobs/columns.html", context | {"problem": bad.told}, status=422)
    return render(request, "console/jobs/columns.html", context, status=422 if makes else 200)


def _choice(access: OrgAccess, who: Who, *, chosen: str) -> dict[str, Any]:
    is_file = who.source == Job.Source.FILE
    return {"who": who, "actions": _offered(access, who), "chosen": chosen, "is_file": is_file}


def _chosen(access: OrgAccess, who: Who, data: QueryDict) -> Action | None:
    return next((one for one in _offered(access, who) if one.key == data.get("job_action")), None)


def _offered(access: OrgAccess, who: Who) -> Sequence[Action]:
    """Return the actions that a job may run on them. New users come from a file alone."""
    is_file = who.source == Job.Source.FILE
    of_catalogue = [
        action for action in ACTIONS if action.bulk and access.may(action) and (action.needs_user or is_file)
    ]
    return [*of_catalogue, *offered_for_many(access)]
