"""The form of a rule: its name, population and groups, and whether it takes them back."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.affected import Affected
from console.fields import TextField
from console.models import Rule
from console.protection import judge
from console.users.remembered import find_groups
from pingone_integration import groups, population_sync
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import NotFound
from pingone_integration.groups import Group
from pingone_integration.texts import Text
from pingone_integration.typed.text import clean
from pingone_integration.values import identifier

MOST_GROUPS = 10
LONGEST_NAME = 80

_GONE = _("PingOne no longer has one of these groups.")
_DYNAMIC = _("PingOne decides by a filter who is in {group}. Choose another group.")
_EXTERNAL = _("An external directory decides who is in {group}. Choose another group.")
_OTHER = _("{group} takes users of another population only.")
_PROTECTED = _("{group}: {why} Rules leave protected users and groups alone.")


class RuleForm(forms.Form):
    name = TextField(label=_("Name"), max_length=LONGEST_NAME, help_text=_("It is on record with all that it does."))
    population = forms.ChoiceField(label=_("Who comes into this population"))
    group = forms.MultipleChoiceField(label=_("gets these groups"), widget=forms.CheckboxSelectMultiple)
    takes_back = forms.BooleanField(
        label=_("Take back what the rule gave when somebody leaves the population"), required=False
    )

    def __init__(self, data: QueryDict | None = None, *, access: OrgAccess, rule: Rule | None = None) -> None:
        super().__init__(data, initial=_values_of(rule) if rule else {})
        self.access, self.rule = access, rule
        known = population_sync.synced(access.org.connection).values_list("population_id", "name")
        choices = [(str(one), name or str(one)) for one, name in known if access.sees_population(one)]
        self.fields["population"].choices = [("", _("Choose…")), *choices]  # type: ignore[attr-defined]
        self.sought = clean(data.get("group_search", ""))[:256] if data else ""
        self.names = self._groups_to_choose(data)
        self.fields["group"].choices = list(self.names.items())  # type: ignore[attr-defined]

    def _groups_to_choose(self, data: QueryDict | None) -> dict[str, str]:
        """Return what is chosen already, and what the search finds. One call, and one for each unknown group."""
        api = self.access.pingone()
        found = find_groups(self.access, self.sought).groups
        names = {str(group.id): group.name for group in found if not group.is_dynamic and not group.source}
        known = {group["id"]: group["name"] for group in self.rule.groups} if self.rule else {}
        chosen = data.getlist("group")[:MOST_GROUPS] if data else list(known)
        kept = {one: names.get(one) or known.get(one) or _name_of(api, one) for one in chosen if identifier(one)}
        return kept | names

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        others = Rule.objects.filter(organization=self.access.org, name=name)
        if (others.exclude(pk=self.rule.pk) if self.rule else others).exists():
            raise forms.ValidationError(_("Another rule has this name."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = cleaned.get("group") or []
        if len(chosen) > MOST_GROUPS:
            self.add_error("group", str(format_lazy(_("Choose at most {count} groups."), count=MOST_GROUPS)))
        elif chosen and cleaned.get("population"):
            self.chosen = [self._checked(UUID(one), UUID(cleaned["population"])) for one in chosen]
        return cleaned

    def _checked(self, group_id: UUID, population_id: UUID) -> dict[str, str]:
        api = self.access.pingone()
        try:
            group = groups.get(api, group_id)
        except NotFound:
            self.add_error("group", str(_GONE))
            return {}
        if problem := self._problem_with(api, group, population_id):
            self.add_error("group", str(problem))
        return {"id": str(group.id), "name": group.name}

    def _problem_with(self, api: PingOneApi, group: Group, population_id: UUID) -> Text:
        if group.is_dynamic:
            return format_lazy(_DYNAMIC, group=group.name)
        if group.source:
            return format_lazy(_EXTERNAL, group=group.name)
        if group.population_id not in {None, population_id}:
            return format_lazy(_OTHER, group=group.name)
        found = judge.protection_of(self.access.org, api, Affected(groups=frozenset({group.id})), None)
        return format_lazy(_PROTECTED, group=group.name, why=found.sentence) if found else ""

    def values(self) -> dict[str, Any]:
        """Return the columns of a rule, of a valid form."""
        return {
            "name": self.cleaned_data["name"],
            "population_id": UUID(self.cleaned_data["population"]),
            "groups": self.chosen,
            "takes_back": self.cleaned_data["takes_back"],
        }


def _values_of(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "population": str(rule.population_id),
        "group": [group["id"] for group in rule.groups],
        "takes_back": rule.takes_back,
    }


def _name_of(api: PingOneApi, group_id: str) -> str:
    try:
        return groups.get(api, UUID(group_id)).name
    except NotFound:
        return group_id
