"""The character encoding of a list: UTF-8 first, then UTF-16; for anything else, readings to choose between.

Bytes in an older encoding can be read in several ways, and only people can say which names are right.
"""

import codecs
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from console.jobs.files.bad_list import BadList
from console.jobs.files.other_files import check_bytes
from pingone_integration.texts import Text

UTF_8 = "utf-8"
SAMPLE_BYTES = 64_000
MOST_READINGS = 3
_LONGEST_LINE = 4_000  # bytes of a line of the sample

# Older encodings of text files, by how often they are met. Their names are Python's.
LABELS: dict[str, Text] = {
    UTF_8: "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": _("Western European (Windows-1252)"),
    "cp1250": _("Central European (Windows-1250)"),
    "mac_roman": _("Western European (Mac)"),
    "cp850": _("Western European (DOS)"),
    "cp1251": _("Cyrillic (Windows-1251)"),
    "cp1253": _("Greek (Windows-1253)"),
    "cp1254": _("Turkish (Windows-1254)"),
    "shift_jis": _("Japanese (Shift JIS)"),
    "euc_kr": _("Korean (EUC-KR)"),
    "gb18030": _("Chinese (GB 18030)"),
}
_OLDER = [name for name in LABELS if not name.startswith("utf")]
_SEVERAL_BYTES = frozenset({"shift_jis", "euc_kr", "gb18030"})


@dataclass(frozen=True)
class Reading:
    """One way to read a file whose encoding is not certain: the first texts with letters beyond ASCII."""

    encoding: str
    sample: tuple[str, ...]

    @property
    def label(self) -> Text:
        return LABELS[self.encoding]


def encoding_of(pieces: Iterable[bytes]) -> str:
    """Return the encoding of a file that certainly is text in it, or "" if only people can tell. Raises BadList."""
    decoder, head = None, b""
    for piece in pieces:
        if decoder is None:
            head = piece
            if certain := _by_first_bytes(head):
                return certain
            decoder = codecs.getincrementaldecoder(UTF_8)()
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            return ""
    return UTF_8  # a character that the end cuts off is found with its row


def readings_of(pieces: Iterable[bytes], *, count: int = 10) -> tuple[Reading, ...]:
    """Return up to three plausible readings, the most plausible first. None means that it is no text at all.

    A file that is UTF-8 but for some lines, as if two files had been joined, can be read as that: the letters that are
    lost then show, and their rows are not used.
    """
    lines = list(_lines_beyond_ascii(pieces, count))
    found: dict[tuple[str, ...], tuple[float, Reading]] = {}
    for encoding in _OLDER:
        try:
            decoded = [line.decode(encoding) for line in lines]
        except UnicodeDecodeError:
            continue
        sample = tuple(_texts_beyond_ascii(decoded))[:count]
        score = _plausibility(decoded)
        if sample and score > 0 and sample not in found:
            found[sample] = (score, Reading(encoding, sample))
    ranked = [reading for _score, reading in sorted(found.values(), key=lambda scored: -scored[0])]
    if 2 * sum(map(_is_utf_8, lines)) >= len(lines) > 0:
        damaged = tuple(_texts_beyond_ascii(line.decode(UTF_8, errors="replace") for line in lines))
        ranked.insert(0, Reading(UTF_8, damaged[:count]))
    return tuple(ranked[:MOST_READINGS])


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yield the text in pieces, without a byte order mark. An unreadable byte is U+FFFD: its row then says so."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    is_first = True
    for piece in pieces:
        text = decoder.decode(piece)
        if is_first and text:
            text, is_first = text.removeprefix("\ufeff"), False
        yield text
    yield decoder.decode(b"", final=True)


def _by_first_bytes(head: bytes) -> str:
    """Return the encoding that the first bytes prove. Raises BadList for a file that is not text."""
    check_bytes(head)
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    # Text in a Latin script has a zero byte in each of its characters; a stray NUL is rare.
    sample = head[:SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > len(sample) // 8 and odd > 8 * even:
        return "utf-16-le"
    if even > len(sample) // 8 and even > 8 * odd:
        return "utf-16-be"
    if sample.count(0) > len(sample) // 20:
        raise BadList(_("This is not a text file. Save the list as CSV, and upload that."))
    return ""


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def _lines_beyond_ascii(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield the first lines with a byte beyond ASCII, each cut to a bearable length."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        rest = rest[:_LONGEST_LINE]
        for line in lines:
            if not line.isascii() and len(line) <= _LONGEST_LINE:
                yield line
                count -= 1
                if not count:
                    return
    if rest and not rest.isascii():
        yield rest


def _texts_beyond_ascii(lines: Iterable[str]) -> Iterator[str]:
    """Yield the cells with letters beyond ASCII: names, as a rule."""
    for line in lines:
        for cell in line.replace(";", ",").replace("\t", ",").replace("|", ",").split(","):
            text = cell.strip().strip("\"'")
            if not text.isascii():
                yield text


def _plausibility(lines: Iterable[str]) -> float:
    """Return how much of what is beyond ASCII looks like the letters of names, at most 1."""
    looks_right, seen = 0.0, 0
    for line in lines:
        for before, character in zip(" " + line, line, strict=False):
            if character.isascii():
                continue
            seen += 1
            category = unicodedata.category(character)
            if category in {"Ll", "Lo", "Lm", "Mn"} or (category == "Lu" and not before.islower()):
                # Half-width katakana are what Western letters look like in a Japanese encoding.
                looks_right += 0.2 if "\uff61" <= character <= "\uff9f" else _usual(character, before)
    return looks_right / seen if seen else 0.0


def _usual(character: str, before: str) -> float:
    """Return how usual the character is beside the one before it.

    Words seldom mix two scripts, and seldom have two accented letters side by side.
    """
    script = unicodedata.name(character, "").partition(" ")[0]
    if before.isalpha() and script == "LATIN" and not before.isascii():
        return 0.3
    if before.isalpha():
        beside = unicodedata.name(before, "").partition(" ")[0]
        return 1.0 if beside == script else 0.3
    return 0.9 if script == "LATIN" else 0.8
