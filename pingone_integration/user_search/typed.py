"""The typed or pasted text of a search: without what copying adds, in words, and the user ID in it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from pingone_integration.typed.text import clean
from pingone_integration.user_search.spellings import straightened

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//\S+|urn:uuid:\S+", re.IGNORECASE)
_ID_IN_URL = re.compile(rf"(?<![0-9a-z-]){_ID}(?![0-9a-z-])", re.IGNORECASE)
_ID_OF_USER_IN_URL = re.compile(rf"users?(?:/|=|%2F|%3D)(?P<id>{_ID})(?![0-9a-z-])", re.IGNORECASE)
_LABELED_ID = re.compile(
    rf"(?:(?:[\w-]+ )*[\w-]*id\b ?[:=#]? ?)?[\"'({{\[<]*(?P<id>{_ID})[\"')}}\]>.,;]*", re.IGNORECASE
)

_ADDRESS_IN_BRACKETS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")  # as mail programs copy it: Mara Lind <mara@acme.test>
_MAILTO = re.compile(r"mailto:(?P<address>[^?\s]*)(?:\?\S*)?", re.IGNORECASE)
_AROUND_ADDRESSES = " ,;:.!?<>()[]{}\"'"

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))


@dataclass(frozen=True)
class Word:
    """A word as typed, with its place in the text, and as it is searched. `clean` may be empty: a lone comma."""

    start: int
    end: int
    clean: str


@dataclass(frozen=True)
class Typed:
    """A search text: `text` as typed, and its words."""

    text: str
    words: tuple[Word, ...]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def clean(self) -> str:
        return self.part(0, len(self))[0]

    def part(self, start: int, end: int) -> tuple[str, str, str]:
        """Return some of the words: cleaned, as typed, and as typed before the comma of "Lind, Mara"."""
        words = self.words[start:end]
        raw = self.text[words[0].start : words[-1].end]
        return " ".join(word.clean for word in words if word.clean), raw, raw.rstrip(",;")

    def first(self, count: int) -> "Typed":
        return Typed(self.text[: self.words[count - 1].end], self.words[:count])

    def cut(self, length: int) -> "Typed":
        """Return the beginning of a single word."""
        return typed(self.text[:length])


def typed(text: str) -> Typed:
    """Split a text into words. A list of marks alone stays one word."""
    words = tuple(Word(match.start(), match.end(), cleaned(match[0])) for match in re.finditer(r"\S+", text))
    return Typed(text, words)


def cleaned(text: str) -> str:
    """Return a text as people spell it: no invisible characters, quotation marks or commas at its ends, in NFC."""
    plain = straightened(clean(text))
    return " ".join(plain.translate(_QUOTES).strip(' ",;').split())


def address_in(text: str) -> str:
    """Return the email address if the text is one: alone, in a mailto link, or in brackets after a name."""
    if in_brackets := _ADDRESS_IN_BRACKETS.search(text):
        text = in_brackets[1]
    if link := _MAILTO.fullmatch(text.strip(_AROUND_ADDRESSES)):
        text = unquote(link["address"])
    address = cleaned(text).strip(_AROUND_ADDRESSES)
    return address if "@" in address and " " not in address else ""


def user_id_in(text: str) -> UUID | None:
    """Return the ID that the text consists of: bare, in braces or quotation marks, after "ID:", or in a URL."""
    found = id_text_in(text)
    return UUID(found) if found else None


def id_text_in(text: str) -> str:
    """Return the same ID as it is typed, "" if there is none."""
    plain = cleaned(text)
    if _URL.fullmatch(plain):
        of_user = _ID_OF_USER_IN_URL.search(plain)
        ids = [of_user["id"]] if of_user else _ID_IN_URL.findall(plain)
        return str(ids[-1]) if ids else ""
    alone = _LABELED_ID.fullmatch(plain)
    return alone["id"] if alone else ""
