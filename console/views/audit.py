"""The audit log: list, filters, export, and the settling of unknown outcomes."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import BY_KEY
from console.audit import entries, objects
from console.audit.api_requests import shown_inputs
from console.audit.rows import rows_of
from console.audit.search import AuditFilterForm, each_of, matching, page_of
from console.audit.visible import sees_addresses, visible
from console.audit.wording import changes_of, inputs_of, title_of, values_of, who_of
from console.failures.next_step import resolution_of
from console.fragments import wants_fragment
from console.models import AuditEntry
from console.models.audit import EXPORTED
from console.page.csv_export import csv_lines
from console.page.pager import Pager
from console.perform.resolve import resolve
from console.perform.undo import may_undo, undo_of
from console.source_address import source_address
from pingone_integration.errors import kinds
from pingone_integration.texts import Text


@org_view(Permission.VIEW_AUDIT)
@require_safe
def audit_log(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show one page of the entries that match the filters in the URL, newest first."""
    form = AuditFilterForm(request.GET, access=access)
    form.is_valid()
    before, after = _number(request, "before"), _number(request, "after")
    page = page_of(matching(access, form), before=before, after=after)
    context = {
        "form": form,
        "rows": rows_of(page.entries, access.org, reverse("audit", args=[access.org.slug])),
        "pager": Pager(
            previous=f"?{form.query(after=page.newer)}" if page.newer is not None else "",
            next=f"?{form.query(before=page.older)}" if page.older is not None else "",
            previous_label=_("Newer"),
            next_label=_("Older"),
        ),
        "query": form.query(),
        "may_export": access.allows(Permission.EXPORT_AUDIT),
    }
    template = "console/audit/log.html#entries" if wants_fragment(request) else "console/audit/log.html"
    return render(request, template, context, status=422 if form.errors else 200)


@org_view(Permission.VIEW_AUDIT)
@require_safe
def entry(request: ConsoleRequest, access: OrgAccess, entry_id: UUID) -> HttpResponse:
    """Show one entry with all of its rows."""
    rows = list(visible(access).filter(entry=entry_id).order_by("revision"))
    if not rows:
        raise Http404("No such entry.")
    latest = rows[-1]
    action = BY_KEY.get(latest.action)
    undone = undo_of(latest)
    context = {
        "entry": latest,
        "rows": rows,
        "title": title_of(latest),
        "who": who_of(latest),
        "object": objects.object_of(latest),
        "problem": _problem_of(latest),
        "values": values_of(latest),
        "inputs": inputs_of(latest),
        "is_open": latest.is_open,
        "may_read_again": latest.is_open and action is not None and access.may(action),
        "may_undo": undone is None and may_undo(access, latest),
        "undone": undone if undone and visible(access).filter(pk=undone.pk).exists() else None,
        "sees_addresses": sees_addresses(access),
    }
    return render(request, "console/audit/entry.html", context)


def _problem_of(latest: AuditEntry) -> Text:
    """Return what went wrong, or "". A note already has the error's own cause and resolution."""
    error = kinds().get(latest.error_kind)
    if error is None:
        return ""
    if latest.note:
        return format_lazy("{}.", error.title)
    return format_lazy("{}. {} {}", error.title, error.cause, resolution_of(error))


@org_view(Permission.VIEW_AUDIT)
@require_POST
def read_again(request: ConsoleRequest, access: OrgAccess, entry_id: UUID) -> HttpResponse:
    """Settle an unknown outcome by reading the user again. Requires the permission of the action itself."""
    latest = get_object_or_404(visible(access, AuditEntry.objects.current()), entry=entry_id)
    action = BY_KEY.get(latest.action)
    if action is None:
        raise Http404("Nothing to read.")
    access.require_to(action)
    settled = resolve(access, latest)
    if settled.revision == latest.revision:
        messages.warning(request, _("Checked the user in PingOne. The outcome is still unknown."))
    else:
        messages.success(request, settled.note)
    return redirect("audit-entry", access.org.slug, entry_id)


@org_view(Permission.EXPORT_AUDIT)
@require_GET
def export(request: ConsoleRequest, access: OrgAccess, kind: str) -> StreamingHttpResponse:
    """Stream all entries that match the filters, as `csv` for people or `jsonl` for programs. It is on record itself.

    The stream ends before its own entry.
    """
    makers = {"csv": (_as_csv, "text/csv"), "jsonl": (_as_json_lines, "application/x-ndjson")}
    if kind not in makers:
        raise Http404("No such format.")
    form = AuditFilterForm(request.GET, access=access)
    if not form.is_valid():
        raise Http404("No such filter.")
    make, media_type = makers[kind]
    row = entries.record(
        access.org,
        "audit.exported",
        subject=entries.Subject(kind=AuditEntry.Subject.LOG, id=access.org.pk, name=access.org.name),
        operator=access.operator,
        source_address=source_address(request),
        inputs={"format": kind} | form.chosen(),
    )
    found = each_of(matching(access, form), before=row.sequence)
    response = StreamingHttpResponse(make(found), content_type=f"{media_type}; charset=utf-8")
    name = f"audit-{access.org.slug}-{timezone.now():%Y%m%d-%H%M%S}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _as_csv(found: Iterator[AuditEntry]) -> Iterator[str]:
    return csv_lines([*EXPORTED, *objects.EXPORTED, "changes", "inputs"], map(_csv_row, found))


def _csv_row(entry: AuditEntry) -> list[Any]:
    """Return one line of the export, which is data: in English for every reader."""
    with translation.override("en"):
        inputs = "; ".join(f"{label}: {value}" for label, value in inputs_of(entry))
        values = {name: _plain(getattr(entry, name)) for name in EXPORTED} | {"outcome": entry.shown_outcome}
        return [*values.values(), *objects.exported_object_of(entry).values(), changes_of(entry), inputs]


def _as_json_lines(found: Iterator[AuditEntry]) -> Iterator[str]:
    for entry in found:
        values = {name: _plain(getattr(entry, name)) for name in EXPORTED}
        whole = values | {
            **objects.exported_object_of(entry),
            "inputs": shown_inputs(entry.action, entry.inputs),
            "before": entry.before,
            "after": entry.after,
            "hash": entry.hash,
        }
        yield json.dumps(whole) + "\n"


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _number(request: ConsoleRequest, name: str) -> int | None:
    """Return a sequence number from the URL, or None if it is missing or malformed."""
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None
