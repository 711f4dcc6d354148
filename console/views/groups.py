"""Groups: the search, a group's page, and its members. Lists use PingOne's pagination cursor."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import BY_KEY
from console.actions.names import in_population
from console.audit import entries
from console.failures.failure import report, with_explanation
from console.models import AuditEntry
from console.page.csv_export import csv_lines
from console.page.pager import pager_of
from console.protection import marks
from console.source_address import source_address
from console.users.group_page import as_seen_by, member_count, read_group_page
from console.users.search_forms import GroupMembersForm, GroupSearchForm
from pingone_integration import groups, population_sync
from pingone_integration.calls import rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.errors import PingOneError, StaleCursor
from pingone_integration.texts import Text, english
from pingone_integration.users import User

MEMBER_COLUMNS = ("User ID", "Username", "Name", "E-mail", "Population", "Enabled")


@org_view(Permission.VIEW_USERS)
@require_safe
def group_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show one page of groups by name prefix. One call to PingOne, or two if it compares whole names only."""
    form = GroupSearchForm(request.GET)
    form.is_valid()
    name, cursor = form.cleaned_data.get("q", ""), request.GET.get("cursor", "")
    page_url = partial(_page_url, reverse("groups", args=[access.org.slug]), name)
    try:
        page = groups.search(access.pingone(), name, limit=100, cursor=cursor or None)
    except StaleCursor as stale:
        return _from_the_start(request, page_url(), stale)
    names: dict[UUID | None, Text] = {None: _("All populations"), **_population_names(access)}
    context = {
        "form": form,
        "page": page,
        "rows": [
            (as_seen_by(access, group), names.get(group.population_id, _("One population"))) for group in page.items
        ],
        "pager": pager_of(page, cursor, page_url),
    }
    return render(request, "console/users/groups.html", context)


@org_view(Permission.VIEW_USERS)
@require_safe
def group(request: ConsoleRequest, access: OrgAccess, group_id: UUID) -> HttpResponse:
    """Show the group, a page of its members, and whether it carries administrator roles."""
    form = GroupMembersForm(request.GET)
    form.is_valid()
    name, cursor = form.cleaned_data.get("q", ""), request.GET.get("cursor", "")
    may_add = access.may(BY_KEY["group.add"])
    newcomer = form.cleaned_data.get("add", "") if may_add else ""
    page_url = partial(_page_url, reverse("group", args=[access.org.slug, group_id]), name)
    try:
        shown = read_group_page(access, group_id, member=name, cursor=cursor, newcomer=newcomer)
    except StaleCursor as stale:
        return _from_the_start(request, page_url(), stale)
    mark = marks.mark_of(access, marks.Kind.GROUP, group_id)
    is_closed = bool(mark or shown.carries_roles) and not access.is_org_admin  # each change would be refused
    context = {
        "group": shown.group,
        "member_count": member_count(shown.group),
        "form": form,
        "population_name": _population_names(access).get(shown.group.population_id, ""),
        "carries_roles": shown.carries_roles,
        "mark": mark,
        "may_mark": access.is_org_admin,
        "failures": {part: report(request, error) for part, error in shown.errors.items()},
        "notes": shown.notes,
        "page": shown.members,
        "pager": pager_of(shown.members, cursor, page_url) if shown.members else None,
        "candidates": shown.candidates,
        "may_add": may_add and not is_closed,
        "may_remove": access.may(BY_KEY["group.remove"]) and not is_closed,
        "may_export": access.allows(Permission.EXPORT_USERS),
        "may_run_jobs": access.allows(Permission.RUN_JOBS),
        "history_url": reverse("audit", args=[access.org.slug], query={"group": str(group_id)})
        if access.allows(Permission.VIEW_AUDIT)
        else "",
    }
    return render(request, "console/users/group.html", context)


@org_view(Permission.EXPORT_USERS)
@require_safe
def export_members(request: ConsoleRequest, access: OrgAccess, group_id: UUID) -> StreamingHttpResponse:
    """Stream all members as CSV, page by page. The audit log records who exported them."""
    api = access.pingone()
    shown = groups.get(api, group_id)
    first = _members(access, api, group_id, None)  # before the first byte: a failure still gets its page
    population = _population_names(access).get(shown.population_id)
    entries.record(
        access.org,
        "group.members-exported",
        subject=entries.Subject(kind=AuditEntry.Subject.GROUP, id=group_id, name=in_population(shown.name, population)),
        operator=access.operator,
        source_address=source_address(request),
    )

    def read(cursor: str | None) -> Page[User]:
        now = access.again()
        now.require(Permission.EXPORT_USERS)
        with rate_limit.in_background():
            return _members(now, api, group_id, cursor)

    def rows() -> Iterator[tuple[object, ...]]:
        try:
            for page in pages_of(read, first=first):
                for user in page.items:
                    yield user.id, user.username, str(user.name), user.email, user.population_name, user.enabled
        except PingOneError as error:  # part of the file is sent already: it must not look complete
            yield (f"INCOMPLETE: {english(error.title)}. Export again.",)
        except (Http404, PermissionDenied):  # taken away meanwhile
            yield ("INCOMPLETE: You are no longer allowed to export these members.",)

    response = StreamingHttpResponse(csv_lines(MEMBER_COLUMNS, rows()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="group-{group_id}.csv"'
    return response


def _members(access: OrgAccess, api: PingOneApi, group_id: UUID, cursor: str | None) -> Page[User]:
    """Return a page of the members that the operator may see."""
    sought = visible_users.search_of(access, group_id=group_id)
    return visible_users.search(access, api, sought, limit=200, cursor=cursor)


def _from_the_start(request: ConsoleRequest, url: str, stale: StaleCursor) -> HttpResponse:
    told = format_lazy("{title}. {cause}", title=stale.title, cause=stale.cause)
    messages.info(request, with_explanation(request.access, told, stale.kind))
    return redirect(url)


def _page_url(url: str, name: str, cursor: str = "") -> str:
    """Return the address of a page of the list at `url`, searched for `name`."""
    query = urlencode({key: value for key, value in {"q": name, "cursor": cursor}.items() if value})
    return f"{url}?{query}" if query else url


def _population_names(access: OrgAccess) -> dict[UUID | None, str]:
    """Return the names of the operator's populations as of the last sync: they are not worth a call."""
    known = population_sync.synced(access.org.connection).values_list("population_id", "name")
    return {population_id: name for population_id, name in known if access.sees_population(population_id)}
