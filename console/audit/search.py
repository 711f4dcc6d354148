"""Search of the audit log: an index serves each filter, and the sequence number is the pagination cursor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import ACTIONS
from console.audit.entries import EVENTS
from console.fields import TextField
from console.models import AuditEntry, Operator, Organization, UnfinishedEntry
from console.models.audit import OUTCOMES, AuditQuerySet
from pingone_integration.typed_text import Kind

PAGE_SIZE = 50
EXPORT_CHUNK = 1000


def _action_choices() -> list[tuple[Any, Any]]:
    return [
        ("", _("Any action")),
        (_("On users"), [(action.key, action.name) for action in ACTIONS]),
        (_("Other"), [("api.call", _("Call API")), *EVENTS.items()]),
    ]


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
    user = TextField(kind=Kind.ADDRESS, label=_("Username or ID"), required=False, max_length=128)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=_action_choices)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[("", _("Any outcome")), *OUTCOMES.items()])
    ticket = TextField(kind=Kind.ID, label=_("Ticket"), required=False, max_length=100)
    since = _DayField(label=_("From"), required=False)
    until = _DayField(label=_("To"), required=False)

    def query(self, **more: Any) -> str:
        """Return the filters as a query string, with `more` added."""
        chosen = {name: self.data.get(name, "") for name in self.fields if name in self.cleaned_data}
        return urlencode({name: value for name, value in (chosen | more).items() if value})


@dataclass(frozen=True)
class AuditPage:
    """A page of entries, newest first, and the cursors of the pages around it."""

    entries: list[AuditEntry]
    older: int | None  # `before` of the next page; None: this is the last page
    newer: int | None  # `after` of the page before; None: this is the first page


def matching(organization: Organization, form: AuditFilterForm) -> AuditQuerySet:
    """Return the latest row of each entry that matches the valid filters of the form."""
    chosen = form.cleaned_data
    found: AuditQuerySet = AuditEntry.objects.current()
    if chosen.get("outcome") == AuditEntry.Outcome.STARTED:
        found = found.filter(pk__in=_unfinished(organization))
    else:
        found = found.filter(organization=organization)
    if email := chosen.get("operator"):
        found = found.filter(operator__in=Operator.objects.filter(email__iexact=email))
    if user := chosen.get("user"):
        found = found.filter(**({"subject_id": str(known)} if (known := _uuid(user)) else {"subject_name": user}))
    for name in ("action", "outcome", "ticket"):
        if value := chosen.get(name):
            found = found.filter(**{name: value})
    if since := chosen.get("since"):
        first = _at(organization).filter(at__gte=_midnight(since)).order_by("at", "sequence").first()
        found = found.filter(sequence__gte=first.sequence) if first else found.none()
    if until := chosen.get("until"):
        last = _at(organization).filter(at__lt=_midnight(until, days=1)).order_by("-at", "-sequence").first()
        found = found.filter(sequence__lte=last.sequence) if last else found.none()
    return found


def _unfinished(organization: Organization) -> list[int]:
    """Return the keys of the first rows of the organization's unfinished entries.

    Two queries, by ID only: with another condition SQLite reads every entry that ever started.
    """
    entries = UnfinishedEntry.objects.filter(organization=organization).values_list("entry", flat=True)
    started = AuditEntry.objects.filter(entry__in=list(entries), revision=0)
    return list(started.values_list("pk", flat=True))


def latest(organization: Organization, *, most: int, **about: Any) -> list[AuditEntry]:
    """Return the newest entries about a user (`subject_id=`) or by an operator (`operator=`)."""
    found = AuditEntry.objects.current().filter(organization=organization, **about)
    return list(found.order_by("-sequence")[:most])


def page_of(found: AuditQuerySet, *, before: int | None = None, after: int | None = None) -> AuditPage:
    """Return the entries older than `before`, or just newer than `after`, or else the newest."""
    if after is not None:
        entries = list(found.filter(sequence__gt=after).order_by("sequence")[: PAGE_SIZE + 1])
        more, entries = len(entries) > PAGE_SIZE, entries[:PAGE_SIZE][::-1]
        return AuditPage(
            entries, older=entries[-1].sequence if entries else after + 1, newer=entries[0].sequence if more else None
        )
    older = found.filter(sequence__lt=before) if before is not None else found
    entries = list(older.order_by("-sequence")[: PAGE_SIZE + 1])
    more, entries = len(entries) > PAGE_SIZE, entries[:PAGE_SIZE]
    newer = entries[0].sequence if entries and before is not None else None
    return AuditPage(entries, older=entries[-1].sequence if more else None, newer=newer)


def each_of(found: AuditQuerySet) -> Iterator[AuditEntry]:
    """Yield all entries, newest first, in short reads, so that an export blocks nobody."""
    rest = found.order_by("-sequence")
    while chunk := list(rest[:EXPORT_CHUNK]):
        yield from chunk
        rest = found.filter(sequence__lt=chunk[-1].sequence).order_by("-sequence")


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
