"""A job on its page: its state in words, and the numbers of its rows by what would happen and what happened."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess
from console.actions.catalogue import Action
from console.audit.wording import in_words, label_of
from console.jobs import totals
from console.jobs.pace import pace_of
from console.jobs.plan_action import PlanAction, action_of
from console.jobs.shown_rows import Shown
from console.jobs.undo import Undoing, what_can_be_undone
from console.jobs.words import OUTCOMES, PAUSES, PAUSES_OF_PREVIEWS, SOURCES, STATES, VERDICTS
from console.models import Job, JobRow
from pingone_integration.texts import Text

State = Job.State
MOVING = frozenset({State.DRAFT, State.READING, State.RUNNING})  # the page follows them
BEFORE_START = frozenset({State.DRAFT, State.READING, State.PREVIEWED})
RUNS = frozenset({JobRow.Verdict.CREATE, JobRow.Verdict.CHANGE, JobRow.Verdict.SAME_PERSON})  # unless left out


def visible(access: OrgAccess) -> QuerySet[Job]:
    """Return the jobs that the operator may see: a narrowed one sees their own, whose rows they could see."""
    jobs = Job.objects.filter(organization=access.org).select_related("starter")
    member = access.viewing_as.operator if access.viewing_as else access.operator
    return jobs.filter(starter=member) if access.is_narrowed else jobs


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A kind of rows, with their number."""

    label: Text
    count: int
    query: str  # of the page that shows these rows alone
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    job: Job

    @property
    def action(self) -> Action:
        return action_of(self.job)

    @property
    def about(self) -> Text:
        """Return where the rows came from."""
        label = self.job.file_name or self.job.source_label
        return format_lazy(str(SOURCES[self.job.source]), label=label)

    @property
    def state(self) -> Text:
        return STATES[self.job.state]

    @property
    def pause(self) -> Text:
        told = PAUSES | PAUSES_OF_PREVIEWS if self.is_reading else PAUSES
        return told.get(self.job.pause, "")

    @property
    def is_moving(self) -> bool:
        return self.job.state in MOVING

    @cached_property
    def undoing(self) -> Undoing | None:
        """Return what an undo would reach, once the job is over."""
        return what_can_be_undone(self.job) if self.job.is_over and self.has_begun else None

    @property
    def undoing_told(self) -> Iterator[Text]:
        """Yield what can be undone and until when, and what cannot."""
        if self.undoing is None or not self.outcomes[JobRow.State.DONE]:
            return
        if self.undoing.problem:
            yield self.undoing.problem
            return
        until = self.job.delete_after
        if until:
            rows = self.undoing.rows
            told = ngettext_lazy(
                "{count} row can be undone until {day}.", "{count} rows can be undone until {day}.", rows
            )
            yield format_lazy(told, count=rows, day=f"{until:%Y-%m-%d}")
        if lasting := self.undoing.lasting:
            told = ngettext_lazy("{count} row cannot be undone.", "{count} rows cannot be undone.", lasting)
            yield format_lazy(told, count=lasting)

    @property
    def is_waiting(self) -> bool:
        return self.job.state == State.WAITING

    @property
    def who_lets_pass(self) -> Text:
        """Return who has to let the job pass the brake."""
        others = self.job.organization.org_admins().exclude(pk=self.job.starter_id).order_by("email")
        emails = ", ".join(others.values_list("email", flat=True))
        if not emails:
            return _("There is no other org admin: you can let it go on after you sign in again.")
        return format_lazy(_("It goes on when another org admin lets it: {admins}."), admins=emails)

    @property
    def is_reading(self) -> bool:
        return self.job.state in {State.DRAFT, State.READING}

    @property
    def shows_progress(self) -> bool:
        return self.has_begun and self.runs > 0

    def costs(self, access: OrgAccess) -> Iterator[Text]:
        """Yield what a start costs, and what is counted apart."""
        calls, minutes = totals.calls_for(self.job, self.runs), totals.minutes_for(access, self.job, self.runs)
        told = ngettext_lazy(
            "About {calls} calls to PingOne, {count} minute at the present rate.",
            "About {calls} calls to PingOne, {count} minutes at the present rate.",
            minutes,
        )
        yield format_lazy(told, calls=f"{calls:,}", count=f"{minutes:,}")
        if cleared := self.job.totals.get("cleared", 0):
            told = ngettext_lazy("{count} value would be cleared.", "{count} values would be cleared.", cleared)
            yield format_lazy(told, count=cleared)

    @property
    def pace(self) -> Text:
        return pace_of(self.job, self.runs - self.reached) if self.job.state == State.RUNNING else ""

    @property
    def has_begun(self) -> bool:
        return self.job.started_at is not None

    @cached_property
    def inputs(self) -> list[tuple[Text, Text]]:
        """Return what was asked once for all rows, in words."""
        if isinstance(action := self.action, PlanAction):
            return list(action.told_inputs())
        return [(label_of(name), in_words(name, value)) for name, value in self.job.inputs.items()]

    @cached_property
    def _counted(self) -> list[dict[str, Any]]:
        """Return the numbers of rows by what decides about them: one query."""
        kinds = self.job.rows.order_by().values("verdict", "state", "left_out", "decision")
        return [dict(one) for one in kinds.annotate(count=Count("pk"))]

    @cached_property
    def verdicts(self) -> Counter[str]:
        return self._count("verdict")

    @cached_property
    def outcomes(self) -> Counter[str]:
        return self._count("state")

    @cached_property
    def total(self) -> int:
        return sum(one["count"] for one in self._counted)

    @cached_property
    def runs(self) -> int:
        """Return the number of rows that a start would run, or did."""
        return sum(one["count"] for one in self._counted if _would_run(one))

    @cached_property
    def reached(self) -> int:
        states = {JobRow.State.NOT_REACHED, JobRow.State.STARTED}
        return sum(one["count"] for one in self._counted if one["state"] not in states)

    @cached_property
    def undecided(self) -> int:
        asked = JobRow.Verdict.SAME_PERSON
        return sum(
            one["count"]
            for one in self._counted
            if one["verdict"] == asked and not one["decision"] and not one["left_out"]
        )

    def _count(self, name: str) -> Counter[str]:
        counted: Counter[str] = Counter()
        for one in self._counted:
            counted[one[name]] += one["count"]
        return counted

    def tabs(self, shown: Shown) -> Iterator[Tab]:
        yield Tab(label=_("All rows"), count=self.total, query="", is_current=not shown.verdict and not shown.outcome)
        for verdict, label in VERDICTS.items():
            if count := self.verdicts[verdict]:
                yield Tab(label=label, count=count, query=f"verdict={verdict}", is_current=shown.verdict == verdict)

    def outcome_tabs(self, shown: Shown) -> Iterator[Tab]:
        if not self.has_begun:
            return
        for outcome, label in OUTCOMES.items():
            if count := self.outcomes[outcome]:
                yield Tab(label=label, count=count, query=f"outcome={outcome}", is_current=shown.outcome == outcome)


def _would_run(kind: dict[str, Any]) -> bool:
    if kind["left_out"] or kind["verdict"] not in RUNS:
        return False
    decided = {JobRow.Decision.UPDATE, JobRow.Decision.CREATE}
    return kind["verdict"] != JobRow.Verdict.SAME_PERSON or kind["decision"] in decided
