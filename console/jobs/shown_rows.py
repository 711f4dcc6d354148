"""A page of a job's rows, of all or of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit.wording import in_words, label_of
from console.jobs.words import DECISIONS, OUTCOMES, VERDICTS
from console.models import Job, JobRow
from console.page.pager import Pager
from pingone_integration.texts import Text

PAGE_SIZE = 50
_NONE: tuple[Any, ...] = ("", None, [])
_GONE_WRONG = frozenset({JobRow.State.CONFLICT, JobRow.State.REFUSED, JobRow.State.FAILED, JobRow.State.UNKNOWN})
_IN_DOUBT = frozenset(JobRow.Verdict) - {JobRow.Verdict.CREATE, JobRow.Verdict.CHANGE, JobRow.Verdict.NO_CHANGE}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Which rows a page shows, from its URL. What is not valid shows all rows."""

    verdict: str = ""
    outcome: str = ""
    page: int = 1

    @classmethod
    def in_url(cls, given: Mapping[str, str]) -> "Shown":
        verdict, outcome, page = given.get("verdict", ""), given.get("outcome", ""), given.get("page", "")
        return cls(
            verdict=verdict if verdict in VERDICTS else "",
            outcome=outcome if outcome in OUTCOMES else "",
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def query(self, *, page: int | None = None) -> str:
        chosen = {"verdict": self.verdict, "outcome": self.outcome, "page": str(page or self.page)}
        return urlencode({name: value for name, value in chosen.items() if value and (name, value) != ("page", "1")})

    def of(self, rows: "QuerySet[JobRow]") -> "QuerySet[JobRow]":
        if self.verdict:
            rows = rows.filter(verdict=self.verdict)
        if self.outcome:
            rows = rows.filter(state=self.outcome)
        return rows.order_by("number")


@dataclass(frozen=True)
class Line:
    """A row of a job in words."""

    row: JobRow

    @property
    def verdict(self) -> Text:
        return VERDICTS.get(self.row.verdict, "")

    @property
    def outcome(self) -> Text:
        return OUTCOMES[self.row.state]

    @property
    def name(self) -> str:
        """Return who the row is about; of a row that could not be used, what it says."""
        said = ", ".join(str(value) for value in list(self.row.values.values())[:3] if value)
        return self.row.full_name or self.row.label or self.row.key or said

    @property
    def below(self) -> str:
        """Return what else says who it is: the username, or the key as it was typed."""
        return next((text for text in (self.row.label, self.row.key) if text and text != self.name), "")

    @property
    def changes(self) -> list[tuple[Text, Text, Text]]:
        """Return the changes that the preview shows: the value, as it is ("" for none), and as it would be."""
        listed: dict[str, Any] = self.row.shown.get("changes", {})
        return [
            (label_of(name), "" if old in _NONE else in_words(name, old), in_words(name, new))
            for name, (old, new) in listed.items()
            if old != new
        ]

    @property
    def is_in_doubt(self) -> bool:
        return self.row.verdict in _IN_DOUBT

    @property
    def has_gone_wrong(self) -> bool:
        return self.row.state in _GONE_WRONG

    @property
    def is_reached(self) -> bool:
        return self.row.state != JobRow.State.NOT_REACHED

    @property
    def is_started(self) -> bool:
        """Return whether the row of a job that starts a plan has done so."""
        return self.row.state == JobRow.State.DONE

    @property
    def runs(self) -> bool:
        """Return whether the row would run, unless it is left out."""
        return self.row.verdict in {JobRow.Verdict.CREATE, JobRow.Verdict.CHANGE}

    @property
    def can_be_chosen(self) -> bool:
        return self.runs or self.asks

    @property
    def asks(self) -> bool:
        """Return whether somebody has to decide whether this is the same person."""
        return self.row.verdict == JobRow.Verdict.SAME_PERSON

    @property
    def decisions(self) -> list[tuple[str, Text]]:
        """Return the choices: to update one of those who may be the same person, to create, or to leave out."""
        update = JobRow.Decision.UPDATE
        people = [
            (f"{update}:{one['id']}", format_lazy(_("Update {user}"), user=one["username"])) for one in self.row.same_as
        ]
        return [*people, *DECISIONS.items()]

    @property
    def decision(self) -> str:
        is_update = self.row.decision == JobRow.Decision.UPDATE
        return f"{self.row.decision}:{self.row.user_id}" if is_update else self.row.decision


def lines_of(job: Job, shown: Shown) -> tuple[list[Line], Pager]:
    """Return the rows of a page of the list, and the queries of the pages around it."""
    start = (shown.page - 1) * PAGE_SIZE
    rows = list(shown.of(job.rows.all())[start : start + PAGE_SIZE + 1])
    pager = Pager(
        previous=f"?{shown.query(page=shown.page - 1)}" if shown.page > 1 else "",
        next=f"?{shown.query(page=shown.page + 1)}" if len(rows) > PAGE_SIZE else "",
    )
    return [Line(row) for row in rows[:PAGE_SIZE]], pager
