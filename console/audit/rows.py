"""The rows of the audit log's page, filled in as the rows of the user list are: see users/rows.py."""

from collections.abc import Iterable
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from console.audit.objects import Object, object_of
from console.audit.wording import changes_of, title_of, who_of
from console.models import AuditEntry, Organization
from console.page.moments import when
from console.page.ticket_link import link_to_ticket
from pingone_integration.texts import Text

_NONE = "\N{EN DASH}"
_LONGEST = 200  # characters of changes, and of a note
_LONGEST_NAME = 80


def rows_of(entries: Iterable[AuditEntry], organization: Organization, log: str) -> SafeString:
    """Return the rows of the table. `log` is the URL of the log, below which each entry has its page."""
    row, home = render_to_string("console/audit/row.html"), log.removesuffix("audit/")
    return SafeString("".join(_row(row, entry, organization, home=home, log=log) for entry in entries))


def _row(row: str, entry: AuditEntry, organization: Organization, *, home: str, log: str) -> SafeString:
    texts = [text for text in (changes_of(entry), entry.note) if text]
    return format_html(
        row,
        state="audit-open" if entry.is_open else "",
        started_at=when(entry.started_at, exact=True),
        url=f"{log}{entry.entry}/",  # as `reverse` says, which is slow for every row
        title=title_of(entry),
        texts=format_html_join("", _BELOW, ((_shortened(text, _LONGEST),) for text in texts)),
        subject=_subject(entry, home),
        operator=_who(entry, log),
        outcome_key=entry.shown_outcome,
        outcome=entry.get_outcome_display(),
        ticket=_filter_link(log, "ticket", entry.ticket),
        ticket_link=link_to_ticket(organization.ticket_link, entry.ticket) if entry.ticket else "",
    )


_BELOW = '<span class="audit-changes"><bdi>{}</bdi></span>'


def _subject(entry: AuditEntry, home: str) -> SafeString:
    """Return the subject, a user as a link, with the full name and the object of the action below."""
    name = entry.subject_name or entry.subject_id
    if entry.has_user_page:
        subject = _link(f"{home}users/{entry.subject_id}/", name)
    else:
        subject = format_html("<bdi>{}</bdi>", entry.subject_name or _NONE)
    full_name = entry.subject_full_name
    told = format_html(_BELOW, _shortened(full_name, _LONGEST_NAME)) if full_name else SafeString()
    return subject + told + _object(object_of(entry), home)


def _object(found: Object | None, home: str) -> SafeString:
    if found is None:
        return SafeString()
    name = found.name or found.id
    shown = _link(f"{home}groups/{found.id}/", name) if found.has_page else format_html("<bdi>{}</bdi>", name)
    return format_html('<span class="audit-changes">{}: {}</span>', found.label, shown)


def _who(entry: AuditEntry, log: str) -> Text:
    if entry.operator_email:
        return _filter_link(log, "operator", entry.operator_email)
    return who_of(entry) or _NONE


def _filter_link(log: str, name: str, value: str) -> str:
    return _link(f"{log}?{name}={quote(value, safe='')}", value) if value else _NONE


def _link(url: str, text: str) -> SafeString:
    return format_html('<a href="{}"><bdi>{}</bdi></a>', url, text)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else Truncator(text).chars(most)
