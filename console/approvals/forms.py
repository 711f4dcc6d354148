"""The form of the rules."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import ACTIONS
from console.approvals.changes import name_of
from console.approvals.rules import EVERY_PLAN, HOURS, LONGEST_HOURS, Rules
from pingone_integration.texts import Text

_MOST_ROWS = 1_000_000
_CALL_API = "api.call"


class RulesForm(forms.Form):
    actions = forms.MultipleChoiceField(
        label=_("Actions"), required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )
    plans = forms.MultipleChoiceField(
        label=_("Plans for one person"), required=False, widget=forms.CheckboxSelectMultiple, choices=()
    )
    job_rows = forms.IntegerField(
        label=_("Jobs from this many rows on"),
        required=False,
        min_value=1,
        max_value=_MOST_ROWS,
        help_text=_("Empty: no job needs an approval because of its size."),
    )
    protected = forms.BooleanField(label=_("Everything that is done to protected accounts"), required=False)
    hours = forms.IntegerField(
        label=_("Requests expire after"),
        min_value=1,
        max_value=LONGEST_HOURS,
        initial=HOURS,
        help_text=format_lazy(_("Hours, at most {most}."), most=LONGEST_HOURS),
    )

    def __init__(self, data: Any = None, *, rules: Rules, plans: Iterable[tuple[str, Text]], **more: Any) -> None:
        """Set up the fields with the rules. `plans`: slug and name of those that there are."""
        super().__init__(data, initial={**rules.stored(), **(more.pop("initial", None) or {})}, **more)
        named: dict[str, Text] = {EVERY_PLAN: _("Every plan"), **dict(plans)}
        named |= {slug: slug for slug in sorted(rules.plans - named.keys())}  # of a plan that is gone
        self.fields["actions"].choices = [  # type: ignore[attr-defined]
            *((action.key, str(action.name)) for action in ACTIONS),
            (_CALL_API, str(name_of(_CALL_API))),
        ]
        self.fields["plans"].choices = [(slug, str(name)) for slug, name in named.items()]  # type: ignore[attr-defined]

    @property
    def rules(self) -> Rules:
        cleaned = self.cleaned_data
        return Rules(
            actions=frozenset(cleaned["actions"]),
            plans=frozenset(cleaned["plans"]),
            job_rows=cleaned["job_rows"],
            protected=cleaned["protected"],
            hours=cleaned["hours"],
        )
