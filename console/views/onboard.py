"""A plan for somebody who does not exist yet: what it would do, and its start. It comes from the page New user."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.actions.profile_forms import NewUserForm
from console.audit.entries import Circumstances
from console.failures.failure import Failure, report
from console.kept_forms import restore
from console.models import UserTemplate
from console.plans import approval, runs, usernames
from console.plans.definition import Definition
from console.plans.effects import Reading
from console.plans.groups_to_give import Group, GroupsToGive, NoColleague, allowed, colleague_named, groups_like
from console.plans.newcomer import newcomer
from console.plans.newcomer_preview import NewcomerPreview
from console.plans.offered import joiner_or_404
from console.plans.onboard_form import OnboardForm
from console.plans.preview import Verdict
from console.plans.runs import NotPossibleNow, Start
from console.responses import ASK, circumstances_of, to_sign_in_again
from console.users.afterwards_form import AfterwardsForm
from console.users.remembered import known_attributes, known_populations
from pingone_integration import groups
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text
from pingone_integration.users import User
from pingone_integration.values import identifier

_TAKEN = _("Someone has this username.")
_TAKEN_FREE = _("Someone has this username. The next free one is {username}.")
_RUNS_ALREADY = _("“{plan}” already runs for this username.")
_CHANGED = _("This has changed since it was shown. Look at it again.")


@org_view(Permission.CREATE_USERS)
@require_http_methods(["GET", "POST"])
def onboard(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    """Show what the plan would do (GET); show it with the button that names the time (POST), and start it (POST)."""
    definition, version = joiner_or_404(access, slug)
    kept = restore(request, once=False) if request.method == "GET" else None
    typed = request.POST.copy() if request.method == "POST" else kept.typed if kept else None
    if typed is None:
        return redirect("new-user", access.org.slug)
    if username := typed.get("use"):
        typed["username"] = username
    page = _Page(request, access, definition, typed)
    if page.preview and page.is_confirmed:
        plan = Start(
            definition=definition,
            version=version,
            choices=page.choices,
            when=page.form.when_at,
            zone=page.form.own_zone,
            replaces=page.other.pk if page.other else None,
        )
        try:
            run = runs.start(access, page.person, plan, page.circumstances)
        except NotPossibleNow as refusal:
            if refusal.asked:
                messages.success(request, str(refusal.reason))
                return redirect("approval", access.org.slug, refusal.asked)
            if Demand.FRESH_SIGN_IN in refusal.demanded:
                return to_sign_in_again(request, back_to=request.path, keeps=[*page.carried, *page.form.fields])
            if refusal.demanded == {Demand.APPROVAL}:
                page.missing_approval = refusal.reason
            else:
                page.form.add_error("reason" if refusal.demanded else None, str(refusal.reason))
        else:
            return redirect("plan-run", access.org.slug, run.pk)
    return page.answer()


class _Page:
    """The page: the profile as typed before, the form of the plan, and what both would do."""

    def __init__(self, request: ConsoleRequest, access: OrgAccess, definition: Definition, typed: QueryDict) -> None:
        self.request, self.access, self.definition, self.typed = request, access, definition, typed
        self.api = access.pingone()
        self.failure: Failure | None = None
        self.missing_approval: Text = ""
        self.preview: NewcomerPreview | None = None
        self.free = ""  # the username to use instead of one that is taken
        self.person, inputs = self._newcomer()
        self.other = runs.open_run(access, self.person)
        self.form = self._form()
        try:
            wanted = self._groups()
            self.choices = self.form.choices_for(inputs, wanted.given)
            self.preview = self._previewed(wanted)
        except PingOneError as error:
            self.failure = report(request, error)

    @property
    def is_confirmed(self) -> bool:
        """Return whether the operator pressed the button that stands for exactly what is shown now."""
        pressed = self.request.POST.get("confirm") or self.request.POST.get(ASK)
        if not pressed or not self.is_ready:
            return False
        if pressed != self.form.confirmed_with(self.choices):
            messages.warning(self.request, str(_CHANGED))
            return False
        return True

    @property
    def is_ready(self) -> bool:
        return self.form.is_bound and not self.form.errors and self.preview is not None and not self.preview.taken

    @property
    def circumstances(self) -> Circumstances:
        """Return the circumstances. A request for approval keeps what was typed, and what the button says."""
        found = circumstances_of(self.request, self.form, keeps=[*self.carried, *self.form.fields])
        return replace(found, typed={**found.typed, "confirm": [self.form.confirmed_with(self.choices)]})

    @property
    def carried(self) -> dict[str, list[str]]:
        """Return what was typed on the page before, which this page only hands on."""
        theirs = {*NewUserForm.base_fields, *AfterwardsForm.base_fields, *self.profile_form.fields}
        names = theirs - {*NewUserForm.COMMON} - {*self.form.fields}
        return {name: self.typed.getlist(name) for name in self.typed if name in names}

    def answer(self) -> HttpResponse:
        lines = self.preview.lines(self.definition) if self.preview else []
        context = {
            "definition": self.definition,
            "person": self.person,
            "lines": lines,
            "is_refused": any(one.verdict is Verdict.REFUSED for one in lines) or self.access.viewing_as,
            "form": self.form,
            "carried": self.carried,
            "free": self.free,
            "is_ready": self.is_ready,
            "confirms": self.form.confirmed_with(self.choices) if self.is_ready else "",
            "failure": self.failure,
            "missing_approval": self.missing_approval,
            "asks_approval": self.is_ready and approval.is_demanded(self.access, self.definition, self.choices),
        }
        is_refused = self.missing_approval or (self.form.is_bound and self.form.errors)
        status = self.failure.status if self.failure else 422 if is_refused else 200
        return render(self.request, "console/plans/onboard.html", context, status=status)

    def _newcomer(self) -> tuple[User, dict[str, Any]]:
        """Return whom the plan would create, and the inputs of the action that does."""
        chosen = identifier(self.typed.get("template"))
        self.template = UserTemplate.objects.filter(organization=self.access.org, pk=chosen).first() if chosen else None
        data = self.typed.copy()
        for name, value in (self.template.fields if self.template else {}).items():
            if not data.get(name):
                data.setlist(name, value if isinstance(value, list) else [value])
        form = NewUserForm(data, attributes=known_attributes(self.access), may_edit=self.access.may_edit)
        self.profile_form = form
        if not form.is_valid():
            profile = {"username": str(data.get("username", ""))[:128]}
            return newcomer({"profile": profile}), {"profile": profile, "population_id": None}
        inputs = form.inputs()
        population: UUID | None = inputs["population_id"]
        every = known_populations(self.access)
        found = next((one for one in every if one.id == population or (population is None and one.is_default)), None)
        self.population = found.name if found else ""
        person = newcomer(inputs)
        if population is None and found:
            person = replace(person, population_id=found.id)
        return person, inputs | {"population_id": str(population) if population else None}

    def _form(self) -> OnboardForm:
        is_sent = self.request.method == "POST"
        form = OnboardForm(
            self.typed if is_sent else None,
            access=self.access,
            definition=self.definition,
            reading=Reading(self.api, self.person),
            other=self.other,
            initial={name: self.typed.get(name, "") for name in ("ticket", "reason")},
        )
        if is_sent:
            form.is_valid()
            for field in self.profile_form.problems():
                form.add_error(None, f"{field.label}: {' '.join(map(str, field.errors))}")
            for problem in self.profile_form.non_field_errors():
                form.add_error(None, str(problem))
        return form

    def _groups(self) -> GroupsToGive:
        """Return the groups to give: chosen before, of the template, and those of a colleague. Raises PingOneErrors."""
        wanted: dict[str, Group] = {}
        if joined := [one for one in self.typed.getlist("join") if identifier(one)]:
            names = {str(one.id): one.name for one in groups.first(self.api)}
            wanted |= {one: {"id": one, "name": names.get(one) or one} for one in joined}
        if self.template:
            wanted |= {one["id"]: one for one in self.template.groups}
        left_out: list[tuple[str, Text]] = []
        like = str(self.form.cleaned_data.get("like", "")) if self.form.is_bound else ""
        if like:
            try:
                theirs = groups_like(self.api, colleague_named(self.access, self.api, like), self.person.population_id)
            except NoColleague as nobody:
                self.form.add_error("like", str(nobody.reason))
            else:
                wanted |= {one["id"]: one for one in theirs.given}
                left_out = theirs.left_out
        found = allowed(self.access, self.api, wanted.values())
        return GroupsToGive(given=found.given, left_out=[*left_out, *found.left_out])

    def _previewed(self, wanted: GroupsToGive) -> NewcomerPreview:
        taken: Text = ""
        if usernames.is_taken(self.api, self.person.username):
            self.free = self._free()
            taken = format_lazy(_TAKEN_FREE, username=self.free) if self.free else _TAKEN
        elif self.other and not self.form.is_bound:
            messages.warning(self.request, format_lazy(_RUNS_ALREADY, plan=self.other.plan_name))
        return NewcomerPreview(
            access=self.access,
            api=self.api,
            person=self.person,
            population=getattr(self, "population", ""),
            groups=wanted,
            choices=self.choices,
            taken=taken,
            said=usernames.freed_lately(self.access.org, self.person.username),
        )

    def _free(self) -> str:
        """Return the next free username of the pattern, if there is one."""
        if not self.access.org.username_pattern:
            return ""
        named = usernames.Person(self.person.name.given, self.person.name.family)
        (suggestion,) = usernames.suggest(self.access.org, self.api, [named])
        return suggestion.username
