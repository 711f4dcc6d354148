"""The user search with PingOne's pagination cursor, and a user's page with its panels."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.buttons import panel_offers
from console.actions.catalogue import ACTIONS, BY_KEY
from console.failures.failure import Failure, report, with_explanation
from console.failures.pages import failed_in_place, fails_in_place
from console.fragments import wants_fragment
from console.limits.reading import protected_page_read
from console.page.pager import pager_of
from console.protection.facts import facts_of
from console.protection.judge import protection_by
from console.recovery.references import reference_of
from console.responses import go
from console.source_address import source_address
from console.users import lately, panel_addresses
from console.users.account import account_context
from console.users.carried import carried
from console.users.empty_list import empty_list
from console.users.list_history import in_history, is_entered, only_match
from console.users.panels import PANELS, Panel, Reading, known_failure, known_of, panel_or_404, read_panel, read_panels
from console.users.remembered import find_groups, group_name, known_populations
from console.users.rows import rows_of
from console.users.search_forms import UserSearchForm
from console.users.search_notes import notes_on
from console.users.standing import Gap, Known
from console.users.verdict import verdict_context
from pingone_integration.calls.paging import Page
from pingone_integration.errors import InvalidValue, NotFound, PingOneError, StaleCursor
from pingone_integration.typed.text import clean
from pingone_integration.user_search import FILTERABLE, id_text_in, user_id_in
from pingone_integration.users import User


@dataclass(frozen=True, kw_only=True)
class ListUrls:
    """The URLs of this page of the list and of wider searches. Empty if there is no such search."""

    here: str
    all_users: str
    without_group: str
    without_filters: str  # the search text alone, if there are filters as well
    job: str  # a new job with everybody who matches


@org_view(Permission.VIEW_USERS)
@require_safe
def user_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show one page of the users that match the search in the URL; for htmx without the search form.

    A user ID, a reference number of a recovery, and a search that somebody enters and that one user matches, lead to
    the user's page.
    """
    if "text" not in request.GET and (user_id := user_id_in(sought := request.GET.get("q", ""))):
        return _go_to(request, user_id, f"?{urlencode({'sought': id_text_in(sought)})}")
    if reference := reference_of(access, request.GET.get("q", "")):
        messages.info(request, str(reference.words))
        name, of_user = ("user", [reference.user_id]) if reference.user_id else ("users", [])
        return go(request, reverse(name, args=[access.org.slug, *of_user]))
    form = _form(request, access)
    cursor = request.GET.get("cursor", "")
    page: Page[User] | None = None
    failure: Failure | None = None
    if form.is_valid():
        try:
            page = _search(access, form, cursor)
        except StaleCursor as stale:
            told = format_lazy("{title}. {cause}", title=stale.title, cause=stale.cause)
            messages.info(request, with_explanation(access, told, stale.kind))
            return redirect(_list_url(access, form))
        except PingOneError as error:
            failure = report(request, error)
    only = only_match(form, page, cursor)
    if only and is_entered(request):
        return _go_to(request, only.id)
    urls = _urls(access, form, cursor)
    may_run_jobs = access.allows(Permission.RUN_JOBS)
    context = {
        "form": form,
        "page": page,
        "rows": rows_of(page.items, urls.all_users, may_tick=may_run_jobs) if page else "",
        "may_run_jobs": may_run_jobs,
        "pager": pager_of(page, cursor, lambda to: _list_url(access, form, cursor=to)),
        "cursor": cursor,
        "failure": failure,
        "notes": notes_on(form.search) if page else [],
        "urls": urls,
        "empty": None if failure else empty_list(form, page, cursor, has_filters=bool(urls.without_filters)),
    }
    status = failure.status if failure else 422 if form.errors else 200
    if wants_fragment(request):
        results = render(request, "console/users/list.html#results", context | {"fragment": True}, status=status)
        return in_history(request, _list_url(access, form, show="list") if only else urls.here, results)
    context |= _filters(request, access, form) | {"may_create": access.may(BY_KEY["user.create"])}
    return render(request, "console/users/list.html", context, status=status)


@org_view(Permission.VIEW_USERS)
@require_safe
@fails_in_place
def user_group_choices(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show groups for the group filter, by the name typed so far."""
    form = _form(request, access)
    form.is_valid()
    if not wants_fragment(request):
        return redirect(_list_url(access, form))
    return render(request, "console/users/list.html#group-choices", _group_choices(request, access, form))


@org_view(Permission.VIEW_USERS)
@require_safe
def user(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Show a user at once. The panels load one by one, or with `?panels=all` in the same page.

    With `?sought=`, the ID was typed into the search: if nobody has it, it may be a username or an external ID.
    """
    api = access.pingone()
    try:
        shown = visible_users.get(access, api, user_id)
    except NotFound:
        if sought := request.GET.get("sought", ""):
            return redirect(f"{reverse('users', args=[access.org.slug])}?{urlencode({'q': sought, 'text': 'on'})}")
        raise
    if request.GET.get("panels") == "all":
        readings = read_panels(PANELS, api, user_id)
    else:
        readings = [Reading(panel=panel) for panel in PANELS]
    return render(request, "console/users/user.html", _user_context(request, shown, readings))


@org_view(Permission.VIEW_USERS)
@require_safe
def user_panel(request: ConsoleRequest, access: OrgAccess, user_id: UUID, key: str) -> HttpResponse:
    """Show one panel of a user's page. As a page of its own, it shows the user above the panel."""
    panel = panel_or_404(key)
    cursor = request.GET.get("cursor", "")
    api = access.pingone()
    if wants_fragment(request):
        try:
            signed = _signature(request, access, user_id)
            content = read_panel(panel, api, user_id, cursor)
        except PingOneError as error:
            return failed_in_place(request, error, panel=panel, **known_failure(panel, user_id))
        context = {"content": content, "panel": panel, "user_id": user_id}
        is_closed = panel_addresses.CLOSED in request.GET
        offered = _offered(access, panel, user_id, content, signed, is_closed=is_closed)
        return render(request, panel.template, context | offered)
    shown = visible_users.get(access, api, user_id)
    reading = Reading(panel=panel, content=read_panel(panel, api, user_id, cursor))
    return render(request, "console/users/user.html", _user_context(request, shown, [reading]))


@org_view(Permission.VIEW_USERS)
@require_safe
def user_standing(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Show whether the user can sign in, from data that the page carries. No call to PingOne for a page's own URL."""
    _signature(request, access, user_id)
    if not wants_fragment(request):
        return redirect("user", access.org.slug, user_id)
    known = carried(user_id, request.GET, timezone.now())
    if known is None:
        return HttpResponse(status=204)  # htmx leaves the page as it is
    context = verdict_context(access, known, is_closed=panel_addresses.CLOSED in request.GET)
    return render(request, "console/users/standing.html", context)


def _form(request: ConsoleRequest, access: OrgAccess) -> UserSearchForm:
    return UserSearchForm(request.GET, countries=access.org.phone_countries, populations=access.populations)


def _go_to(request: ConsoleRequest, user_id: UUID, query: str = "") -> HttpResponse:
    return go(request, reverse("user", args=[request.access.org.slug, user_id]) + query)


def _search(access: OrgAccess, form: UserSearchForm, cursor: str) -> Page[User] | None:
    """Return the page, or None if PingOne refuses the raw filter: the form then says so."""
    searched = form.cleaned_data
    try:
        return visible_users.search(
            access, access.pingone(), form.search, limit=searched["limit"], cursor=cursor or None
        )
    except InvalidValue as error:
        refused = next((detail for detail in error.details if detail.code == "INVALID_FILTER"), None)
        if refused is None or not searched["filter"]:
            raise
        listed = refused.inner.get("supportedAttributes")
        attributes = ", ".join(str(name) for name in listed) if isinstance(listed, list) else FILTERABLE
        refusal = _("PingOne does not accept this filter. You can filter by {attributes}.")
        form.add_error("filter", format_lazy(refusal, attributes=attributes))
        return None


def _list_url(access: OrgAccess, form: UserSearchForm, **changes: str) -> str:
    query = form.query(**changes)
    return reverse("users", args=[access.org.slug]) + (f"?{query}" if query else "")


def _urls(access: OrgAccess, form: UserSearchForm, cursor: str) -> ListUrls:
    def url(**changes: str) -> str:
        return _list_url(access, form, **changes)

    criteria = form.criteria
    narrowed = bool(criteria.population_id or criteria.group_id or criteria.raw_filter or criteria.enabled is not None)
    return ListUrls(
        here=url(cursor=cursor),
        all_users=reverse("users", args=[access.org.slug]),
        without_group=url(group=""),
        job=reverse("new-job", args=[access.org.slug], query={"source": "search", "search": form.query(limit="")}),
        without_filters=url(population="", group="", enabled="", filter="") if narrowed and criteria.text else "",
    )


def _filters(request: ConsoleRequest, access: OrgAccess, form: UserSearchForm) -> dict[str, Any]:
    """Offer the populations in the form, and return the chosen group's name and the groups to choose."""
    form.offer_populations([(population.id, population.name) for population in known_populations(access)])
    group_id = form.criteria.group_id
    chosen = {"group_name": group_name(access, group_id)} if group_id else {}
    return chosen | _group_choices(request, access, form)


def _group_choices(request: ConsoleRequest, access: OrgAccess, form: UserSearchForm) -> dict[str, Any]:
    name = clean(request.GET.get("group_search", ""))[:256]
    if not name:
        return {}
    choices = find_groups(access, name)
    links = [(group, _list_url(access, form, group=str(group.id))) for group in choices.groups]
    return {"group_choices": choices, "group_links": links}


def _user_context(request: ConsoleRequest, shown: User, readings: list[Reading]) -> dict[str, Any]:
    access = request.access
    signed = panel_addresses.signature(access, shown)
    facts = facts_of(access.org, shown.id, shown.group_ids or (), build=lately.query)
    protection = protection_by(access.org, shown, facts)
    protected_page_read(access, shown, protection, source_address=source_address(request))
    is_closed = protection is not None and not access.is_org_admin
    panels = [_panel(request, shown, reading, signed, is_closed=is_closed) for reading in readings]
    happened = lately.happened(access, shown, facts, is_closed=is_closed)
    mark = happened.reset.mark if happened.reset else ""
    around = {
        "panels": panels,
        "may_act": not is_closed and any(access.may(action) for action in ACTIONS),
        "standing_url": panel_addresses.standing_url(access, shown.id, signed, is_closed=is_closed),
        "protection": protection,
        "may_mark": access.is_org_admin,
        "happened": happened,
        "sent_url": panel_addresses.sent_url(access, shown.id, signed, is_closed=is_closed, mark=mark),
    }
    verdict = verdict_context(access, _known(shown, readings), is_closed=is_closed)
    return account_context(access, shown, is_closed=is_closed) | verdict | around


def _known(shown: User, readings: list[Reading]) -> Known:
    """Return the facts for the verdict, from a page just read."""
    parts = {
        reading.panel.known_as: Gap.FAILED if reading.error else reading.content
        for reading in readings
        if reading.panel.known_as and reading.is_done
    }
    return Known(
        user=shown,
        password=parts.get("password", Gap.UNREAD),
        mfa=parts.get("mfa", Gap.UNREAD),
        now=timezone.now(),
    )


def _panel(
    request: ConsoleRequest, shown: User, reading: Reading, signed: str, *, is_closed: bool
) -> tuple[Reading, Failure | None, dict[str, Any]]:
    """Return a panel, the failure if it could not be read, and its address and actions."""
    access, panel = request.access, reading.panel
    if reading.content is not None:
        return reading, None, _offered(access, panel, shown.id, reading.content, signed, is_closed=is_closed)
    offered = {"panel_url": panel_addresses.panel_url(access, shown.id, panel.key, signed, is_closed=is_closed)}
    if reading.error:
        return reading, report(request, reading.error), offered | known_failure(panel, shown.id)
    return reading, None, offered


def _offered(
    access: OrgAccess, panel: Panel, user_id: UUID, content: Any, signed: str, *, is_closed: bool
) -> dict[str, Any]:
    """Return a panel's context beside its content: its addresses, its actions, and what the verdict needs of it."""
    cursor = getattr(content, "next_cursor", None)

    def url(cursor: str = "") -> str:
        return panel_addresses.panel_url(access, user_id, panel.key, signed, is_closed=is_closed, cursor=cursor)

    return {
        "panel_url": url(),
        "more_url": url(cursor) if cursor else "",
        **panel_offers(access, user_id, panel.key, content, is_closed=is_closed),
        **known_of(panel, user_id, content),
    }


def _signature(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> str:
    """Return the signature in the URL. If it is not valid, read the user for a new one. Raises as visible_users.get."""
    sent = request.GET.get(panel_addresses.FIELD, "")
    if panel_addresses.is_signed(access, user_id, sent):
        return sent if access.is_narrowed else ""
    return panel_addresses.signature(access, visible_users.get(access, access.pingone(), user_id))
