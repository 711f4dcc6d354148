"""Comparing the log with lines that were kept elsewhere: those of the process log, or of the JSON-lines export.

The hash chain alone shows a change of a row. It cannot show that its end was cut off together with the head, or that
all rows from some row on were written anew.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from console.audit.lines import SERVER
from console.models import AuditEntry, Organization

_CHUNK = 500


class NoLines(Exception):
    """The lines hold none of this log."""


@dataclass
class Compared:
    """The result of the comparison for one chain: sequence numbers of rows in the lines."""

    same: int = 0
    missing: list[int] = field(default_factory=list)
    rewritten: list[int] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        found = [f"missing: {_ranges(self.missing)} of the lines"] if self.missing else []
        if self.rewritten:
            found.append(f"rewritten from row {min(self.rewritten)} on: {_ranges(self.rewritten)} of the lines")
        return found


def compare(lines: Iterable[str], only: Organization | None = None) -> dict[str, Compared]:
    """Compare the log with the lines, by organization's slug or SERVER. `only`: leave other organizations out.

    Lines of the export do not name their organization: that of their entry counts, or else `only`. Other lines than
    those of the log are left out. Raises NoLines if no line is left, so that a wrong file does not look like a proof.
    """
    slugs = {str(pk): slug for pk, slug in Organization.objects.values_list("pk", "slug")}
    found: dict[str, Compared] = defaultdict(Compared)
    chunk: list[_Line] = []
    for text in lines:
        if line := _line(text):
            chunk.append(line)
        if len(chunk) == _CHUNK:
            _compare(chunk, only, slugs, found)
            chunk = []
    _compare(chunk, only, slugs, found)
    if not found:
        raise NoLines
    return dict(found)


@dataclass(frozen=True, kw_only=True)
class _Line:
    sequence: int
    hash: str
    entry: UUID
    organization: str | None  # None: a line of the export


def _line(text: str) -> _Line | None:
    """Return what the line says of a row, or None for any other line. A prefix of the log's reader is skipped."""
    try:
        said = json.loads(text[text.index("{") :])
        return _Line(
            sequence=int(said["sequence"]),
            hash=str(said["hash"]),
            entry=UUID(str(said["entry"])),
            organization=said.get("organization"),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _compare(chunk: list[_Line], only: Organization | None, slugs: dict[str, str], found: dict[str, Compared]) -> None:
    entries = AuditEntry.objects.filter(entry__in=[line.entry for line in chunk if line.organization is None])
    owner_of = {entry: str(owner or SERVER) for entry, owner in entries.values_list("entry", "organization_id")}
    by_owner: dict[str, list[_Line]] = defaultdict(list)
    for line in chunk:
        owner = line.organization or owner_of.get(line.entry) or (str(only.pk) if only else "")
        if only is None or owner == str(only.pk):
            by_owner[owner].append(line)
    for owner, theirs in by_owner.items():
        result = found[slugs.get(owner) or owner or "an unknown organization"]
        chain = AuditEntry.objects.filter(organization=_id_of(owner))
        stored = dict(chain.filter(sequence__in=[line.sequence for line in theirs]).values_list("sequence", "hash"))
        for line in theirs:
            if line.sequence not in stored:
                result.missing.append(line.sequence)
            elif stored[line.sequence] != line.hash:
                result.rewritten.append(line.sequence)
            else:
                result.same += 1


def _id_of(owner: str) -> UUID | None:
    """Return the ID to look for: None for the server's chain, and one that nobody has for what is no ID."""
    if owner == SERVER:
        return None
    try:
        return UUID(owner)
    except ValueError:
        return UUID(int=0)


def _ranges(numbers: list[int]) -> str:
    """Return the numbers in words: rows 3 to 5, 9."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    told = ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts)
    return f"{'row' if len(set(numbers)) == 1 else 'rows'} {told}"
