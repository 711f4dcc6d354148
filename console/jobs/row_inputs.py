"""The inputs of one row: what the list says, checked by the form of the action as if it were typed there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action, Json
from console.actions.custom_attributes import field_name
from console.actions.edit_user_form import NO_CHANGES
from console.actions.forms import ActionForm
from console.actions.profile_forms import ProfileForm
from console.actions.shown import shown_of
from console.audit.entries import storable
from console.models import JobRow
from pingone_integration.profiles import custom_name
from pingone_integration.schemas import Attribute
from pingone_integration.users import User

Verdict = JobRow.Verdict
_HIDDEN = {"submission", "formatted_offered"}
_UNKNOWN = _("Fields that this action does not have: {fields}.")
_NOT_THEIRS = _("Your role cannot edit these fields: {fields}.")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The inputs of a row, or the verdict that keeps it from running."""

    inputs: Json = field(default_factory=dict)
    verdict: JobRow.Verdict | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What the rows of a job have in common."""

    access: OrgAccess
    action: Action
    shared: Mapping[str, Any]  # the inputs of the job
    attributes: tuple[Attribute, ...]  # the environment's own, of users
    ignored: frozenset[str] = frozenset()  # fields of the list that are about another action

    def of(self, row: JobRow, user: User | None) -> Prepared:
        """Return the inputs of this row for this user, as just read."""
        form = self._form(row, user)
        withheld = form.not_theirs if isinstance(form, ProfileForm) else {}
        if not_theirs := sorted(str(withheld[name]) for name in withheld.keys() & set(form.data)):
            return Prepared(verdict=Verdict.NOT_ALLOWED, detail=str(_NOT_THEIRS).format(fields=", ".join(not_theirs)))
        if unknown := sorted(set(form.data) - set(form.fields) - withheld.keys() - _HIDDEN):
            return Prepared(verdict=Verdict.INVALID, detail=str(_UNKNOWN).format(fields=", ".join(unknown)))
        if form.is_valid():
            return Prepared(inputs=_as_shown(form.inputs(), user))
        if form.has_error(NON_FIELD_ERRORS, NO_CHANGES):
            return Prepared(verdict=Verdict.NO_CHANGE)
        told = [
            f"{form.fields[name].label}: {problem}" if name in form.fields else str(problem)
            for name, problems in form.errors.items()
            for problem in problems
        ]
        return Prepared(verdict=Verdict.INVALID, detail=" ".join(told))

    def _form(self, row: JobRow, user: User | None) -> ActionForm:
        fields = {custom_name(one.name): field_name(one.name) for one in self.attributes}
        said = {fields.get(name, name): "" if value is None else value for name, value in row.values.items()}
        told = {name: value for name, value in (dict(self.shared) | said).items() if name not in self.ignored}
        more: dict[str, Any] = {}
        if self.action.form.looks_at_schema:
            more = {"attributes": self.attributes, "may_edit": self.access.may_edit}
        # A job changes what the list says: it does not ask about a formatted name that is left as it was.
        data = {**told, "submission": str(uuid4()), "formatted_offered": "1"}
        return self.action.form(data, user=user, **more)


def _as_shown(inputs: Json, user: User | None) -> Json:
    """Return the inputs; values that they change are compared with those that the preview shows."""
    if user is None or "changes" not in inputs:
        return inputs
    seen = storable(shown_of(user, inputs["changes"]))
    return {"changes": inputs["changes"], "seen": seen}
