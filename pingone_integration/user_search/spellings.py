"""One name, several spellings: apostrophes and dashes in their forms, letters with and without accents.

PingOne compares characters, whatever they look like.
"""

import re
import unicodedata
from collections.abc import Iterator

_APOSTROPHES = ("'", "\N{RIGHT SINGLE QUOTATION MARK}", "\N{MODIFIER LETTER APOSTROPHE}")  # the usual ones first
_DASHES = ("-", "\N{HYPHEN}", "\N{NON-BREAKING HYPHEN}", "\N{EN DASH}")
_STRAIGHT = str.maketrans(
    dict.fromkeys("‘’‛′`´ʹʻʼˈ՚＇", "'") | dict.fromkeys("‐‑‒–—―−﹘﹣－", "-") | {"\xa0": " ", "\u202f": " "}  # noqa: RUF001
)

_TWO_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "æ": "ae", "ø": "oe"}
_ONE_LETTER = str.maketrans("łŁđĐøØıæÆßœŒðÐ", "lLdDoOiaAsoOdD")
_UMLAUTS = {"a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü"}
_DIGRAPH = re.compile("ae|oe|ue|ss|aa", re.IGNORECASE)
_LETTER_OF = {"ae": "ä", "oe": "ö", "ue": "ü", "ss": "ß", "aa": "å"}


def straightened(text: str) -> str:
    """Return the text with the apostrophes, hyphens and spaces of a keyboard."""
    return text.translate(_STRAIGHT)


def typographic(text: str, *, only_letters: bool = False, rare: bool = False) -> Iterator[str]:
    """Yield a straightened text, then with other forms of its apostrophes or dashes.

    `only_letters`: PingOne holds no other form there than those that count as letters. `rare` adds the rare forms.
    """
    yield text
    for straight, usual, *others in (_APOSTROPHES, _DASHES):
        if straight in text:
            for form in (usual, *(others if rare else ())):
                if form.isalpha() or not only_letters:
                    yield text.replace(straight, form)


def unaccented(text: str) -> Iterator[str]:
    """Yield the spellings without accents: Mueller and Muller for Müller. Nothing for a text without accents."""
    if text.isascii():
        return
    german = "".join(_in_two_letters(letter) for letter in text)
    for spelling in (german, text):
        plain = unicodedata.normalize("NFD", spelling.replace("ß", "ss").translate(_ONE_LETTER))
        bare = unicodedata.normalize("NFC", "".join(letter for letter in plain if not _is_accent(letter)))
        if bare != text:
            yield bare


def accented(text: str) -> Iterator[str]:
    """Yield likely spellings with umlauts: Müller for Mueller and Muller. Nothing for a text with accents."""
    if not text.isascii():
        return
    if _DIGRAPH.search(text):
        yield _DIGRAPH.sub(lambda match: _LETTER_OF[match[0].lower()], text)
    for letter in "oua":
        for plain in (letter, letter.upper()):
            first = text.find(plain)
            if first >= 0:
                yield text[:first] + _UMLAUTS[plain] + text[first + 1 :]
                yield text.replace(plain, _UMLAUTS[plain])


def _in_two_letters(letter: str) -> str:
    two = _TWO_LETTERS.get(letter.lower(), letter)
    return two.capitalize() if letter != letter.lower() and two != letter else two


def _is_accent(mark: str) -> bool:
    """Return whether the mark is an accent of Latin, Greek or Cyrillic. Other scripts spell vowels with marks."""
    return "\u0300" <= mark <= "\u036f"
