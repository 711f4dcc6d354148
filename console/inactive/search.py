"""Who is inactive: the form of the search, and the users whom it finds among those that a crawl has found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import Crawl, CrawledUser
from console.protection.facts import NOWHERE
from pingone_integration import population_sync
from pingone_integration.texts import Text
from pingone_integration.values import identifier

DAYS = 90
LONGEST_DAYS = 3_650
NEVER, ANY_STATUS = "never", "any"
_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """A search for inactive users. `before`: when they were active last."""

    before: datetime
    days: int = DAYS
    population_id: UUID | None = None
    only_never: bool = False  # those who never signed in
    only_activated: bool = True
    ids: tuple[UUID, ...] = ()  # the only ones of them, who were ticked; empty: all

    def stored(self) -> dict[str, Any]:
        return {
            "before": self.before.isoformat(),
            "days": self.days,
            "population_id": self.population_id and str(self.population_id),
            "only_never": self.only_never,
            "only_activated": self.only_activated,
            "ids": [str(one) for one in self.ids],
        }

    @classmethod
    def of_stored(cls, stored: dict[str, Any]) -> Self:
        return cls(
            before=datetime.fromisoformat(stored["before"]),
            days=stored["days"],
            population_id=identifier(stored["population_id"]),
            only_never=stored["only_never"],
            only_activated=stored["only_activated"],
            ids=tuple(UUID(one) for one in stored.get("ids", ())),
        )


class InactiveForm(forms.Form):
    days = forms.IntegerField(label=_("Not active for (days)"), min_value=1, max_value=LONGEST_DAYS, required=False)
    population = forms.ChoiceField(label=_("Population"), required=False)
    kind = forms.ChoiceField(
        label=_("Sign-in"), required=False, choices=[("", _("Never, or not since")), (NEVER, _("Never signed in"))]
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Activated")), (ANY_STATUS, _("All"))]
    )

    def __init__(self, data: Any, *, access: OrgAccess) -> None:
        super().__init__({"days": DAYS} | {name: value for name, value in data.items() if value})
        self.names = dict(_populations(access))
        choices = [(str(one), name) for one, name in self.names.items()]
        self.fields["population"].choices = [("", _("All populations")), *choices]  # type: ignore[attr-defined]

    @property
    def criteria(self) -> Criteria:
        """Return the search, of a valid form."""
        chosen = self.cleaned_data
        days = chosen["days"] or DAYS
        return Criteria(
            before=timezone.now() - timedelta(days=days),
            days=days,
            population_id=identifier(chosen["population"]),
            only_never=chosen["kind"] == NEVER,
            only_activated=chosen["status"] != ANY_STATUS,
        )

    def query(self, **more: str) -> str:
        chosen = {name: self.cleaned_data[name] for name in self.fields} | more
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def told(self) -> Text:
        """Return the search in words."""
        criteria = self.criteria
        name = self.names.get(criteria.population_id) if criteria.population_id else None
        told = _("never signed in") if criteria.only_never else _("not active")
        sentence = _("{population}, {told} for {days} days")
        return format_lazy(sentence, population=name or _("All populations"), told=told, days=criteria.days)


def _populations(access: OrgAccess) -> Iterator[tuple[UUID, str]]:
    known = population_sync.synced(access.org.connection).values_list("population_id", "name")
    return ((one, name or str(one)) for one, name in known if access.sees_population(one))


def crawls_of(access: OrgAccess, population_id: UUID | None = None) -> list[Crawl]:
    """Return the current crawls of the populations whose users the operator sees."""
    current = Crawl.objects.filter(
        organization=access.org,
        state=Crawl.State.CURRENT,
        environment_id=access.org.connection.managed_environment_id or NOWHERE,
    )
    if population_id:
        current = current.filter(population_id=population_id)
    return [crawl for crawl in current if access.sees_population(crawl.population_id)]


def found(crawls: list[Crawl], criteria: Criteria) -> QuerySet[CrawledUser]:
    """Return the inactive users of these crawls. Those of whom PingOne does not say when they signed in are none."""
    inactive = CrawledUser.objects.filter(crawl__in=crawls, active_at__lt=criteria.before)
    if criteria.only_never:
        inactive = inactive.filter(has_signed_on=False)
    if criteria.ids:
        inactive = inactive.filter(user_id__in=criteria.ids)
    return inactive.filter(enabled=True) if criteria.only_activated else inactive


def in_parts(inactive: QuerySet[CrawledUser]) -> Iterator[CrawledUser]:
    """Yield them all, a part at a time."""
    after = 0
    while some := list(inactive.filter(pk__gt=after).order_by("pk")[:_AT_ONCE]):
        yield from some
        after = some[-1].pk
