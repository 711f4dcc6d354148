"""The brake on mass change: many people at once lose access only if another org admin lets them.

It counts the people whom jobs, commands, plans and rules of everybody deactivated, deleted, moved or removed from
groups within a day, from the record; and by itself, whom rules added to groups, since nobody watches them. What people
do on pages has the limits of rules.py.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.limits.rules import BRAKE_LEAST, BRAKE_PEOPLE, BRAKE_PERCENT, DAY
from console.models import AuditEntry, LimitPolicy, Organization
from console.protection.facts import NOWHERE
from pingone_integration.models import SyncedPopulation
from pingone_integration.texts import Text

ACTIONS = ("user.deactivate", "user.delete", "user.move", "group.remove")
CHANNELS = (AuditEntry.Channel.JOB, AuditEntry.Channel.COMMAND, AuditEntry.Channel.PLAN, AuditEntry.Channel.RULE)
GIVES = "group.add"  # by a rule

_COUNTS = {AuditEntry.Outcome.STARTED, AuditEntry.Outcome.SUCCEEDED, AuditEntry.Outcome.UNKNOWN}
_OF_ALL = _("{people} people within a day would be more than {most}.")
_OF_POPULATION = _("{people} people of {population} within a day would be more than {percent} % of its {users}.")
_OF_UNKNOWN = _("{people} people of {population} within a day would be more than {most}, and its size is not known.")
_NAMELESS = _("one population")


@dataclass(frozen=True, kw_only=True)
class Sum:
    """The people within a day, with the one at hand."""

    people: int
    of_population: int
    population_id: str
    population: str  # its name; empty if it is not known
    users: int | None  # of the population, as PingOne counts them; None if it does not say

    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "population"}  # its ID is there


class BrakeReached(Exception):
    """A change of one person too many, and the reason."""

    def __init__(self, reason: Text, total: Sum) -> None:
        super().__init__(reason)
        self.reason, self.total = reason, total


def check(row: AuditEntry, *, planned: int = 0, planned_of: int = 0) -> None:
    """Raise BrakeReached if the action of this row, which is not stored yet, would pass the brake.

    `planned`: the people for whom it is scheduled within the same time; `planned_of`: those of the same population.
    """
    if row.channel not in CHANNELS or row.action not in _like(row) or row.organization is None:
        return
    most = values(row.organization)
    known = sum_with(row)
    total = replace(known, people=known.people + planned, of_population=known.of_population + planned_of)
    if total.people > most[BRAKE_PEOPLE.key]:
        raise BrakeReached(format_lazy(_OF_ALL, people=total.people, most=most[BRAKE_PEOPLE.key]), total)
    least, percent = most[BRAKE_LEAST.key], most[BRAKE_PERCENT.key]
    if not row.subject_population or total.of_population <= least:
        return
    of = {"people": total.of_population, "population": total.population or _NAMELESS}
    if total.users is None:
        raise BrakeReached(format_lazy(_OF_UNKNOWN, most=least, **of), total)
    if total.of_population * 100 > total.users * percent:
        raise BrakeReached(format_lazy(_OF_POPULATION, percent=percent, users=total.users, **of), total)


def _like(row: AuditEntry) -> tuple[str, ...]:
    """Return the actions that count together with that of the row."""
    return (GIVES,) if row.action == GIVES and row.channel == AuditEntry.Channel.RULE else ACTIONS


def values(organization: Organization) -> dict[str, int]:
    """Return the organization's values of the brake."""
    limits = (BRAKE_PEOPLE, BRAKE_PERCENT, BRAKE_LEAST)
    found = LimitPolicy.objects.filter(organization=organization, limit__in=[limit.key for limit in limits])
    return {limit.key: limit.most for limit in limits} | dict(found.values_list("limit", "most"))


def sum_with(row: AuditEntry) -> Sum:
    since = timezone.now() - DAY
    rows = AuditEntry.objects.filter(organization=row.organization)
    first = rows.filter(at__gt=since).order_by("at", "sequence").values_list("sequence", flat=True).first() or 0
    like = _like(row)
    channels = (AuditEntry.Channel.RULE,) if like == (GIVES,) else CHANNELS
    lately = rows.filter(sequence__gte=first, started_at__gt=since, action__in=like, channel__in=channels)
    counted = lately.current().filter(outcome__in=_COUNTS)
    same = Q(subject_population=row.subject_population) if row.subject_population else Q(pk=None)
    others = counted.exclude(subject_id=row.subject_id).order_by()
    population = _population_of(row)
    return Sum(
        people=others.values("subject_id").distinct().count() + 1,
        of_population=others.filter(same).values("subject_id").distinct().count() + 1,
        population_id=str(row.subject_population or ""),
        population=population.name if population else "",
        users=population.user_count if population else None,
    )


def _population_of(row: AuditEntry) -> SyncedPopulation | None:
    organization = row.organization
    if organization is None or row.subject_population is None:
        return None
    return SyncedPopulation.objects.filter(
        connection=organization.connection_id,
        environment_id=organization.connection.managed_environment_id or NOWHERE,
        population_id=row.subject_population,
    ).first()
