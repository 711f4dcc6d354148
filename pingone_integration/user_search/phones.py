"""Phone numbers: the spellings in which PingOne may hold a number. It compares them as text.

The numbering plans are those of Google's libphonenumber (phonenumbers).
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from pingone_integration.user_search.conditions import either, starts_with

_LABEL = re.compile(r"[a-z]+[.:] ?", re.IGNORECASE)  # "Tel.", and the scheme of a link: "tel:"
_BARE = re.compile(r"\+?[\d ().\-/]+")
_WITH_EXTENSION = re.compile(r"(?P<number>\+?[\d ().\-/]+?) ?(?:[,;#]+|[,;]?[a-z]+)[.:= ]*\d{1,7}#?", re.IGNORECASE)
_WITH_CONTEXT = re.compile(r"[\d().\-]+;phone-context=\+\d{1,3}", re.IGNORECASE)  # a link to a national number
_FEWEST_DIGITS = 5  # or, after a plus sign, 3: somebody is still typing
_CLEARLY_A_NUMBER = 7  # digits; fewer are more likely an employee's number


def phone_number_in(text: str) -> str:
    """Return the phone number without label and extension, "" if there is none. The text is cleaned before."""
    bare = unquote(_LABEL.sub("", text, count=1)) if _LABEL.match(text) else text
    if _WITH_CONTEXT.fullmatch(bare):
        return _international(phonenumbers.parse(f"tel:{bare}"))
    extended = _WITH_EXTENSION.fullmatch(bare)
    number = extended["number"].strip() if extended else bare
    fewest = 3 if number.startswith("+") else _FEWEST_DIGITS
    return number if _digits_in(number) >= fewest and _BARE.fullmatch(number) else ""


def is_country(code: str) -> bool:
    """Return whether this is the ISO 3166 code of a country with a numbering plan."""
    return code in phonenumbers.SUPPORTED_REGIONS


def needs_country(number: str) -> bool:
    """Return whether a number is national, so that only its country tells how else it is written."""
    return not number.startswith(("+", "00")) and _digits_in(number) >= _CLEARLY_A_NUMBER


def phone_conditions(number: str, countries: Iterable[str], *, formatted: bool) -> str:
    """Return the condition of a user with this number, or a number that it begins.

    `countries` (ISO 3166 codes) are those of a national number. `formatted` adds the spellings with spaces and dashes.
    """
    spellings = [number, *_spellings(number, countries, formatted=formatted)]
    return either(starts_with(attribute, spellings) for attribute in ("mobilePhone", "primaryPhone"))


def spellings_of(number: str, countries: Iterable[str]) -> Iterator[str]:
    """Yield the ways to write this whole number, none for "". `countries` are those of a national number."""
    if number:
        yield from _spellings(number, countries, formatted=True)


def _spellings(number: str, countries: Iterable[str], *, formatted: bool) -> Iterator[str]:
    digits = "".join(str(int(character)) for character in number if character.isdecimal())
    yield digits
    for parsed, country in _parsed(number, digits, countries):
        code, national = parsed.country_code, phonenumbers.national_significant_number(parsed)
        trunk = phonenumbers.ndd_prefix_for_region(country, True) or ""
        if trunk == "0" and not phonenumbers.is_valid_number(parsed):
            national = national.removeprefix(trunk)  # of a number typed in part
        yield f"+{code}.{national}"  # as PingOne itself writes numbers
        yield f"+{code}{national}"
        yield f"{trunk}{national}"
        if formatted:
            yield f"+{code} {national}"
            yield f"00{code}{national}"
            yield f"{code}{national}"
        if formatted and phonenumbers.is_valid_number(parsed):
            parsed.extension = None
            yield phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
            yield phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)


def _parsed(number: str, digits: str, countries: Iterable[str]) -> Iterator[tuple[PhoneNumber, str]]:
    """Yield the readings of a number, each with its country."""
    readings: list[tuple[str, str | None]]
    if number.startswith("+"):
        readings = [(number, None)]
    elif digits.startswith("00"):
        readings = [(f"+{digits[2:]}", None)]
    else:
        readings = [(f"+{digits}", None), *((number, country) for country in countries)]
    for text, country in readings:
        try:
            parsed = phonenumbers.parse(text, country)
        except NumberParseException:
            continue
        if text == number or digits.startswith("00") or phonenumbers.is_valid_number(parsed):
            yield parsed, country or phonenumbers.region_code_for_country_code(parsed.country_code or 0)


def _international(parsed: PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _digits_in(text: str) -> int:
    return sum(character.isdecimal() for character in text)
