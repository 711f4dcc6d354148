"""Names of people as PingOne can hold them. A family name and a formatted name have a smaller alphabet than other text.

Source: PingOne API reference, Users > Users data model (read 2026-11): letters, marks, numbers, apostrophe, space,
period and hyphen, each in its plain form only.
"""

import re
import unicodedata
from collections.abc import Mapping

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text
from pingone_integration.typed.text import named

_PLAIN = {
    "'": "`\u00b4\u2018\u2019\u201b\u2032\uff07",
    "-": "\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d",
    ".": "\u2024\uff0e",
}
_SPELLINGS = [(re.compile(f"[{others}]"), plain) for plain, others in _PLAIN.items()]
_JOINERS = "\u200c\u200d"  # needed by some scripts; whether PingOne takes them is only known when it has answered


def straightened(name: str) -> str:
    """Return the name with plain apostrophes, hyphens and periods, as PingOne can hold it."""
    for others, plain in _SPELLINGS:
        name = others.sub(plain, name)
    return name


def fitting(name: str) -> str:
    """Return the straightened name without the characters that PingOne cannot hold."""
    return " ".join("".join(filter(_is_held, straightened(name))).split())


def problem_with(name: str) -> Text:
    """Return a sentence on a character that PingOne cannot hold here, or "" if it can hold the name."""
    odd = next((character for character in name if not _is_held(character)), "")
    if not odd:
        return ""
    told = _(
        "PingOne cannot hold {character} here. Use letters, numbers, spaces, apostrophes ('), hyphens (-) and "
        "periods (.)."
    )
    return format_lazy(told, character=named(odd))


def changed_in(formatted: str, changes: Mapping[str, str]) -> str:
    """Return the formatted name with parts replaced, old by new; unchanged if it holds none of the old parts."""
    parts = {old.casefold(): new for old, new in changes.items() if old}
    if not parts:
        return formatted
    longest_first = sorted(parts, key=len, reverse=True)
    held = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    replaced, count = held.subn(lambda found: parts.get(found[0].casefold(), found[0]), formatted)
    return fitting(replaced) if count else formatted


def _is_held(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in f"' .-{_JOINERS}"
