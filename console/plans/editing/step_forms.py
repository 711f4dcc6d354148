"""The fields of a step in the editor. They show what was typed; `definition.read` and the actions' forms check it."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import ACTIONS, BY_KEY
from console.fields import EmailField, MultilineField, TextField
from console.models import Organization
from console.plans.definition import CONDITIONS, LONGEST_SUBJECT, MANAGER, PERSON
from console.plans.editing.draft import (
    ACTION,
    ADDRESS,
    MAIL,
    WAIT,
    Draft,
    Typed,
    adds_fields,
    fields_in,
    inputs_in,
    is_id,
)
from console.plans.fields import Attributes, choices_for, label_of
from console.plans.placeholders import MANAGER_OF_SOMEBODY, filled_in, somebody
from console.users.remembered import GroupChoices, find_groups, group_name, known_attributes, known_populations
from pingone_integration import groups
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean
from pingone_integration.values import identifier

MOST_GROUPS = 200  # in one list; others are found by name
SEARCH = "group-search"
LONGEST_SEARCH = 256

_ALWAYS = ("", _("always"))
_AS_ENTERED = ("", _("what is entered below"))
_CHOOSE = ("", _("Choose…"))
_NO_GROUP = _("No group's name starts with “{name}”.")
_GROUPS = _("The list has the groups whose names start with “{name}”.")
_MORE_GROUPS = _("The list has the first groups whose names start with “{name}”. More letters find fewer.")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What PingOne offers to choose from. What it does not answer stays empty."""

    organization: Organization
    populations: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    attributes: Attributes
    names: Mapping[str, str]  # of further objects, by ID
    found: Mapping[int, GroupChoices]  # groups that were looked for, by the place of the step


def environment_for(access: OrgAccess, draft: Draft, *, finds: int | None = None) -> Environment:
    """Read what the steps of a draft can be about, and nothing that none of them needs.

    `finds`: the place of a step for which groups are looked for.
    """
    actions = [BY_KEY[step["action"]] for step in draft.steps if step.get("action") in BY_KEY]
    inputs = {name for action in actions for name in action.form.base_fields}
    known = known_populations(access) if "population_id" in inputs else ()
    listed = _groups(access) if "group_id" in inputs else ()
    return Environment(
        organization=access.org,
        populations=tuple((str(one.id), one.name) for one in known),
        groups=listed,
        attributes=known_attributes(access) if any(action.form.looks_at_schema for action in actions) else (),
        names=_names(access, draft, {one for one, _name in listed}) | draft.imported,
        found={} if finds is None else _found(access, draft.steps[finds], finds),
    )


def _names(access: OrgAccess, draft: Draft, listed: set[str]) -> dict[str, str]:
    """Return the names of chosen groups that are not in the list."""
    chosen = {step.get("value-group_id", "") for step in draft.steps} - listed - draft.imported.keys()
    return {one: group_name(access, known) for one in chosen if (known := identifier(one))}


def _found(access: OrgAccess, step: Typed, place: int) -> dict[int, GroupChoices]:
    sought = clean(step.get(SEARCH, ""))[:LONGEST_SEARCH]
    try:
        return {place: find_groups(access, sought)} if sought else {}
    except PingOneError:
        return {}


def _groups(access: OrgAccess) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(
            (str(one.id), one.name or str(one.id)) for one in groups.first(access.pingone(), limit=MOST_GROUPS)
        )
    except PingOneError:
        return ()


def new_steps() -> list[tuple[str, Text]]:
    """Return the kinds of steps that can be added."""
    offered = [(action.key, action.name) for action in ACTIONS if "session_id" not in action.form.base_fields]
    return [(MAIL, _("Email")), (WAIT, _("Wait")), *offered]


class StepForm(forms.Form):
    """The fields of one step, as typed. They are never bound: its problems are told above them."""

    use_required_attribute = False

    def __init__(self, place: int, step: Typed, environment: Environment) -> None:
        super().__init__(prefix=f"step-{place}", initial=dict(step), auto_id="id-%s")
        kind = step.get("kind", "")
        self.fields["kind"] = forms.CharField(widget=forms.HiddenInput)
        if kind == ACTION:
            self.fields["action"] = forms.CharField(widget=forms.HiddenInput)
        if kind in _FIELDS:
            self.fields |= _FIELDS[kind](step, environment, environment.found.get(place))
        if kind in {ACTION, MAIL}:
            conditions = [_ALWAYS, *((str(one), told) for one, told in CONDITIONS.items())]
            self.fields["if"] = _choice(_("When it runs"), conditions)
        for field in self.fields.values():
            field.required = False


def _of_action(step: Typed, environment: Environment, of_place: GroupChoices | None) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    possible = fields_in(step, environment.attributes)
    present = inputs_in(step)
    shown = [name for name in possible if name in present or not adds_fields(step)]
    for name in [*shown, *(name for name in present if name not in possible)]:
        field = possible.get(name)
        label = label_of(name, field)
        if is_id(name):
            found |= _of_id(name, label, step, environment, of_place)
            continue
        hows = [_AS_ENTERED, *choices_for(name).items()]
        found[f"how-{name}"] = _choice(format_lazy(_("{field} is"), field=label), hows)
        found[f"value-{name}"] = _as_text(label, field)
    return found


def _of_id(
    name: str, label: Text, step: Typed, environment: Environment, of_place: GroupChoices | None
) -> dict[str, forms.Field]:
    """Return one list with the choices and the objects of the environment, or the groups that were found."""
    listed = {"group_id": environment.groups, "population_id": environment.populations}.get(name, ())
    if name == "group_id" and of_place and of_place.groups:
        listed = tuple((str(one.id), one.name or str(one.id)) for one in of_place.groups)
    choices = [_CHOOSE, *choices_for(name).items(), *listed]
    present = step.get(f"value-{name}", "")
    if present and present not in {value for value, _label in choices}:
        choices.append((present, environment.names.get(present, present)))
    return {f"value-{name}": _choice(label, choices)}


def _as_text(label: Text, field: forms.Field | None) -> forms.Field:
    """Return a field for the text as it is typed, with the look of the action's own."""
    if isinstance(field, forms.ChoiceField):
        return _choice(label, list(cast("Iterable[tuple[str, Text]]", field.choices)))
    widget = deepcopy(field.widget) if field else None
    return forms.CharField(label=str(label), widget=widget, help_text=field.help_text if field else "")


def _of_mail(step: Typed, environment: Environment, of_place: GroupChoices | None) -> dict[str, forms.Field]:
    to = [(PERSON, _("the user")), (MANAGER, _("their manager")), (ADDRESS, _("the address below"))]
    return {
        "to": _choice(_("To"), to),
        "address": EmailField(label=_("Address"), help_text=_("Only for an email to one address.")),
        "subject": TextField(label=_("Subject"), max_length=LONGEST_SUBJECT),
        "text": MultilineField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 8})),
    }


def _of_wait(step: Typed, environment: Environment, of_place: GroupChoices | None) -> dict[str, forms.Field]:
    lengths = [
        ("days", _("for days")),
        ("until", _("until an hour")),
        ("date", _("until a date that is asked at the start")),
    ]
    return {
        "length": _choice(_("Wait"), lengths),
        "days": TextField(kind=Kind.ID, label=_("Days"), widget=forms.TextInput(attrs={"inputmode": "numeric"})),
        "until": TextField(
            kind=Kind.ID,
            label=_("Hour"),
            help_text=_("The next time that it is so late at the user's place, for example 18:00."),
        ),
    }


def _choice(label: Text, choices: Iterable[tuple[str, Text]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=str(label), choices=list(choices))


_FIELDS = {ACTION: _of_action, MAIL: _of_mail, WAIT: _of_wait}


@dataclass(frozen=True, kw_only=True)
class StepOnPage:
    """One step in the editor."""

    place: int  # from 0
    step: Typed
    environment: Environment
    problems: tuple[Text, ...] = ()

    @property
    def number(self) -> int:
        return self.place + 1

    @property
    def title(self) -> Text:
        kind = self.step.get("kind")
        if kind == ACTION:
            action = BY_KEY.get(self.step.get("action", ""))
            return action.name if action else self.step.get("action", "")
        return {MAIL: _("Email"), WAIT: _("Wait")}.get(str(kind), "")

    @cached_property
    def form(self) -> StepForm:
        return StepForm(self.place, self.step, self.environment)

    @property
    def search_name(self) -> str:
        """Return the name of the field by which more groups are found; "" where all are listed."""
        is_more = len(self.environment.groups) >= MOST_GROUPS and "value-group_id" in self.form.fields
        return self.form.add_prefix(SEARCH) if is_more else ""

    @property
    def sought(self) -> str:
        return self.step.get(SEARCH, "")

    @property
    def found(self) -> Text:
        """Return what a search for groups found, in a sentence; "" without one."""
        choices = self.environment.found.get(self.place)
        if choices is None:
            return ""
        if not choices.groups:
            return format_lazy(_NO_GROUP, name=choices.name)
        return format_lazy(_MORE_GROUPS if choices.more else _GROUPS, name=choices.name)

    @property
    def fields_to_add(self) -> list[tuple[str, Text]]:
        """Return the fields that a step which changes some of a profile does not have yet."""
        if not adds_fields(self.step):
            return []
        possible, present = fields_in(self.step, self.environment.attributes), inputs_in(self.step)
        return [(name, label_of(name, field)) for name, field in possible.items() if name not in present]

    @property
    def fields_to_drop(self) -> list[tuple[str, Text]]:
        if not adds_fields(self.step):
            return []
        possible = fields_in(self.step, self.environment.attributes)
        return [(name, label_of(name, possible[name]) if name in possible else name) for name in inputs_in(self.step)]

    @property
    def preview(self) -> tuple[str, str] | None:
        """Return subject and text of an email as somebody would get it; None: this step is none."""
        if self.step.get("kind") != MAIL:
            return None
        return as_sent(self.step.get("subject", ""), self.step.get("text", ""), self.environment.organization)


def as_sent(subject: str, text: str, organization: Organization) -> tuple[str, str]:
    """Return an email with the values of a user who does not exist."""
    return (
        filled_in(subject, somebody(), organization, manager=MANAGER_OF_SOMEBODY),
        filled_in(text, somebody(), organization, manager=MANAGER_OF_SOMEBODY),
    )
