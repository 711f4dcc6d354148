"""The form on a member's page: the populations whose users they see."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Membership
from pingone_integration import population_sync
from pingone_integration.texts import Text

MOST = 20  # populations of a narrowed member: each takes its part of every search
ALL, THESE = "all", "these"


class PopulationsForm(forms.Form):
    """Either all populations, also future ones, or some of those that are known now."""

    reach = forms.ChoiceField(
        label=_("They see the users of"),
        choices=[(ALL, _("All populations, also future ones")), (THESE, _("These populations"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose all populations or these.")},
    )
    populations = forms.TypedMultipleChoiceField(
        label=_("Populations"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, membership: Membership, data: Any = None) -> None:
        chosen = membership.populations
        super().__init__(data, initial={"reach": ALL if chosen is None else THESE, "populations": chosen or []})
        self.names = names_of(membership)
        gone = [one for one in map(str, chosen or []) if one not in self.names]
        lost: list[tuple[str, Text]] = [
            (one, format_lazy(_("{population}: This population no longer exists"), population=one)) for one in gone
        ]
        field = self.fields["populations"]
        field.choices = [*self.names.items(), *lost]  # type: ignore[attr-defined]
        field.help_text = format_lazy(_("At most {most}."), most=MOST)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("reach") == THESE and "populations" in cleaned:
            chosen = cleaned["populations"]
            if not chosen:
                self.add_error("populations", _("Choose at least one population."))
            if len(chosen) > MOST:
                self.add_error("populations", format_lazy(_("Choose at most {most} populations."), most=MOST))
        return cleaned

    @property
    def chosen(self) -> frozenset[UUID] | None:
        """Return the only populations, or None for all."""
        return None if self.cleaned_data["reach"] == ALL else frozenset(self.cleaned_data["populations"])


def names_of(membership: Membership) -> dict[str, str]:
    """Return the names of the environment's populations by ID, as of the last sync."""
    known = population_sync.synced(membership.organization.connection).values_list("population_id", "name")
    return {str(population_id): name or str(population_id) for population_id, name in known}
