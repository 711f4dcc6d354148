"""The words by which entries are found: an inverted index beside the log, in blocks.

A search asks each block of the log, newest first, whether it has a word with that beginning, and reads the entries of
such blocks only. So a page costs about the same for a word of one entry, of all, or of the oldest ones; and a new entry
is written to the newest block, however large the index is.

All entries of a user have the words of all names that the user has had: a renamed user is one user.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, QuerySet

from console.audit.objects import Row, object_of
from console.models import AuditEntry, AuditTerm, Organization
from console.models.audit import AuditQuerySet
from pingone_integration.values import text as printable

BLOCK = 4096  # sequence numbers
BLOCKS_AT_ONCE = 256
FEW = 900  # sequence numbers that one statement may list: SQLite allows 999 values
LONGEST = 100  # characters of a word; the rest is not compared

_DIACRITICS = re.compile("[\u0300-\u036f]")
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_NOT_LETTERS = re.compile(r"[^\w]+")
_PEOPLE = {AuditEntry.Subject.USER, AuditEntry.Subject.MEMBERSHIP, AuditEntry.Subject.OPERATOR}


class Of(StrEnum):
    """What a word belongs to. Part of each stored word."""

    PERSON = "u"
    GROUP = "g"
    TICKET = "t"


class Named(Row, Protocol):
    """The columns of an entry that have its words, also of a migration's AuditEntry."""

    subject_kind: str
    subject_id: str
    subject_name: str
    subject_full_name: str
    subject_email: str
    ticket: str


def terms_of(row: Named) -> set[bytes]:
    """Return the words of the row: of the user, the group and the ticket."""
    found = {_term(Of.TICKET, folded(row.ticket))} if row.ticket else set()
    if row.subject_kind in _PEOPLE:
        found |= _terms(Of.PERSON, [*row.subject_name.split(), *row.subject_email.split()])
        found |= _terms(Of.PERSON, _name_words(row.subject_full_name))
    if row.subject_kind == AuditEntry.Subject.GROUP:
        found |= _terms(Of.GROUP, [row.subject_id, *_name_words(row.subject_name)])
    if (target := object_of(row)) and target.is_group:
        found |= _terms(Of.GROUP, [target.id, *_name_words(target.name)])
    return found


def beginnings(of: Of, typed: str) -> tuple[bytes, ...]:
    """Return the beginnings that an entry must have for the `typed` text; a ticket is one word, whatever is in it."""
    words = [typed] if of == Of.TICKET else typed.split()
    return tuple(dict.fromkeys(_term(of, word) for each in words if (word := folded(each))))


def has_beginnings(row: Named, beginnings: Iterable[bytes]) -> bool:
    """Return whether the row itself has a word with each of the beginnings, not only another entry of its user."""
    own = terms_of(row)
    return all(any(term.startswith(beginning) for term in own) for beginning in beginnings)


def folded(text: str) -> str:
    """Return the text as it is compared: without case, accents, invisible characters, or two forms of one sign."""
    plain = unicodedata.normalize("NFKD", printable(text)).translate(_SAME).casefold()
    # Decomposed again: casefold() composes some letters.
    plain = _DIACRITICS.sub("", unicodedata.normalize("NFKD", plain))
    return " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf").split())


def index(row: AuditEntry, previous: int | None) -> None:
    """Add the words of a new row, in place of `previous`: the sequence number of the row before it of its entry."""
    terms = terms_of(row)
    added = [(row.sequence, term) for term in terms]
    if row.subject_id and row.subject_kind in _PEOPLE:
        known = _known_names(row)
        names = {term for term in terms if term.startswith(Of.PERSON.encode())}
        added += [(row.sequence, term) for term in known - names]
        if new := names - known:
            earlier = _about(row).current().exclude(entry=row.entry).values_list("sequence", flat=True)
            added += [(sequence, term) for sequence in earlier for term in new]
    if previous is not None:
        _at(row.owner_id, previous).delete()
    AuditTerm.objects.bulk_create((made(row.owner_id, *one) for one in added), batch_size=1000)


def made(organization_id: UUID, sequence: int, term: bytes) -> AuditTerm:
    """Return an unsaved word of the row with this sequence number."""
    return AuditTerm(organization_id=organization_id, block=sequence // BLOCK, term=term, sequence=sequence)


def blocks_with(organization: Organization, terms: Sequence[bytes], numbers: range) -> Iterator[int]:
    """Yield the blocks, in the order of `numbers` (step 1 or -1), that have a word with each of the beginnings."""
    field = AuditTerm._meta.get_field("organization")  # noqa: SLF001 - Django documents _meta
    key = field.get_db_prep_value(organization.pk, connection)
    sought = [value for term in terms for value in (key, term, _end(term))]
    while numbers:
        bounds = [numbers[0], numbers.step, numbers[-1]]
        with connection.cursor() as cursor:
            cursor.execute(_BLOCKS.format(" AND ".join([_HAS] * len(terms))), [*bounds, *sought, BLOCKS_AT_ONCE])
            found = [number for (number,) in cursor.fetchall()]
        yield from found
        if len(found) < BLOCKS_AT_ONCE:
            return
        numbers = range(found[-1] + numbers.step, numbers.stop, numbers.step)


def in_row(organization: Organization, term: bytes) -> QuerySet[AuditTerm]:
    """Return the words with this beginning of the row of an outer query."""
    words = AuditTerm.objects.filter(organization=organization, term__gte=term, term__lt=_end(term))
    return words.filter(sequence=OuterRef("sequence"))


@dataclass(frozen=True)
class Few:
    """The rows of some blocks that have a word with each of several beginnings."""

    sequences: frozenset[int]
    by: bytes  # the beginning that has few words
    read: int  # its words in these blocks


def few_in(
    organization: Organization, blocks: Sequence[int], terms: Sequence[bytes], likely: bytes | None
) -> Few | None:
    """Return these blocks' rows with a word for each beginning, or None if every beginning has more than FEW words.

    Reads the words of the rarest beginning, and looks up the others at its rows only. `likely` was the rarest before.
    """

    def words_of(term: bytes) -> list[int]:
        return list(_sequences_in(organization, blocks, term)[: FEW + 1])

    words = {term: words_of(term) for term in ([likely] if likely else terms)}
    if likely and len(words[likely]) > FEW:
        words |= {term: words_of(term) for term in terms if term != likely}
    few = min(words, key=lambda term: len(words[term]))
    if len(words[few]) > FEW:
        return None
    found = frozenset(words[few])
    for term in (term for term in terms if term != few):
        of_rows = AuditTerm.objects.filter(organization=organization, sequence__in=found)
        found &= frozenset(of_rows.filter(term__gte=term, term__lt=_end(term)).values_list("sequence", flat=True))
    return Few(found, by=few, read=len(words[few]))


def _sequences_in(organization: Organization, blocks: Sequence[int], term: bytes) -> QuerySet[Any, int]:
    """Return the sequence numbers of these blocks' rows that have a word with this beginning."""
    found = AuditTerm.objects.filter(organization=organization, block__in=blocks, term__gte=term, term__lt=_end(term))
    return found.values_list("sequence", flat=True)


# Each step of the recursion asks one block. The database ends it as soon as enough blocks are found.
_BLOCKS = """
    WITH RECURSIVE block(number) AS (
        SELECT CAST(%s AS bigint) UNION ALL SELECT number + %s FROM block WHERE number <> %s
    )
    SELECT number FROM block WHERE {} LIMIT %s
"""
_HAS = """
    EXISTS (
        SELECT 1 FROM console_auditterm AS word
        WHERE word.organization_id = %s AND word.block = block.number AND word.term >= %s AND word.term < %s
    )
"""


def _about(row: AuditEntry) -> AuditQuerySet:
    """Return all rows about the subject of `row`."""
    return AuditEntry.objects.filter(
        organization_id=row.owner_id, subject_id=row.subject_id, subject_kind=row.subject_kind
    )


def _known_names(row: AuditEntry) -> set[bytes]:
    """Return the words of all names of the row's subject so far. The last row about them has them all."""
    last = _about(row).filter(sequence__lt=row.sequence).order_by("-sequence").values_list("sequence", flat=True)
    if not (found := last[:1]):
        return set()
    names = _at(row.owner_id, found[0]).filter(term__gte=Of.PERSON.encode(), term__lt=_end(Of.PERSON.encode()))
    return {bytes(term) for term in names.values_list("term", flat=True)}


def _at(organization_id: UUID, sequence: int) -> QuerySet[AuditTerm]:
    return AuditTerm.objects.filter(organization_id=organization_id, sequence=sequence)


def _name_words(name: str) -> list[str]:
    """Return the words of a name as they are written, and also the parts of a compound: Anna-Lena, (Nord)."""
    return [*name.split(), *_NOT_LETTERS.split(name)]


def _terms(of: Of, words: Iterable[str]) -> set[bytes]:
    return {_term(of, word) for each in words if (word := folded(each))}


def _term(of: Of, word: str) -> bytes:
    """Return a word as it is stored: as bytes, because databases sort text by the rules of a language."""
    return f"{of}{word[:LONGEST]}".encode()


def _end(beginning: bytes) -> bytes:
    """Return the end of the range of all words with this beginning: UTF-8 has no byte 255."""
    return beginning + b"\xff"
