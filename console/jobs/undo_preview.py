"""The preview of rows that undo those of another job: each reverses an entry of the audit log."""

from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import BY_KEY
from console.actions.effect import shows
from console.actions.shown import is_shown, shown_of
from console.audit.entries import storable
from console.jobs.user_preview import NOBODY, Looking, decide
from console.models import AuditEntry, JobRow
from console.perform import undo
from pingone_integration.users import User

Verdict = JobRow.Verdict

_NO_ENTRY = _("The values before it are not on record.")
_CHANGED_SINCE = _("The user has changed since then.")


class LookingAtUndo(Looking):
    """A look at rows as they would give back the values before the entry that each undoes."""

    def _at(self, rows: list[JobRow]) -> None:
        entries = AuditEntry.objects.current().filter(
            organization=self.access.org, entry__in=[row.undone_entry for row in rows if row.undone_entry]
        )
        known = {entry.entry: entry for entry in entries}
        found = self.users_of(rows)
        for row in rows:
            entry = known.get(row.undone_entry) if row.undone_entry else None
            problem = undo.problem_with_undo(entry) if entry else _NO_ENTRY
            if problem or entry is None:
                decide(row, Verdict.INVALID, problem)
            elif len(found[row.key]) != 1:
                decide(row, Verdict.NOT_FOUND, NOBODY)
            else:
                self._at_entry(row, found[row.key][0], entry)

    def _at_entry(self, row: JobRow, user: User, entry: AuditEntry) -> None:
        undone = BY_KEY[entry.action]
        try:
            inputs = undone.undo.inputs(entry.before or {}, entry.inputs) if undone.undo else {}
        except (KeyError, TypeError, ValueError):
            decide(row, Verdict.INVALID, _NO_ENTRY)
            return
        self.decide_on(row, user, inputs, None)
        after = entry.after or {}
        own = [name for name in after if is_shown(name) or name in inputs.get("changes", {})]
        if row.verdict == Verdict.CHANGE and not shows({one: after[one] for one in own}, storable(shown_of(user, own))):
            decide(row, Verdict.CONFLICT, _CHANGED_SINCE)
