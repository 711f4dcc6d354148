"""The inputs of a job that are the same for all of its rows, asked with the action's own form."""

from copy import deepcopy
from typing import Any
from uuid import uuid4

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.choices import Choices, groups_to_join, populations_to_choose
from console.actions.forms import ActionForm
from console.actions.profile_forms import ProfileForm
from console.jobs.listed import CLEAR
from console.jobs.plan_action import PlanAction
from console.jobs.plan_form import PlanForManyForm
from console.jobs.who import Who
from console.models import Job
from console.users.remembered import find_groups, group_name
from pingone_integration.typed.text import clean

CREATES = "user.create"
UPDATES = "user.update"
# What no two people share.
_OF_ONE_PERSON = frozenset(
    {
        *("username", "email", "given_name", "middle_name", "family_name", "formatted_name", "nickname"),
        *("primary_phone", "mobile_phone", "account_id", "external_id"),
    }
)


class SharedValues(forms.Form):
    """Values of the profile that many users get. An empty field changes nothing, and `[clear]` clears."""

    def __init__(self, data: QueryDict | None, *, access: OrgAccess) -> None:
        super().__init__(data)
        for name, field in ProfileForm.base_fields.items():
            if name in _OF_ONE_PERSON or name in ActionForm.COMMON or not access.may_edit(name):
                continue
            is_cleared = data is not None and clean(data.get(name, "")).casefold() == CLEAR.value
            self.fields[name] = forms.CharField(label=field.label) if is_cleared else deepcopy(field)
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.inputs():
            raise forms.ValidationError(_("Enter at least one value. An empty field changes nothing."))
        return cleaned

    def inputs(self) -> dict[str, Any]:
        """Return the values to write; an empty one clears."""
        typed = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        return {name: "" if str(value).casefold() == CLEAR.value else value for name, value in typed.items()}


class NothingToAsk(forms.Form):
    def inputs(self) -> dict[str, Any]:
        return {}


InputsForm = SharedValues | NothingToAsk | ActionForm | PlanForManyForm


def inputs_form(access: OrgAccess, action: Action, who: Who, data: QueryDict | None = None) -> InputsForm:
    """Return the form for the inputs that all rows share. A file has the values of profiles in its columns."""
    if isinstance(action, PlanAction):
        return PlanForManyForm(data, access=access, definition=action.definition)
    if action.form.looks_at_schema:
        shares = who.source != Job.Source.FILE
        return SharedValues(data, access=access) if shares else NothingToAsk(data)
    if data is not None:
        data = data.copy()
        data["submission"] = str(uuid4())
    form = action.form(data, limits=action.limits(access))
    for name in ("ticket", "reason"):  # asked at the start
        del form.fields[name]
    for name in action.form.id_fields():
        field = form.fields[name]
        field.label = field.label or _("Group")
        field.widget = forms.Select(choices=_choices(access, name, who, data))
        form.initial.setdefault(name, who.target_id if name == "group_id" and who.source == Job.Source.GROUP else None)
    return form


def asks(form: InputsForm) -> bool:
    """Return whether the form has anything to fill in."""
    return any(not field.is_hidden for field in form)


def _choices(access: OrgAccess, name: str, who: Who, data: QueryDict | None) -> list[tuple[str, Any]]:
    first: list[tuple[str, Any]] = [("", _("Choose…"))]
    if name == "population_id":
        return [*first, *populations_to_choose(access, None)]
    if name != "group_id":
        return first
    sought = clean(data.get("group_search", ""))[:256] if data else ""
    found: Choices = (
        [(str(group.id), group.name) for group in find_groups(access, sought).groups]
        if sought
        else groups_to_join(access, None)
    )
    if who.source == Job.Source.GROUP and who.target_id and str(who.target_id) not in dict(found):
        found = [(str(who.target_id), group_name(access, who.target_id)), *found]
    return [*first, *found]
