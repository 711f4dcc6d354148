"""The effect that one step of a plan would have on a person as they are now, for the preview."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.custom_attributes import field_name
from console.actions.effect import shows
from console.actions.profile_forms import profile_values
from console.actions.shown import is_shown, shown_of
from console.audit.entries import storable
from console.plans.definition import ALL, FIELDS, LOST, OF_GROUPS, RECENT, ActionStep
from console.plans.group_targets import group_targets
from console.plans.person import is_recent
from console.plans.settled import Source
from console.plans.targets import device_name, fields_of
from console.user_templates.in_words import in_words, label_of
from pingone_integration import devices, groups, sessions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.groups import GroupMembership
from pingone_integration.texts import Text
from pingone_integration.users import User

_STAYS = _("These memberships stay, because a rule or another group gives them: {groups}.")
_OUTSIDE = _("These groups are in neither template and stay: {groups}.")
_LATER = _("Read again when it runs.")
_LEFT_OUT = _("Left out: {group}. {why}")
_TO_POPULATION = _("To {population}.")
_NOT_YOURS = _("This is not one of your populations.")
_FIELD = _("{field}: {value}")


class Reading:
    """What the preview reads of the person, each list at most once."""

    def __init__(self, api: PingOneApi, user: User) -> None:
        self.api, self.user = api, user
        self._memberships: tuple[GroupMembership, ...] | None = None
        self._devices: tuple[devices.Device, ...] | None = None

    @property
    def memberships(self) -> tuple[GroupMembership, ...]:
        if self._memberships is None:
            self._memberships = groups.all_memberships(self.api, self.user.id, whole=True)
        return self._memberships

    @property
    def devices(self) -> tuple[devices.Device, ...]:
        if self._devices is None:
            self._devices = devices.all_of(self.api, self.user.id)
        return self._devices


@dataclass(frozen=True, kw_only=True)
class Effect:
    names: tuple[str, ...] = ()  # of the groups or devices
    notes: tuple[Text, ...] = ()
    is_already: bool = False
    refusal: Text = ""  # why this operator cannot have it


def effect_of(
    access: OrgAccess, step: ActionStep, chosen: Mapping[str, Any], source: Source, reading: Reading
) -> Effect:
    """Return what a step would do. `chosen`: its settled inputs. Raises PingOneErrors."""
    group, device = step.inputs.get("group_id"), step.inputs.get("device_id")
    if group == ALL:
        return _all_groups(reading)
    if group in OF_GROUPS:
        return _groups(access, step, chosen, source, reading)
    if device in {ALL, RECENT}:
        names = tuple(device_name(one) for one in reading.devices if device == ALL or is_recent(one.created_at))
        return Effect(names=names, notes=(_LATER,), is_already=not names)
    if "population_id" in step.inputs and (population := chosen.get("population_id")):
        return _population(access, str(population), source, reading)
    if FIELDS in step.inputs:
        return _fields(fields_of(step, chosen), reading.user)
    if step.action == "sessions.end-all":
        return Effect(is_already=not sessions.all_of(reading.api, reading.user.id))
    if step.inputs:
        return Effect()
    expected = storable(step.of_catalogue.expected({})) or {}
    is_readable = bool(expected) and all(map(is_shown, expected))
    return Effect(is_already=is_readable and shows(expected, storable(shown_of(reading.user, expected))))


def _all_groups(reading: Reading) -> Effect:
    names = tuple(_name(one) for one in reading.memberships if one.is_direct)
    return Effect(names=names, notes=(*_by_rule(reading.memberships), _LATER), is_already=not names)


def _by_rule(memberships: Iterable[GroupMembership]) -> tuple[Text, ...]:
    """Return what is said of those memberships that nobody can end here."""
    names = [_name(one) for one in memberships if not one.is_direct]
    return (format_lazy(_STAYS, groups=", ".join(names)),) if names else ()


def _groups(access: OrgAccess, step: ActionStep, chosen: Mapping[str, Any], source: Source, reading: Reading) -> Effect:
    """Return each group by name that the step adds or removes, those that it leaves out, and those that stay."""
    found = group_targets(step, chosen.get("group_id") or (), reading.memberships, access.org, reading.api)
    names = tuple(one.name for one in found if not one.left_out)
    notes: list[Text] = [format_lazy(_LEFT_OUT, group=one.name, why=one.left_out) for one in found if one.left_out]
    if step.action == "group.remove":
        asked = {one["id"] for one in chosen.get("group_id") or ()}
        notes += _by_rule(one for one in reading.memberships if str(one.group_id) in asked)
    if step.inputs["group_id"] == LOST and source.groups:
        others = [_name(one) for one in reading.memberships if str(one.group_id) not in source.groups]
        notes += [format_lazy(_OUTSIDE, groups=", ".join(others))] if others else []
    if names:
        notes.append(_LATER)
    return Effect(names=names, notes=tuple(notes), is_already=not found)


def _population(access: OrgAccess, population_id: str, source: Source, reading: Reading) -> Effect:
    if not access.sees_population(UUID(population_id)):
        return Effect(refusal=_NOT_YOURS)
    named = next((of["population_name"] for of in source.values.values() if of.get("population_name")), population_id)
    is_already = str(reading.user.population_id) == population_id
    return Effect(notes=(format_lazy(_TO_POPULATION, population=named),), is_already=is_already)


def _fields(typed: Mapping[str, Any], user: User) -> Effect:
    now = profile_values(user) | {field_name(name): value for name, value in user.custom.items()}
    notes = [format_lazy(_FIELD, field=label_of(name), value=in_words(value)) for name, value in typed.items()]
    return Effect(
        notes=tuple(notes), is_already=all(in_words(now.get(name)) == in_words(typed[name]) for name in typed)
    )


def _name(membership: GroupMembership) -> str:
    return membership.name or str(membership.group_id)
