"""Search of the audit log: an index serves each filter, and the sequence number is the pagination cursor.

Filters by an exact value are read from an index of the log, filters by the beginning of a word from audit/terms.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import Exists, Max
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import ACTIONS
from console.audit import terms
from console.audit.entries import EVENTS
from console.audit.terms import Few, Of
from console.audit.visible import events_for, sees_all, visible
from console.fields import TextField
from console.models import AuditEntry, AuditHead, Operator, Organization, UnfinishedEntry
from console.models.audit import OUTCOMES, AuditQuerySet
from pingone_integration.typed.text import Kind

PAGE_SIZE = 50
EXPORT_CHUNK = 1000
_DENSE = terms.BLOCK // 64  # words of a beginning in a block


def _action_choices(access: OrgAccess | None = None) -> list[tuple[Any, Any]]:
    """Return the actions to choose from: all, or those that this operator may see in the log."""
    api = [("api.call", gettext("Call API"))] if access is None or sees_all(access) else []
    events = EVENTS if access is None else events_for(access)
    # As plain text: a template would translate each of these many labels several times.
    return [
        ("", gettext("Any action")),
        (gettext("On users"), [(action.key, str(action.name)) for action in ACTIONS]),
        (gettext("Other"), [*api, *((event, str(EVENTS[event])) for event in events)]),
    ]


def _outcome_choices() -> list[tuple[str, str]]:
    return [("", gettext("Any outcome")), *((outcome, str(name)) for outcome, name in OUTCOMES.items())]


def _is_a_possible_day(day: date) -> None:
    if not date(2000, 1, 1) <= day <= date(2999, 12, 31):
        raise forms.ValidationError(_("Choose a day between 2000 and 2999."))


class _DayField(forms.DateField):
    """A day on which an entry may have been made. The day after it exists in every time zone."""

    widget = forms.DateInput(attrs={"type": "date"})
    default_validators = [_is_a_possible_day]


class AuditFilterForm(forms.Form):
    """The filters of the audit page, as in its URL. Each is optional."""

    operator = TextField(kind=Kind.ADDRESS, label=_("Operator's email"), required=False, max_length=254)
    user = TextField(label=_("User"), required=False, max_length=256, help_text=_("Name, username, email or ID"))
    group = TextField(label=_("Group"), required=False, max_length=256, help_text=_("Name or ID"))
    action = forms.ChoiceField(label=_("Action"), required=False, choices=_action_choices)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=_outcome_choices)
    ticket = TextField(kind=Kind.ID, label=_("Ticket"), required=False, max_length=100)
    run = TextField(kind=Kind.ID, label=_("Run of a plan"), required=False, max_length=50, help_text=_("ID"))
    since = _DayField(label=_("From"), required=False)
    until = _DayField(label=_("To"), required=False)

    def __init__(self, *args: Any, access: OrgAccess | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.data.get("run"):
            del self.fields["run"]  # the page of a run leads here: nobody knows an ID by heart
        if access:
            self.fields["action"].choices = _action_choices(access)  # type: ignore[attr-defined]

    def clean_run(self) -> UUID | None:
        typed = str(self.cleaned_data["run"])
        if typed and not _uuid(typed):
            raise forms.ValidationError(_("Enter the ID of a run."))
        return _uuid(typed)

    def chosen(self) -> dict[str, str]:
        """Return the valid filters as they are in the URL."""
        return {name: value for name in self.fields if name in self.cleaned_data and (value := self.data.get(name, ""))}

    def query(self, **more: Any) -> str:
        """Return the filters as a query string, with `more` added."""
        return urlencode({name: value for name, value in (self.chosen() | more).items() if value})


@dataclass(frozen=True)
class AuditPage:
    """A page of entries, newest first, and the cursors of the pages around it."""

    entries: list[AuditEntry]
    older: int | None  # `before` of the next page; None: this is the last page
    newer: int | None  # `after` of the page before; None: this is the first page


@dataclass(frozen=True)
class Found:
    """The entries that match: the latest row of each of the rows, of those with a word for each beginning."""

    organization: Organization
    rows: AuditQuerySet
    terms: tuple[bytes, ...] = ()
    is_filtered: bool = False  # by more than words and days
    first: int = 0  # sequence number; no entry that matches is before it
    last: int | None = None  # sequence number; no entry that matches is after it
    populations: frozenset[UUID] | None = None  # of the users that the entries are about; None: all entries

    def newest(self, most: int, *, before: int | None = None) -> list[AuditEntry]:
        """Return the newest entries, or the newest that are older than the sequence number `before`."""
        last = [number for number in (self.last, None if before is None else before - 1) if number is not None]
        return self._read(most, self.first, min(last) if last else None, step=-1)

    def oldest(self, most: int, *, after: int) -> list[AuditEntry]:
        """Return the oldest entries that are newer than the sequence number `after`, oldest first."""
        return self._read(most, max(after + 1, self.first), self.last, step=1)

    def _read(self, most: int, first: int, last: int | None, *, step: int) -> list[AuditEntry]:
        rows = self.rows.order_by("sequence" if step == 1 else "-sequence")
        if not self.terms:
            within = _within(rows, first, last)
            if self.populations is None:
                return list(within.current()[:most])
            # Each is read from the index; together they would not be.
            of_each = [
                entry for one in self.populations for entry in within.filter(subject_population=one).current()[:most]
            ]
            return sorted(of_each, key=lambda entry: step * entry.sequence)[:most]
        last = self._end_of_log() if last is None else min(last, self._end_of_log())
        numbers = range(first // terms.BLOCK, last // terms.BLOCK + 1)
        blocks = terms.blocks_with(self.organization, self.terms, numbers[::step])
        found: list[AuditEntry] = []
        several, read, rarest = 8 if self.is_filtered else 1, 0, None
        while len(found) < most and (some := list(islice(blocks, several))):
            few = terms.few_in(self.organization, some, self.terms, rarest)
            if few and self.is_filtered and few.read > _DENSE * len(some):
                few = None  # the index of the other filter leads to fewer rows
            of_blocks = self._of_blocks(rows, some, few, first, last)
            found += self._first(of_blocks.current(), most - len(found))  # asked last, as it costs most
            read += len(some)
            several *= 4 if few else 2  # other filters may leave little of each block
            if few:  # the next ones may be few as well
                rarest = few.by
                several = min(several, max(1, len(some) * terms.FEW * 3 // (4 * max(1, few.read))))
            if found:
                several = min(several, 1 + 2 * read * (most - len(found)) // len(found))
        return found

    def _of_blocks(
        self, rows: AuditQuerySet, blocks: list[int], few: Few | None, first: int, last: int
    ) -> AuditQuerySet:
        """Return those of the rows that are in these blocks and have the words."""
        if few:  # told of the bounds as well, SQLite would read every row between them
            return rows.filter(sequence__in=[sequence for sequence in few.sequences if first <= sequence <= last])
        rows = _within(rows, max(first, min(blocks) * terms.BLOCK), min(last, (max(blocks) + 1) * terms.BLOCK - 1))
        for term in self.terms:
            rows = rows.filter(Exists(terms.in_row(self.organization, term)))
        return rows

    def _first(self, rows: AuditQuerySet, most: int) -> list[AuditEntry]:
        if self.populations is None:
            return list(rows[:most])
        # The index has a user's names of all entries, also of those that are hidden.
        own = (row for row in rows.iterator(chunk_size=PAGE_SIZE) if terms.has_beginnings(row, self.terms))
        return list(islice(own, most))

    def _end_of_log(self) -> int:
        head = AuditHead.objects.filter(organization=self.organization)
        return head.values_list("sequence", flat=True).first() or 0


def matching(access: OrgAccess, form: AuditFilterForm) -> Found:
    """Return the entries that match the valid filters of the form, of those that the operator may see."""
    organization, chosen = access.org, form.cleaned_data
    found = visible(access)
    if chosen.get("outcome") == AuditEntry.Outcome.STARTED:
        found = found.filter(sequence__in=_unfinished(organization))
    if email := chosen.get("operator"):
        found = found.filter(operator__in=Operator.objects.filter(email__iexact=email))
    user = chosen.get("user", "")
    if user_id := _uuid(user):
        found = found.filter(subject_id=str(user_id))
    if run := chosen.get("run"):
        found = found.filter(run=run)
    if action := chosen.get("action"):
        found = found.filter(action=action)
    if (outcome := chosen.get("outcome")) and outcome != AuditEntry.Outcome.STARTED:
        found = found.with_outcome(outcome)
    first = last = None
    if since := chosen.get("since"):
        first = _at(organization).filter(at__gte=_midnight(since)).order_by("at", "sequence").first()
        found = found if first else found.none()
    if until := chosen.get("until"):
        last = _at(organization).filter(at__lt=_midnight(until, days=1)).order_by("-at", "-sequence").first()
        found = found if last else found.none()
    words = {Of.PERSON: "" if user_id else user, Of.GROUP: chosen.get("group", ""), Of.TICKET: chosen.get("ticket", "")}
    sought = [term for of, typed in words.items() for term in terms.beginnings(of, typed)]
    return Found(
        organization,
        found,
        tuple(sought),
        is_filtered=any(chosen.get(name) for name in ("operator", "action", "outcome", "run")),
        first=first.sequence if first else 0,
        last=last.sequence if last else None,
        populations=access.populations,
    )


def _unfinished(organization: Organization) -> list[int]:
    """Return the sequence numbers of the first rows of the organization's unfinished entries.

    Two queries, by ID only: with another condition SQLite reads every entry that ever started.
    """
    entries = UnfinishedEntry.objects.filter(organization=organization).values_list("entry", flat=True)
    started = AuditEntry.objects.filter(entry__in=list(entries), revision=0)
    return list(started.values_list("sequence", flat=True))


def _within(rows: AuditQuerySet, first: int, last: int | None) -> AuditQuerySet:
    """Return those of the rows from the sequence number `first` to `last`."""
    rows = rows.filter(sequence__gte=first) if first else rows
    return rows if last is None else rows.filter(sequence__lte=last)


def latest(access: OrgAccess, *, most: int, **about: Any) -> list[AuditEntry]:
    """Return the newest entries about a user (`subject_id=`) or by an operator (`operator=`)."""
    found = visible(access, AuditEntry.objects.current()).filter(**about)
    return list(found.order_by("-sequence")[:most])


def last_successes(organization: Organization, *, since: datetime) -> dict[str, datetime]:
    """Return the actions on users that succeeded, by key, with the last time of each."""
    keys = [action.key for action in ACTIONS]
    found = _at(organization).filter(outcome=AuditEntry.Outcome.SUCCEEDED, action__in=keys, at__gte=since)
    return dict(found.order_by().values_list("action").annotate(Max("at")))


def page_of(found: Found, *, before: int | None = None, after: int | None = None) -> AuditPage:
    """Return the entries older than `before`, or just newer than `after`, or else the newest."""
    if after is not None:
        entries = found.oldest(PAGE_SIZE + 1, after=after)
        more, entries = len(entries) > PAGE_SIZE, entries[:PAGE_SIZE][::-1]
        return AuditPage(
            entries, older=entries[-1].sequence if entries else after + 1, newer=entries[0].sequence if more else None
        )
    entries = found.newest(PAGE_SIZE + 1, before=before)
    more, entries = len(entries) > PAGE_SIZE, entries[:PAGE_SIZE]
    newer = entries[0].sequence if entries and before is not None else None
    return AuditPage(entries, older=entries[-1].sequence if more else None, newer=newer)


def each_of(found: Found, *, before: int | None = None) -> Iterator[AuditEntry]:
    """Yield all entries, newest first, in short reads, so that an export blocks nobody."""
    while chunk := found.newest(EXPORT_CHUNK, before=before):
        yield from chunk
        before = chunk[-1].sequence


def _at(organization: Organization) -> AuditQuerySet:
    """Return the organization's rows. Their times ascend with the sequence: see audit/chain.py, append."""
    return AuditEntry.objects.filter(organization=organization)


def _midnight(day: Any, days: int = 0) -> datetime:
    """Return the start of the day in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), datetime.min.time()))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
