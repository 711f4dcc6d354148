"""Creating a user: the form, the check for existing users, and the follow-up steps."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand, ticket_policy_for
from console.actions.notices import Notice, notice_of, notice_of_step
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    Refused,
    Result,
    Unknown,
)
from console.actions.profile_forms import NewUserForm
from console.audit.entries import Outcome
from console.failures.at_fields import tell_at_fields
from console.failures.failure import Failure, report
from console.fragments import wants_fragment
from console.kept_forms import keep, restore, signature_of
from console.perform.several import perform_each
from console.perform.user_operation import perform
from console.plans.offered import joiner_or_404, joiners
from console.plans.usernames import Person, freed_lately, suggest
from console.responses import circumstances_of, go, tell, tell_notes, to_request, to_sign_in_again
from console.tickets import set_current_ticket
from console.users.afterwards_form import AfterwardsForm
from console.users.new_user import existing_users, offer_populations
from console.users.remembered import known_attributes
from pingone_integration import groups
from pingone_integration.errors import Duplicate, PingOneError
from pingone_integration.groups import Group
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean
from pingone_integration.users import User

_CREATE = BY_KEY["user.create"]


@dataclass(kw_only=True)
class _Page:
    """The page's content besides the form."""

    failure: Failure | None = None
    existing: tuple[User, ...] = ()  # users who already have the username or email
    said: Text = ""  # of a username: why another was suggested, or that it was freed lately
    outcome_open: bool = False  # outcome unknown: look before sending again
    missing_approval: Text = ""
    not_found: str = ""  # the username that was not found after an unknown outcome
    status: int = 200


@org_view(Permission.CREATE_USERS)
@require_http_methods(["GET", "POST"])
def new_user(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the form (GET), and create the user (POST) or prepare a plan that does (`plan`).

    Other buttons check whether they exist (`look`), suggest a name (`suggest`), or come from the plan (`back`).
    """
    data: QueryDict | None = None
    page = _Page()
    if request.method == "POST":
        data = request.POST.copy()
        if "suggest" in data:
            page = _suggest(request, access, data)
    elif kept := restore(request):
        data = kept.typed
        messages.warning(request, str(kept.notice))
    form = NewUserForm(
        data,
        attributes=known_attributes(access),
        policy=ticket_policy_for(access, _CREATE.key),
        limits=_CREATE.limits_for(access),
        may_edit=access.may_edit,
    )
    then = AfterwardsForm(data, access=access, groups=_groups_to_join(access))
    if request.method == "POST" and "look" in request.POST:
        page = _look(request, access, form)
    elif request.method == "POST" and request.POST.keys().isdisjoint({"suggest", "back"}):
        if form.is_valid() and then.is_valid():
            if slug := request.POST.get("plan"):
                return _to_plan(request, access, slug, [*form.fields, *then.fields])
            created = _create(request, access, form)
            if isinstance(created, HttpResponse):
                return created
            if isinstance(created, Done):
                return _created(request, access, form, then, created)
            page = created
        else:
            page.status = 422
    if form.is_bound and not page.outcome_open:
        form.renew()
    return _show(request, access, form, then, page)


@org_view(Permission.CREATE_USERS)
@require_safe
def new_user_existing(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the users who already have this username or email, as a hint during typing. One call."""
    if not wants_fragment(request):
        return redirect("new-user", access.org.slug)
    found: tuple[User, ...] = ()
    username = request.GET.get("username", "")
    try:
        found = existing_users(access, username, request.GET.get("email", ""))
    except PingOneError as error:
        report(request, error)
    page = _Page(existing=found, said=freed_lately(access.org, clean(username, Kind.ID)[:128]))
    return render(request, "console/users/new.html#existing", {"page": page})


def _to_plan(request: ConsoleRequest, access: OrgAccess, slug: str, fields: list[str]) -> HttpResponse:
    """Go on to the page of a plan that creates the user, with everything that was typed."""
    joiner_or_404(access, slug)
    there = reverse("onboard", args=[access.org.slug, slug])
    keep(request, fields, page=there)
    return go(request, there)


def _create(request: ConsoleRequest, access: OrgAccess, form: NewUserForm) -> Done | HttpResponse | _Page:
    """Create the user. Return the result, a redirect if this form did so before, or the page's new content."""
    keeps = [*form.fields, *AfterwardsForm.base_fields]
    result = perform(access, _CREATE, None, form.inputs(), circumstances_of(request, form, keeps=keeps))
    match result:
        case Done():
            return result
        case AlreadySubmitted(entry=entry) if entry.outcome == Outcome.SUCCEEDED:
            tell(request, access, _notice(result))
            return go(request, reverse("user", args=[access.org.slug, entry.subject_id]))
        case AlreadySubmitted(entry=entry) if entry.outcome in {Outcome.STARTED, Outcome.UNKNOWN}:
            return _Page(outcome_open=True, status=409)
        case Conflict(error=error) | Failed(error=error) | Unknown(error=error):
            failure = tell_at_fields(request, error, form)
            existing = _taken_by(request, access, form) if isinstance(error, Duplicate) else ()
            is_open = not error.outcome_known
            return _Page(failure=failure, existing=existing, outcome_open=is_open, status=failure.status)
        case Refused(asked=UUID()):
            return to_request(request, access, result)
        case Refused(demands=demands, reason=reason) if demands == {Demand.APPROVAL}:
            return _Page(missing_approval=reason, status=422)
        case Refused(demands=demands) if Demand.FRESH_SIGN_IN in demands:
            return to_sign_in_again(request, back_to=request.path, keeps=keeps)
        case Refused(reason=reason, demands=demands):
            form.add_error("reason" if demands else None, str(reason))
            return _Page(status=422)
        case _:
            form.add_error(None, str(_notice(result).text))
            return _Page(status=409)


def _notice(result: Result, *, name: str = "") -> Notice:
    return notice_of(result, _CREATE, name=name, in_words=lambda error: str(format_lazy("{}.", error.title)))


def _created(
    request: ConsoleRequest, access: OrgAccess, form: NewUserForm, then: AfterwardsForm, created: Done
) -> HttpResponse:
    """Run the follow-up steps, then go to the user's page with their results. A failed step leaves the user as is."""
    user_id = UUID(created.entry.subject_id)
    if ticket := form.cleaned_data["ticket"]:
        set_current_ticket(request, user_id, ticket)
    name = created.user.display_name if created.user else created.entry.subject_name
    tell(request, access, _notice(created, name=name))
    tell_notes(request, form)
    if said := freed_lately(access.org, form.cleaned_data["username"]):
        messages.warning(request, str(said))
    for step, result in perform_each(access, user_id, then.steps(), circumstances_of(request, form)):
        tell(request, access, notice_of_step(step, result, name=name))
    return go(request, reverse("user", args=[access.org.slug, user_id]))


def _look(request: ConsoleRequest, access: OrgAccess, form: NewUserForm) -> _Page:
    """Check whether the user exists after a lost answer. Only a successful check makes the form usable again."""
    username = form.data.get("username", "")
    try:
        found = existing_users(access, username, "")
    except PingOneError as error:
        failure = report(request, error)
        return _Page(failure=failure, outcome_open=True, status=failure.status)
    return _Page(existing=found, not_found="" if found else username)


def _suggest(request: ConsoleRequest, access: OrgAccess, typed: QueryDict) -> _Page:
    """Fill in a free username from the organization's pattern. What was typed stays."""
    person = Person(typed.get("given_name", "")[:256], typed.get("family_name", "")[:256])
    if not access.org.username_pattern:
        return _Page(said=_("There is no pattern of usernames."))
    try:
        (suggestion,) = suggest(access.org, access.pingone(), [person])
    except PingOneError as error:
        failure = report(request, error)
        return _Page(failure=failure, status=failure.status)
    if suggestion.username:
        typed["username"] = suggestion.username
    return _Page(said=suggestion.note)


def _taken_by(request: HttpRequest, access: OrgAccess, form: NewUserForm) -> tuple[User, ...]:
    """Return the users who hold the username or email. Empty if PingOne fails or hides their population."""
    try:
        return existing_users(access, form.data.get("username", ""), form.data.get("email", ""))
    except PingOneError as error:
        report(request, error)
        return ()


def _groups_to_join(access: OrgAccess) -> tuple[Group, ...]:
    """Return the groups to offer. Empty without the permission or if PingOne fails: a user needs no group."""
    if not access.may(BY_KEY["group.add"]):
        return ()
    try:
        return groups.first(access.pingone())
    except PingOneError:
        return ()


def _show(
    request: ConsoleRequest, access: OrgAccess, form: NewUserForm, then: AfterwardsForm, page: _Page
) -> HttpResponse:
    offer_populations(access, form)
    context = {
        "action": _CREATE,
        "form": form,
        "then": then,
        "page": page,
        "plans": joiners(access),
        "typed_by": signature_of(access.operator),
    }
    template = "console/users/new.html#new-user" if wants_fragment(request) else "console/users/new.html"
    return render(request, template, context, status=page.status)
