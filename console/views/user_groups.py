"""Adding a user to several groups: found by name or copied from another user, with a confirmation."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand, ticket_policy_for
from console.actions.outcome import Refused
from console.actions.step import Step
from console.audit.refusals import require_visible
from console.failures.failure import report
from console.fragments import wants_fragment
from console.kept_forms import restore
from console.perform.several import MOST_AT_ONCE, perform_each
from console.responses import circumstances_of, go, tell_joined, to_request, to_sign_in_again
from console.source_address import source_address
from console.tickets import current_ticket, set_current_ticket
from console.users.group_candidates import Candidate, candidate_of, candidates_like, with_roles
from console.users.group_forms import GroupChoiceForm, JoinForm
from console.users.search_notes import notes_on
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError

_ADD = BY_KEY["group.add"]
_SEARCHES = frozenset({"look", "like_id"})  # the buttons that search, which send the form as well
_SHOWN = 10  # groups or users per search
_MOST_KNOWN = 2_000  # groups of the user: one call for each hundred


@org_view(Permission.CHANGE_GROUPS)
@require_http_methods(["GET", "POST"])
def user_groups(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Search groups (GET, or a POST without JavaScript), or add the user to the chosen groups (POST `add`).

    A group's own button sends it along with those that are ticked.
    """
    access.require_to(_ADD)
    adds = request.method == "POST" and "add" in request.POST and _SEARCHES.isdisjoint(request.POST)
    sought: QueryDict = request.POST if request.method == "POST" else request.GET
    if request.method == "GET" and (kept := restore(request)):
        messages.warning(request, str(kept.notice))
        sought = kept.typed
    form = JoinForm(
        request.POST if adds else None,
        policy=ticket_policy_for(access, _ADD.key),
        limits=_ADD.limits_for(access),
        initial={"ticket": sought.get("ticket", current_ticket(request, user_id)), "reason": sought.get("reason")},
    )
    api = access.pingone()
    if not adds or not form.is_valid():
        return _show(request, form, _choices(request, access, user_id, sought))
    require_visible(access, user_id, door="user-groups", source_address=source_address(request))
    if ticket := form.cleaned_data["ticket"]:
        set_current_ticket(request, user_id, ticket)
    chosen = form.cleaned_data["group_ids"]
    named = _named(api, chosen)
    if not form.cleaned_data["confirmed"]:
        marked = with_roles(api, named)
        if any(candidate.carries_roles for candidate in marked):
            form.renew()
            found = {"user": visible_users.get(access, api, user_id), "candidates": marked, "confirms": True}
            return _show(request, form, found)
    steps = [Step(action=_ADD, inputs={"group_id": group.id}, names={"group": group.name}) for group in named]
    # Each group has an approval of its own, which leads back to the form of one.
    of_one = reverse("user-action", args=[access.org.slug, user_id, _ADD.key])
    circumstances = replace(circumstances_of(request, form, keeps=["ticket", "reason"]), path=of_one)
    results = perform_each(access, user_id, steps, circumstances)
    here = reverse("user-groups", args=[access.org.slug, user_id])
    demanding = [one for _step, one in results if isinstance(one, Refused) and one.demands]
    if asked := [one for one in demanding if one.asked]:
        return _to_requests(request, access, asked)
    if any(Demand.FRESH_SIGN_IN in one.demands for one in demanding):
        return to_sign_in_again(request, back_to=here, keeps=[*form.fields, *GroupChoiceForm.base_fields])
    if demanding and all(one.demands == {Demand.APPROVAL} for one in demanding):
        form.renew()
        found = _choices(request, access, user_id, request.POST)
        return _show(request, form, found | {"missing_approval": demanding[0].reason})
    if demanding:
        form.add_error("reason", str(demanding[0].reason))
        form.renew()
        return _show(request, form, _choices(request, access, user_id, request.POST))
    tell_joined(request, access, results)
    return go(request, reverse("user", args=[access.org.slug, user_id]))


def _choices(request: ConsoleRequest, access: OrgAccess, user_id: UUID, sought: QueryDict) -> dict[str, Any]:
    """Run all searches in parallel and return the results. Groups chosen before stay chosen."""
    api = access.pingone()
    form = GroupChoiceForm(sought)
    form.is_valid()
    name, like = form.cleaned_data.get("q", ""), form.cleaned_data.get("like", "")
    like_id = form.cleaned_data.get("like_id")
    chosen = form.cleaned_data.get("group_ids", [])[:MOST_AT_ONCE]
    people_sought = visible_users.search_of(access, text=like)
    user, own, found, people, other, model = at_once(
        api,
        partial(visible_users.get, access, user_id=user_id),
        partial(groups.all_memberships, user_id=user_id, most=_MOST_KNOWN),
        lambda api: groups.search(api, name, limit=_SHOWN) if name else None,
        lambda api: visible_users.search(access, api, people_sought, limit=_SHOWN) if like else None,
        lambda api: groups.memberships(api, like_id) if like_id else None,
        lambda api: visible_users.get(access, api, like_id) if like_id else None,
    )
    for result in (user, own, other, model):
        if isinstance(result, PingOneError):
            raise result
    failures = [report(request, result) for result in (found, people) if isinstance(result, PingOneError)]
    candidates = [replace(one, is_chosen=True) for one in _named(api, chosen)]
    if found and not failures:
        candidates += [candidate_of(group, user, own) for group in found.items if group.id not in chosen]
    if other:
        known = {candidate.id for candidate in candidates}
        copied = [one for one in candidates_like(other.items, user, own) if one.id not in known]
        for one in with_roles(api, copied):
            room = sum(candidate.is_chosen for candidate in candidates) < MOST_AT_ONCE
            candidates.append(replace(one, is_chosen=room and not one.hindrance and not one.carries_roles))
    return {
        "user": user,
        "q": name,
        "like": like,
        "notes": notes_on(people_sought),
        "choice": form,
        "people": [one for one in people.items if one.id != user_id] if people and not failures else None,
        "model": model,
        "candidates": candidates,
        "looked": bool(name or like_id),
        "more": bool((found and not failures and found.next_cursor) or (other and other.next_cursor)),
        "failures": failures,
    }


def _named(api: PingOneApi, chosen: list[UUID]) -> list[Candidate]:
    """Return the chosen groups. A group whose name cannot be read is named by its ID."""
    if not chosen:
        return []
    found = at_once(api, *(partial(groups.get, group_id=group_id) for group_id in chosen))
    names = ["" if isinstance(group, PingOneError) else group.name for group in found]
    return [Candidate(id=group_id, name=name or str(group_id)) for group_id, name in zip(chosen, names, strict=True)]


def _to_requests(request: ConsoleRequest, access: OrgAccess, asked: list[Refused]) -> HttpResponse:
    """Go to the request for approval of one group, or to those of several."""
    if len(asked) == 1:
        return to_request(request, access, asked[0])
    messages.success(request, str(asked[0].reason))
    return go(request, reverse("approvals", args=[access.org.slug]))


def _show(request: ConsoleRequest, form: JoinForm, found: dict[str, Any]) -> HttpResponse:
    template = "console/users/add_to_groups.html"
    fragment = wants_fragment(request)
    if fragment:
        template += "#group-choices" if request.htmx.target == "group-choices" else "#user-groups"
    context = {"action": _ADD, "form": form, "most": MOST_AT_ONCE, "fragment": fragment} | found
    return render(request, template, context, status=422 if form.errors or "missing_approval" in found else 200)
