"""Text as people type or paste it, cleaned before it is used: one spelling, without characters that nobody sees.

Every form field, search and command-line option goes through `clean`. Only passwords stay as they are.
"""

import re
import unicodedata
from enum import Enum, auto

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text


class Kind(Enum):
    """The use of a typed text, which decides what may be removed from it."""

    NAME = auto()  # one line for people: a name, a title, words to search for
    LINES = auto()  # the same with line breaks: a reason, a street address
    ID = auto()  # an ID, a ticket, a username: also loses quotes around it and punctuation after it
    ADDRESS = auto()  # an email address: also loses `mailto:`, and a name before the address in angle brackets
    CODE = auto()  # a secret, a code, a path: loses invisible characters only
    VERBATIM = auto()  # JSON, a filter, an error text: loses invisible characters and white space at its ends only


# Source: Unicode 16, DerivedCoreProperties.txt: Default_Ignorable_Code_Point. As blank as these are controls other than
# white space, interlinear annotations, and the empty Braille pattern. NUL is not pasted by accident: it stays, and is
# refused.
_INVISIBLE = (
    r"\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_EACH_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_BLANK_ENDS = re.compile(rf"\A[\s{_INVISIBLE}]+|[\s{_INVISIBLE}]+\Z")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_LINE_ENDS = re.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")

_QUOTES = r"\"'`\u00b4\u2018-\u201f\u2039\u203a\u00ab\u00bb\u300c-\u300f\uff02\uff07<>"  # and angle brackets
_WRAPPING = re.compile(rf"\A[\s{_QUOTES}]+|[\s{_QUOTES},;:.]+\Z")
_MAILTO = re.compile(rf"\A(?:[\s{_QUOTES}]*mailto:)+", re.IGNORECASE)
_NAMED_ADDRESS = re.compile(r"[^<>]*<([^<>]*@[^<>]*)>[\s,;:.]*")

_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner
# The scripts that spell words with a joiner, as the names of their letters begin.
# Source: The Unicode Standard 16, section 23.2, and its chapters 9, 12, 13 and 16.
_JOINED_SCRIPT = re.compile(
    "ARABIC |SYRIAC |MANDAIC |MONGOLIAN |NKO |PHAGS-PA |ADLAM |DEVANAGARI |BENGALI |GURMUKHI |GUJARATI |ORIYA |TAMIL |"
    "TELUGU |KANNADA |MALAYALAM |SINHALA |MYANMAR |KHMER |TIBETAN |BALINESE |JAVANESE "
)
_VIRAMA = 9  # canonical combining class of the signs that remove a consonant's vowel
_KEYCAP = "\u20e3"


def clean(text: str, kind: Kind = Kind.NAME) -> str:
    """Return the text in one spelling: NFC, apart from codes and verbatim text. Cleaning twice is cleaning once."""
    match kind:
        case Kind.VERBATIM:
            return _BLANK_ENDS.sub("", text)
        case Kind.CODE:
            return _EACH_INVISIBLE.sub("", text).strip()
        case Kind.NAME:
            return _name(text)
        case Kind.LINES:
            return "\n".join(map(_name, _LINE_ENDS.split(text))).strip("\n")
        case Kind.ID:
            return _unwrapped(text)
        case Kind.ADDRESS:
            return _address(text)


def as_read(text: str) -> str:
    """Return the text to compare it with another one as people read them: without case and all that is not seen."""
    return "".join(_EACH_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split()).casefold()


def without_joiners(text: str) -> str:
    """Return the text as systems spell it that cannot hold a zero-width joiner, even if its script needs one."""
    return text.translate(dict.fromkeys(map(ord, _JOINERS)))


def odd_character(text: str, allowed: str, *, what: Text) -> Text:
    """Return a sentence on the first character that does not match the pattern `allowed`; empty if all match.

    `what` begins the sentence: "The email address" contains a space after “ada”.
    """
    for place, character in enumerate(text):
        if re.fullmatch(allowed, character):
            continue
        if place == 0:
            return format_lazy(_("{what} begins with {character}."), what=what, character=named(character))
        told = _("{what} contains {character} after “{before}”.")
        return format_lazy(told, what=what, character=named(character), before=text[max(0, place - 20) : place])
    return ""


def named(character: str) -> Text:
    """Return the words for one character within a sentence: a space, “,”, “é” (U+00E9)."""
    code = f"U+{ord(character):04X}"
    if character == " ":
        return _("a space")
    if character in "\t\n\r":
        return _("a tab or line break")
    if character.isspace():
        return format_lazy(_("a special space ({code})"), code=code)
    if _EACH_INVISIBLE.fullmatch(character) or not character.isprintable():
        return format_lazy(_("an invisible character ({code})"), code=code)
    return f"“{character}”" if character.isascii() else f"“{character}” ({code})"


def _plain(text: str) -> str:
    """Return one line with composed characters, and plain spaces for all white space."""
    if text.isascii() and text.isprintable():  # most texts, and a list has a million of them
        return text.strip()
    one_line = _BREAKS.sub(" ", unicodedata.normalize("NFC", text))
    return "".join(" " if character.isspace() else character for character in one_line).strip()


def _name(text: str) -> str:
    plain = _plain(text)
    if not _EACH_INVISIBLE.search(plain):
        return plain
    kept = ""
    for place, character in enumerate(plain):
        if not _EACH_INVISIBLE.fullmatch(character) or _is_needed(character, kept[-1:], plain[place + 1 :]):
            kept += character
    cleaned = _plain(kept)
    return cleaned if cleaned == text else _name(cleaned)  # a removal can make a neighbor the end, or compose letters


def _is_needed(character: str, left: str, rest: str) -> bool:
    """Return whether an invisible character changes how the visible one on its left is written."""
    if not left:
        return False
    right = _EACH_INVISIBLE.sub("", rest)[:1]
    name = unicodedata.name(left, "")
    is_picture = unicodedata.category(left) in {"So", "Sm", "Sk"} or left == "\ufe0f"
    if character in _JOINERS and _JOINED_SCRIPT.match(name):
        return unicodedata.combining(left) == _VIRAMA or bool(right.strip())
    if character == "\u200d":
        return is_picture and right != "" and unicodedata.category(right) in {"So", "Sm"}
    if "\ufe00" <= character <= "\ufe0f":  # chooses between a symbol and an emoji, or between forms of an ideograph
        return (is_picture and left != "\ufe0f") or right == _KEYCAP or name.startswith("CJK ")
    if "\U000e0100" <= character <= "\U000e01ef":
        return name.startswith("CJK ")
    return "\u180b" <= character <= "\u180f" and name.startswith("MONGOLIAN ")


def _unwrapped(text: str) -> str:
    return _WRAPPING.sub("", _plain(_EACH_INVISIBLE.sub("", text)))


def _address(text: str) -> str:
    plain = _plain(_EACH_INVISIBLE.sub("", text))
    if named_address := _NAMED_ADDRESS.fullmatch(plain):
        plain = named_address[1]
    return _unwrapped(_MAILTO.sub("", plain))
