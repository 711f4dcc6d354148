"""The user search: from typed words to a SCIM filter for PingOne.

Source: PingOne API reference, Users > Read All Users, and SCIM filter language (read 2026-11).
"""

import json
import re
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text

# PingOne accepts 6 KB for all headers together, URL included; an access token takes up to half of it.
MAX_FILTER_BYTES = 3_000

FILTERABLE = (
    "username, email, name.given, name.family, name.middle, name.formatted, nickname, title, type, primaryPhone, "
    "mobilePhone, accountId, externalId, enabled, population.id, locale, timezone, preferredLanguage, "
    "address.streetAddress, address.locality, address.region, address.postalCode, address.countryCode, "
    "memberOfGroups[id eq]"
)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS_IN_BRACKETS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")  # as mail programs copy it: Mara Lind <mara@acme.test>
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
_MAX_WORDS = 6  # of a name


class BadFilter(ValueError):
    """The text gives no filter. The message is for the person who typed it."""

    def __init__(self, message: Text) -> None:
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """The criteria of a search; all of them must match."""

    text: str = ""
    raw_filter: str = ""  # SCIM, typed under Advanced
    population_id: UUID | None = None
    group_id: UUID | None = None
    enabled: bool | None = None


@dataclass(frozen=True)
class _Understood:
    """One interpretation of a search text: a user matches any of `clauses`."""

    meaning: Text
    clauses: list[str]


def user_id_in(text: str) -> UUID | None:
    """Return the ID, or None if the text is not a UUID."""
    stripped = text.strip()
    return UUID(stripped) if _UUID.fullmatch(stripped) else None


def filter_of(criteria: Criteria) -> str:
    """Return the SCIM filter, empty without criteria. Raises BadFilter."""
    clauses = []
    if text := _one_line(criteria.text):
        clauses.append(f"({' or '.join(_understood(text).clauses)})")
    if raw := criteria.raw_filter.strip():
        _check_balance(raw)
        clauses.append(f"({raw})")
    if criteria.population_id:
        clauses.append(f"population.id eq {literal(str(criteria.population_id))}")
    if criteria.group_id:
        clauses.append(f"memberOfGroups[id eq {literal(str(criteria.group_id))}]")
    if criteria.enabled is not None:
        clauses.append(f"enabled eq {'true' if criteria.enabled else 'false'}")
    whole = clauses[0][1:-1] if len(clauses) == 1 and clauses[0].startswith("(") else " and ".join(clauses)
    if len(quote(whole)) > MAX_FILTER_BYTES:
        raise BadFilter(_("This search is too long for PingOne. Use fewer or shorter words."))
    return whole


def meaning_of(text: str) -> Text:
    """Return the meaning of a search text, to follow "Searched for"; empty for an empty text."""
    return _understood(_one_line(text)).meaning if text.strip() else ""


def literal(value: str) -> str:
    """Return a SCIM string: as in JSON, with escaped quotation marks, backslashes and control characters."""
    return json.dumps(value, ensure_ascii=False)


def _understood(text: str) -> _Understood:
    if address := _ADDRESS_IN_BRACKETS.search(text):
        text = address[1]
    text = text.removeprefix("mailto:")
    if "@" in text:
        return _Understood(
            format_lazy(_("email addresses and usernames starting with “{text}”"), text=text),
            [f"email sw {literal(text)}", f"username sw {literal(text)}"],
        )
    if _PHONE.fullmatch(text) and sum(character.isdigit() for character in text) >= 5:
        meaning = format_lazy(_("the phone number {number}, written in several ways"), number=text)
        return _Understood(meaning, _phone_clauses(text))
    words = text.replace(",", " ").split() or [text]
    if len(words) == 1:
        return _Understood(
            format_lazy(_("usernames, email addresses, given and family names starting with “{text}”"), text=text),
            [f"{attribute} sw {literal(text)}" for attribute in ("username", "email", "name.given", "name.family")],
        )
    return _Understood(
        format_lazy(_("given and family names starting with “{text}”, in either order"), text=" ".join(words)),
        [f"username sw {literal(text)}", f"name.formatted sw {literal(text)}", *_name_clauses(words[:_MAX_WORDS])],
    )


def _name_clauses(words: list[str]) -> list[str]:
    """Match given and family name in both orders, split at each word: both may have several words."""
    clauses = []
    for place in range(1, len(words)):
        first, last = literal(" ".join(words[:place])), literal(" ".join(words[place:]))
        clauses.append(f"(name.given sw {first} and name.family sw {last})")
        clauses.append(f"(name.given sw {last} and name.family sw {first})")
    return clauses


def _phone_clauses(text: str) -> list[str]:
    """Match each likely spelling: PingOne compares phone numbers as text.

    A number without spaces may also be the beginning of a username.
    """
    spellings = [text, *_phone_spellings(text)]
    clauses = [
        f"{attribute} eq {literal(spelling)}"
        for spelling in dict.fromkeys(spellings)
        for attribute in ("mobilePhone", "primaryPhone")
    ]
    return clauses if " " in text else [f"username sw {literal(text)}", *clauses]


def _phone_spellings(text: str) -> list[str]:
    digits = re.sub(r"\D", "", text)
    if text.startswith("+"):
        country_and_number = digits
    elif digits.startswith("00"):
        country_and_number = digits[2:]
    else:
        return [digits]
    code = _country_code_length(country_and_number)
    country, number = country_and_number[:code], country_and_number[code:].removeprefix("0")
    return [
        f"+{country}{number}",
        f"+{country}.{number}",  # as PingOne itself writes numbers
        f"+{country} {number}",
        f"00{country}{number}",
        f"{country}{number}",
        f"0{number}",
    ]


def _country_code_length(digits: str) -> int:
    """Source: ITU-T E.164: one digit for zones 1 and 7, two for the codes listed here, three for all others."""
    if digits[:1] in {"1", "7"}:
        return 1
    two_digits = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66"
    return 2 if digits[:2] in f"{two_digits} 81 82 84 86 90 91 92 93 94 95 98".split() else 3


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _check_balance(raw: str) -> None:
    """Require balanced quotation marks and brackets, so that the filter stays one condition of several."""
    open_brackets: list[str] = []
    quoted = escaped = False
    for character in raw:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "([":
            open_brackets.append(character)
        elif character in ")]" and (not open_brackets or open_brackets.pop() + character not in {"()", "[]"}):
            raise BadFilter(format_lazy(_("The opening bracket for “{bracket}” is missing."), bracket=character))
    if quoted:
        raise BadFilter(_("A closing quotation mark is missing."))
    if open_brackets:
        raise BadFilter(format_lazy(_("The closing bracket for “{bracket}” is missing."), bracket=open_brackets[-1]))
