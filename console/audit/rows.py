"""The rows of the audit log's page, filled in as the rows of the user list are: see users/rows.py."""

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from console.audit.objects import Object, object_of
from console.audit.wording import changes_of, title_of, who_of
from console.models import AuditEntry, Organization
from console.page.moments import when
from console.page.ticket_link import link_to_ticket

_NONE = "\N{EN DASH}"
_LONGEST = 200  # characters of changes, and of a note
_LONGEST_NAME = 80


def rows_of(entries: Iterable[AuditEntry], organization: Organization, log: str) -> SafeString:
    """Return the rows of the table. `log` is the URL of the log, below which each entry has its page."""
    row, home = render_to_string("console/audit/row.html"), log.removesuffix("audit/")
    return SafeString("".join(_row(row, entry, organization, home=home, log=log) for entry in entries))


# Text is escaped where it is put into HTML, by html.escape: format_html takes ten times as long for a link.


def _row(row: str, entry: AuditEntry, organization: Organization, *, home: str, log: str) -> str:
    texts = [text for text in (changes_of(entry), entry.note) if text]
    return row.format(
        state="audit-open" if entry.is_open else "",
        started_at=when(entry.started_at, exact=True),
        url=escape(f"{log}{entry.entry}/"),  # as `reverse` says, which is slow for every row
        title=escape(str(title_of(entry))),
        texts="".join(_below(f"<bdi>{escape(_shortened(text, _LONGEST))}</bdi>") for text in texts),
        subject=_subject(entry, home),
        operator=_who(entry, log),
        outcome_key=escape(entry.shown_outcome),
        outcome=escape(str(entry.get_outcome_display())),
        ticket=_filter_link(log, "ticket", entry.ticket),
        ticket_link=link_to_ticket(organization.ticket_link, entry.ticket) if entry.ticket else "",
    )


def _below(html: str) -> str:
    return f'<span class="audit-changes">{html}</span>'


def _subject(entry: AuditEntry, home: str) -> str:
    """Return the subject, a user as a link, with the full name and the object of the action below."""
    name = entry.subject_name or entry.subject_id
    if entry.has_user_page:
        subject = _link(f"{home}users/{entry.subject_id}/", name)
    else:
        subject = f"<bdi>{escape(entry.subject_name or _NONE)}</bdi>"
    full_name = entry.subject_full_name
    told = _below(f"<bdi>{escape(_shortened(full_name, _LONGEST_NAME))}</bdi>") if full_name else ""
    return subject + told + _object(object_of(entry), home)


def _object(found: Object | None, home: str) -> str:
    if found is None:
        return ""
    name = found.name or found.id
    shown = _link(f"{home}groups/{found.id}/", name) if found.has_page else f"<bdi>{escape(name)}</bdi>"
    return _below(f"{escape(str(found.label))}: {shown}")


def _who(entry: AuditEntry, log: str) -> str:
    if entry.operator_email:
        return _filter_link(log, "operator", entry.operator_email)
    return escape(str(who_of(entry))) or _NONE


def _filter_link(log: str, name: str, value: str) -> str:
    return _link(f"{log}?{name}={quote(value, safe='')}", value) if value else _NONE


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}"><bdi>{escape(text)}</bdi></a>'


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else Truncator(text).chars(most)
