"""What an organization asks a second person for. Stored with the organization, so no page needs a query for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone

from console.models import Organization
from console.rights.permissions import ALL_ACTIONS

WEAKER_AFTER = timedelta(hours=24)  # unless another org admin approves it
HOURS = 24  # until a request expires
LONGEST_HOURS = 168
EVERY_PLAN = "*"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What needs an approval. By default, nothing."""

    actions: frozenset[str] = frozenset()  # keys of the catalogue
    plans: frozenset[str] = frozenset()  # slugs, or EVERY_PLAN
    job_rows: int | None = None  # a job of so many rows or more; None: no job for its size
    protected: bool = False  # whatever is done to protected accounts
    hours: int = HOURS

    @property
    def is_on(self) -> bool:
        return bool(self.actions or self.plans or self.protected or self.job_rows is not None)

    def demand(self, keys: Iterable[str]) -> bool:
        """Return whether one of these actions needs an approval."""
        return not self.actions.isdisjoint(keys)

    def is_weaker_than(self, other: Self) -> bool:
        """Return whether something would need no approval any more, or a request be good for longer."""
        fewer = other.actions - self.actions or other.plans - self.plans or (other.protected and not self.protected)
        of_jobs = other.job_rows is not None and (self.job_rows is None or self.job_rows > other.job_rows)
        return bool(fewer or of_jobs or (other.is_on and self.hours > other.hours))

    def stored(self) -> dict[str, Any]:
        return {
            "actions": sorted(self.actions),
            "plans": sorted(self.plans),
            "job_rows": self.job_rows,
            "protected": self.protected,
            "hours": self.hours,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            actions=ALL_ACTIONS.intersection(stored.get("actions", ())),
            plans=frozenset(stored.get("plans", ())),
            job_rows=stored.get("job_rows"),
            protected=bool(stored.get("protected")),
            hours=stored.get("hours", HOURS),
        )


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The rules as stored: those of now, and weaker ones that wait."""

    now: Rules = field(default_factory=Rules)
    weaker: Rules | None = None
    weaker_from: datetime | None = None
    asked_by: str = ""  # ID of the org admin

    @classmethod
    def of(cls, organization: Organization) -> Self:
        """Return the rules. Weaker ones hold from their time on, without anybody's doing."""
        stored = organization.approvals
        now = Rules.read(stored.get("now", {}))
        if "weaker" not in stored:
            return cls(now=now)
        weaker, begins = Rules.read(stored["weaker"]), datetime.fromisoformat(stored["from"])
        if begins <= timezone.now():
            return cls(now=weaker)
        return cls(now=now, weaker=weaker, weaker_from=begins, asked_by=stored["by"])

    def stored(self) -> dict[str, Any]:
        kept: dict[str, Any] = {"now": self.now.stored()}
        if self.weaker and self.weaker_from:
            kept |= {"weaker": self.weaker.stored(), "from": self.weaker_from.isoformat(), "by": self.asked_by}
        return kept


def rules_of(organization: Organization) -> Rules:
    """Return the rules of now."""
    return Kept.of(organization).now
