"""A report "this was not me": written once, and dealt with at once, or by the worker if PingOne does not answer."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.actions.affected import Affected
from console.actions.outcome import Done, Failed, NoChange, Result, Unknown
from console.audit import entries
from console.audit.entries import Circumstances, Subject
from console.models import AuditEntry, NotMeLink, NotMeReport, Work
from console.not_me import alert
from console.not_me.reporter import END_SESSIONS, LOCK, OwnOperation, ReporterAccess
from console.perform.run import run
from console.protection import judge
from console.protection.why import Why
from console.recovery import attempts
from console.user_mails.events import BY_KEY
from console.user_mails.tell import settings_of
from pingone_integration import users
from pingone_integration.errors import (
    InvalidValue,
    LicenseExceeded,
    MissingPermission,
    NotFound,
    PingOneError,
    RefusedByState,
)
from pingone_integration.texts import Text, english

EVENT = "user.reported-not-me"
LEASE = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=20)
LONGEST_RETRY = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=1)

PROTECTED = _("The user is protected, so the account was not locked.")
NOT_THERE = _("PingOne no longer has this user.")
NOT_YET = _("PingOne did not answer. The console keeps trying to lock the account.")
NOT_LOCKED = _("The account could not be locked. Lock it by hand.")
SESSIONS_LEFT = _("Their sessions could not be ended. End them by hand.")


_FINAL = (InvalidValue, LicenseExceeded, MissingPermission, NotFound, RefusedByState)


class _NotNow(Exception):
    """PingOne did not answer: the worker tries again."""


def report(link: NotMeLink, *, source_address: str) -> NotMeReport:
    """Write the report of this link, on record, and end the user's recovery. A second time, it changes nothing."""
    try:
        with transaction.atomic():
            made = NotMeReport.objects.create(
                link=link, organization=link.organization, user_id=link.user_id, source_address=source_address
            )
            entry = entries.record(
                link.organization,
                EVENT,
                subject=_subject(link),
                by_user=True,
                source_address=source_address,
                inputs={"email": link.sent_to, "about": str(link.entry or ""), "event": BY_KEY[link.event].label},
            )
            NotMeReport.objects.filter(pk=made.pk).update(entry=entry.entry)
            attempts.end_all(link.organization, link.user_id)
    except IntegrityError:
        return NotMeReport.objects.get(link=link)
    run_due(only=made)
    made.refresh_from_db()
    return made


def run_due(stopping: Callable[[], bool] = lambda: False, *, only: NotMeReport | None = None) -> int:
    """Deal with the reports that are due. Return how many."""
    rows = NotMeReport.objects.filter(pk=only.pk) if only else NotMeReport.objects.all()
    count = 0
    while not stopping() and (row := rows.select_related("link", "organization__connection").claim(LEASE)):
        count += 1
        try:
            _deal_with(row)
        except _NotNow:
            _try_later(row)
    return count


def _deal_with(row: NotMeReport) -> None:
    note: Text = ""
    locks_until = None
    if not BY_KEY[row.link.event].only_alerts:
        problem = _why_not_lock(row)
        if not problem:
            locks_until = timezone.now() + settings_of(row.organization).lasting
            problem = _lock(row, locks_until)
            locks_until = None if problem else locks_until
        note = problem or _end_sessions(row)
    _end(row, note=note, locks_until=locks_until)


def _why_not_lock(row: NotMeReport) -> Text:
    """Return why the account must not be locked, "" if it may. Raises _NotNow."""
    try:
        api = ReporterAccess(row).pingone()
        user = users.get(api, row.user_id)
    except NotFound:
        return NOT_THERE
    except _FINAL:
        return NOT_LOCKED
    except PingOneError as error:
        raise _NotNow from error
    found = judge.protection_of(row.organization, api, Affected(user=row.user_id), user)
    if found and found.why is Why.UNDECIDED:
        raise _NotNow
    return PROTECTED if found else ""


def _lock(row: NotMeReport, until: datetime) -> Text:
    """Lock the account. Return why not, "" if it is locked. Raises _NotNow."""
    result = _run(row, OwnOperation(action=LOCK, user_id=row.user_id, inputs={"until": until}))
    if isinstance(result, Done | NoChange):
        return ""
    if isinstance(result, Unknown) or (isinstance(result, Failed) and not isinstance(result.error, _FINAL)):
        raise _NotNow
    return NOT_LOCKED


def _end_sessions(row: NotMeReport) -> Text:
    result = _run(row, OwnOperation(action=END_SESSIONS, user_id=row.user_id, inputs={}))
    return "" if isinstance(result, Done | NoChange) else SESSIONS_LEFT


def _run(row: NotMeReport, operation: OwnOperation) -> Result:
    return run(ReporterAccess(row), operation, Circumstances(source_address=row.source_address))


def _end(row: NotMeReport, *, note: Text, locks_until: datetime | None) -> None:
    with transaction.atomic():
        if row.end(Work.State.DONE, note=english(note), locks_until=locks_until):
            row.note, row.locks_until = english(note), locks_until
            alert.tell_org_admins(row, note)


def _try_later(row: NotMeReport) -> None:
    """Let the worker try again, and tell the org admins at once: somebody may lock the account faster."""
    if row.wanted_at < timezone.now() - GIVEN_UP_AFTER:
        _end(row, note=NOT_LOCKED, locks_until=None)
        return
    with transaction.atomic():
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(row.attempts - 1, 10))
        row.put_back(delay, note=english(NOT_YET))
        if row.attempts == 1:
            alert.tell_org_admins(row, NOT_YET)


def _subject(link: NotMeLink) -> Subject:
    return Subject(kind=AuditEntry.Subject.USER, id=link.user_id, name=link.username, population_id=link.population_id)
