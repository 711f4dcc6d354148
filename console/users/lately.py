"""What happened to a user lately, for the head of their page: reports "this was not me", and codes that were sent.

Read in the same query as who is protected, so that the page needs no further one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse
from django.utils import timezone

from console.access import OrgAccess, Permission
from console.actions.buttons import Button, button
from console.actions.catalogue import BY_KEY
from console.audit.entries import Outcome
from console.limits.rules import BY_LIMIT, Kind, actions_of
from console.models import AuditEntry, LimitPolicy, NotMeReport, PlanRun, SentReset, Work
from console.protection import facts
from console.protection.facts import Facts, rows_of
from console.protection.prepared import Rows, Values
from console.resets.sent import is_watched
from console.user_mails.events import BY_KEY as EVENTS
from pingone_integration.texts import Text
from pingone_integration.users import User
from pingone_integration.values import identifier, moment

SHOWN_FOR = timedelta(days=7)  # a report that locked nothing; one that did, as long as the account is locked
RESETS_FOR = timedelta(hours=1)
CODES = BY_LIMIT["codes"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report "this was not me"."""

    at: datetime
    event: Text
    is_locked: bool
    url: str  # its entry; "" for those who may not view the audit log


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The latest code or new password that was sent, and whether it was used."""

    sent_at: datetime
    what: Text
    used_at: datetime | None
    is_watched: bool  # the worker still looks
    population_id: UUID | None  # of the user, when it was sent
    codes: int  # this hour, of at most `most`
    most: int
    again: Button | None = None  # None: this operator cannot send another code now

    @property
    def mark(self) -> str:
        """Return a text that differs once there is something else to tell."""
        return (
            f"{self.sent_at.timestamp():.0f}.{self.used_at is not None:d}{self.is_watched:d}.{self.codes}.{self.most}"
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan that runs for the user, or is to come."""

    name: str
    url: str
    at: datetime | None  # its start, if that is to come
    has_stopped: bool  # and asks


@dataclass(frozen=True, kw_only=True)
class Happened:
    report: Report | None
    reset: Reset | None
    plan: Plan | None


def query(values: Values) -> Rows:
    """Return the query of the facts about a user, with what happened to them lately."""
    of_user = {"organization": values.organization, "user_id": values.user}
    reports = NotMeReport.objects.filter(**of_user, entry__isnull=False)
    sent = SentReset.objects.filter(**of_user, sent_at__gt=values.now - RESETS_FOR)
    codes = AuditEntry.objects.filter(
        organization=values.organization, subject_id=str(values.user), started_at__gt=values.now - CODES.window
    )
    counted = codes.filter(action__in=actions_of(Kind.CODE), outcome__in=(Outcome.SUCCEEDED, Outcome.UNKNOWN))
    runs = PlanRun.objects.filter(organization=values.organization, person_id=values.user, state__in=PlanRun.OPEN)
    own = LimitPolicy.objects.filter(organization=values.organization, limit=CODES.key)
    return facts.query(
        values,
        rows_of(reports, "report", "entry", _joined("wanted_at", "locks_until", "link__event")),
        rows_of(
            sent.exclude(state=Work.State.CANCELED),
            "reset",
            "entry",
            _joined("sent_at", "used_at", "action", "state", "population_id"),
        ),
        rows_of(counted, "code", "entry", ""),
        rows_of(own, "most", "organization_id", "most"),
        rows_of(runs, "plan", "id", _joined("starts_at", "state", "plan_name")),
    )


def happened(access: OrgAccess, shown: User, known: Facts, *, is_closed: bool) -> Happened:
    """Return what happened to the user. `is_closed`: every action on them would be refused, so none is offered."""
    more = known.more
    reset = reset_of(access, shown.id, known, is_closed=is_closed)
    return Happened(report=_report(access, shown, more), reset=reset, plan=_plan(access, more))


def _plan(access: OrgAccess, more: Mapping[str, Mapping[UUID, str]]) -> Plan | None:
    """Return the open run of a plan: there is one at most."""
    for run_id, told in more.get("plan", {}).items():
        starts_at, state, name = told.split("|", 2)
        is_to_come = state == PlanRun.State.SCHEDULED
        return Plan(
            name=name,
            url=reverse("plan-run", args=[access.org.slug, run_id]),
            at=moment(starts_at) if is_to_come else None,
            has_stopped=state == PlanRun.State.STOPPED,
        )
    return None


def _report(access: OrgAccess, shown: User, more: Mapping[str, Mapping[UUID, str]]) -> Report | None:
    """Return the latest report that somebody still has to see."""
    found = []
    for entry, told in more.get("report", {}).items():
        said_at, locks_until, event = told.split("|")
        at, until = moment(said_at), moment(locks_until)
        is_locked = bool(until and until > timezone.now() and shown.is_locked)
        is_news = until is None and at and at > timezone.now() - SHOWN_FOR
        if at and event in EVENTS and (is_locked or is_news):
            url = reverse("audit-entry", args=[access.org.slug, entry]) if access.allows(Permission.VIEW_AUDIT) else ""
            found.append(Report(at=at, event=EVENTS[event].happened, is_locked=is_locked, url=url))
    return max(found, key=lambda one: one.at, default=None)


def reset_of(access: OrgAccess, user_id: UUID, known: Facts, *, is_closed: bool) -> Reset | None:
    """Return the latest code or new password that was sent within the hour."""
    more, action = known.more, BY_KEY["password.send-recovery-code"]
    codes = len(more.get("code", {}))
    most = int(next(iter(more.get("most", {}).values()), CODES.most))
    found = []
    for told in more.get("reset", {}).values():
        sent_at, used_at, key, state, population = told.split("|")
        if not (at := moment(sent_at)):
            continue
        is_code = key not in BY_KEY or key == action.key
        may = not is_closed and is_code and access.may(action) and codes < most
        found.append(
            Reset(
                sent_at=at,
                what=BY_KEY[key].done if key in BY_KEY else action.done,
                used_at=moment(used_at),
                is_watched=is_watched(state, at),
                population_id=identifier(population),
                codes=codes,
                most=most,
                again=button(access, user_id, action) if may else None,
            )
        )
    return max(found, key=lambda one: one.sent_at, default=None)


def _joined(*names: str) -> Concat:
    """Return the columns as one text, with a bar between."""
    text = CharField()
    parts: list[Any] = []
    for name in names:
        parts += [Coalesce(Cast(name, text), Value("")), Value("|")]
    return Concat(*parts[:-1], output_field=text)
