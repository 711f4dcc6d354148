"""What a plan would do for somebody who does not exist yet, step by step. Nothing is changed."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.plans import own_password
from console.plans.ahead import Choices, is_chosen, is_given_password
from console.plans.definition import (
    CONDITIONS,
    CREATES,
    GROUPS,
    MANAGER,
    PERSON,
    ActionStep,
    Condition,
    Definition,
    MailStep,
    Step,
)
from console.plans.groups_to_give import GroupsToGive
from console.plans.mail_step import address_for
from console.plans.manager import NoManager, manager_of, named_manager
from console.plans.preview import Line, Verdict, title_of
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.users import User

_NOT_ALLOWED = _("Your role does not allow this.")
_TO = _("To {address}.")
_LEFT_OUT = _("Not {group}: {why}")
_WAITS = _("The plan waits until someone does this on the user's page and tells them the password.")
_CHOSEN = _("You chose that someone gives them a password.")


@dataclass(frozen=True, kw_only=True)
class NewcomerPreview:
    """A plan for a newcomer, as it would be started now. `taken`: why the username cannot be had."""

    access: OrgAccess
    api: PingOneApi
    person: User
    population: str
    groups: GroupsToGive
    choices: Choices
    taken: Text = ""
    said: Text = ""  # of the username

    def lines(self, definition: Definition) -> list[Line]:
        """Return what each step would do. Raises PingOneErrors."""
        return [self._line(number, step) for number, step in definition.numbered()]

    @property
    def obstacle(self) -> Text:
        """Return why they cannot choose their password by themselves, or ""."""
        if is_given_password(self.choices):
            return _CHOSEN
        return own_password.obstacle(self.access.org, self.person)

    def _line(self, number: int, step: Step) -> Line:
        title = title_of(step)
        if isinstance(step, ActionStep) and not self.access.may(step.of_catalogue):
            verdict = Verdict.REFUSED if is_chosen(number, step, self.choices) else Verdict.LEFT_OUT
            return Line(number=number, title=title, verdict=verdict, notes=(_NOT_ALLOWED,))
        verdict, names, notes = self._effect(number, step)
        return Line(number=number, title=title, verdict=verdict, names=names, notes=tuple(filter(None, notes)))

    def _effect(self, number: int, step: Step) -> tuple[Verdict, tuple[str, ...], tuple[Text, ...]]:
        if isinstance(step, ActionStep) and step.action == CREATES:
            return self._creation()
        if isinstance(step, ActionStep) and GROUPS in step.inputs.values():
            left_out = [format_lazy(_LEFT_OUT, group=name, why=why) for name, why in self.groups.left_out]
            names = tuple(one["name"] for one in self.groups.given)
            return Verdict.RUNS if names else Verdict.LEFT_OUT, names, tuple(left_out)
        if decide := _BY_CONDITION.get(step.condition) if step.condition else None:
            verdict, why = decide(self)
            is_left_out = verdict is Verdict.LEFT_OUT
            return verdict, (), (why, "" if is_left_out or not isinstance(step, MailStep) else self._to(step))
        verdict = Verdict.RUNS if is_chosen(number, step, self.choices) else Verdict.LEFT_OUT
        condition: Text = CONDITIONS[step.condition] if step.condition else ""
        return verdict, (), (condition, self._to(step) if isinstance(step, MailStep) else "")

    def _creation(self) -> tuple[Verdict, tuple[str, ...], tuple[Text, ...]]:
        person = self.person
        about = (person.username, person.name.whole, person.email, self.population)
        verdict = Verdict.REFUSED if self.taken else Verdict.RUNS
        return verdict, tuple(filter(None, about)), (self.taken, self.said)

    def _to(self, step: MailStep) -> Text:
        if step.to == MANAGER:
            try:
                return format_lazy(_TO, address=manager_of(self.access.org, self.api, self.person).email)
            except NoManager as nobody:
                return nobody.reason
        address = address_for(self.access.org, step, self.person) if step.to == PERSON else step.to
        return format_lazy(_TO, address=address) if address else _("They have no email address.")


def _chooses(preview: NewcomerPreview) -> tuple[Verdict, Text]:
    return (Verdict.LEFT_OUT, preview.obstacle) if preview.obstacle else (Verdict.RUNS, "")


def _is_given(preview: NewcomerPreview) -> tuple[Verdict, Text]:
    if not preview.obstacle:
        return Verdict.LEFT_OUT, _("They choose one themselves.")
    return Verdict.WAITS, format_lazy("{} {}", preview.obstacle, _WAITS)


def _has_manager(preview: NewcomerPreview) -> tuple[Verdict, Text]:
    if named_manager(preview.access.org, preview.person):
        return Verdict.RUNS, ""
    return Verdict.LEFT_OUT, _("Their profile names no manager.")


_BY_CONDITION: dict[Condition, Callable[[NewcomerPreview], tuple[Verdict, Text]]] = {
    Condition.CHOOSES_PASSWORD: _chooses,
    Condition.GIVEN_PASSWORD: _is_given,
    Condition.HAS_MANAGER: _has_manager,
}
