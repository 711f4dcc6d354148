"""Uploaded files, kept in the database in parts until their job is deleted: no process holds a whole file."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.jobs.files.bad_list import BadList
from console.jobs.files.table import MOST_BYTES
from console.models import Job, ListPart, PeopleList
from pingone_integration.values import text

PART_BYTES = 256 * 1024
_TOO_LARGE = _("The file is larger than {most} MB. Split it.")


class _Writer:
    """Writes a file to the database, part by part."""

    def __init__(self, access: OrgAccess, name: str) -> None:
        self.people = PeopleList.objects.create(
            organization=access.org, made_by=access.operator, source=Job.Source.FILE, file_name=text(name)[-255:]
        )
        self.rest = b""
        self.size = 0
        self.parts = 0

    @property
    def is_too_large(self) -> bool:
        return self.size > MOST_BYTES

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.is_too_large:
            return
        self.rest += piece
        while len(self.rest) >= PART_BYTES:
            self._store(self.rest[:PART_BYTES])
            self.rest = self.rest[PART_BYTES:]

    def end(self) -> PeopleList:
        """Return the list. Raises BadList, and keeps nothing of a file that is too large."""
        if self.is_too_large:
            self.people.delete()
            raise BadList(format_lazy(_TOO_LARGE, most=MOST_BYTES // 1_000_000))
        if self.rest:
            self._store(self.rest)
        self.people.size = self.size
        self.people.save(update_fields=["size"])
        return self.people

    def _store(self, content: bytes) -> None:
        ListPart.objects.create(list=self.people, number=self.parts, content=content)
        self.parts += 1


class ListUpload(FileUploadHandler):
    """The upload handler of a page that takes a list. The page checks the operator first, and then sets it.

    After the request was parsed, `result` returns the list. Unless the page sets `is_used`, `end` deletes it.
    """

    def __init__(self, access: OrgAccess) -> None:
        super().__init__()
        self.access = access
        self.writer: _Writer | None = None
        self.is_used = False

    def new_file(self, field_name: str, file_name: str, *args: Any, **options: Any) -> None:
        if self.writer or not file_name:
            raise SkipFile  # one file is a list
        self.writer = _Writer(self.access, file_name)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.writer is None or self.writer.is_too_large:
            raise SkipFile
        self.writer.write(raw_data)

    def file_complete(self, file_size: int) -> None:
        return None

    def result(self) -> PeopleList | None:
        """Return the list, or None if no file was sent. Raises BadList for a file that is too large."""
        return self.writer.end() if self.writer else None

    def end(self) -> None:
        """Delete a list that came to nothing: a bad one, or one of a request that was refused or cut off."""
        if self.writer and self.writer.people.pk and not self.is_used:
            self.writer.people.delete()


def keep(access: OrgAccess, name: str, pieces: Iterable[bytes]) -> PeopleList:
    """Keep a file that comes in pieces, for instance of standard input. Raises BadList if it is too large."""
    writer = _Writer(access, name)
    try:
        for piece in pieces:
            writer.write(piece)
            if writer.is_too_large:
                break
    except OSError:  # of the file
        writer.people.delete()
        raise
    return writer.end()


def pieces_of(people: PeopleList) -> Callable[[], Iterator[bytes]]:
    """Return a function that yields the file from its beginning, part by part."""

    def pieces() -> Iterator[bytes]:
        number = 0
        while content := people.parts.filter(number=number).values_list("content", flat=True).first():
            yield bytes(content)
            number += 1

    return pieces
