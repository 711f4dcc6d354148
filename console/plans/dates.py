"""A time as an operator enters it: local, with its zone. Both are kept, beside the moment that they mean."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Organization
from console.page.zones import city_of, is_zone
from pingone_integration.texts import Text
from pingone_integration.users import User

LONGEST_AHEAD = timedelta(days=366)

_FORMAT = "%Y-%m-%dT%H:%M"


class NotATime(ValueError):
    """This time cannot be taken. `is_past`: "now" is what is left; `is_ambiguous`: the hour comes twice."""

    def __init__(self, reason: Text, *, is_past: bool = False, is_ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.is_past, self.is_ambiguous = reason, is_past, is_ambiguous


@dataclass(frozen=True, kw_only=True)
class When:
    """A moment, and how it was entered."""

    local: str  # YYYY-MM-DDTHH:MM
    zone: str  # an IANA time zone
    at: datetime

    @property
    def told(self) -> Text:
        """Return the local time with the zone's city, and UTC: "Fri 4 Dec 2026 18:00 Stockholm, 17:00 UTC"."""
        local, in_utc = self.at.astimezone(ZoneInfo(self.zone)), self.at.astimezone(UTC)
        if city_of(self.zone) == "UTC":
            return f"{_in_words(in_utc)} UTC"
        same_day = local.date() == in_utc.date()
        return format_lazy(
            "{local} {city}, {utc} UTC",
            local=_in_words(local),
            city=city_of(self.zone),
            utc=f"{in_utc:%H:%M}" if same_day else _in_words(in_utc),
        )


def _in_words(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M}"


def when(local: str, zone: str, *, is_second: bool | None = None) -> When:
    """Return the moment of a local time in the future. `is_second`: which of two, if the hour comes twice.

    Raises NotATime for a past time, for an hour that does not exist, and for one that comes twice unless told which.
    """
    if not is_zone(zone):
        raise NotATime(_("Choose a time zone."))
    try:
        entered = datetime.strptime(local, _FORMAT)  # noqa: DTZ007 - the zone comes next
    except ValueError:
        raise NotATime(_("Enter a date and a time.")) from None
    first, second = (entered.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != entered:
        told = _("{time} does not exist in {city} on this day: the clocks go forward. Choose another time.")
        raise NotATime(format_lazy(told, time=f"{entered:%H:%M}", city=city_of(zone)))
    if first != second and is_second is None:
        told = _("{time} comes twice in {city} on this day: at {first} and at {second} UTC. Choose one.")
        times = {"first": f"{first:%H:%M}", "second": f"{second:%H:%M}"}
        raise NotATime(format_lazy(told, time=f"{entered:%H:%M}", city=city_of(zone), **times), is_ambiguous=True)
    moment = second if is_second else first
    now = timezone.now()
    if moment <= now:
        raise NotATime(_("This time is in the past. Run it now, or choose a later time."), is_past=True)
    if moment > now + LONGEST_AHEAD:
        raise NotATime(_("Choose a time within a year."))
    return When(local=f"{entered:{_FORMAT}}", zone=zone, at=moment)


def zone_of(person: User, organization: Organization) -> str:
    """Return the zone in which times about a person are meant: theirs, the organization's, or else the operator's."""
    known = (one for one in (person.timezone, organization.time_zone) if is_zone(one))
    return next(known, timezone.get_current_timezone_name())


def next_at(hour: str, zone: str, after: datetime) -> datetime:
    """Return the next moment after `after` at which it is so late (HH:MM) in the zone. A skipped hour moves forward."""
    place = ZoneInfo(zone if is_zone(zone) else "UTC")
    hours, minutes = map(int, hour.split(":"))
    day = after.astimezone(place)
    while True:
        moment = day.replace(hour=hours, minute=minutes, second=0, microsecond=0, fold=0).astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)
