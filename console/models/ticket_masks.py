"""Ticket masks: # stands for a digit, @ for a letter, and every other character for itself: INC#####.

An organization may have several, separated by commas. A mask matches a whole ticket; digits and letters are ASCII.
"""

from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

LONGEST = 200  # characters of all masks together
MOST = 10
_DIGITS = "1234567890"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def matches(masks: str, ticket: str) -> bool:
    """Return whether the whole ticket matches one of the masks."""
    return any(_matches(mask, ticket) for mask in _each(masks))


def validate_ticket_masks(masks: str) -> None:
    """Raise ValidationError, with the reason, for masks that no ticket could have been meant by."""
    if "\\" in masks:
        raise ValidationError(_("Leave out the backslash. Use # for a digit and @ for a letter, as in INC#####."))
    each = _each(masks)
    if len(each) > MOST:
        raise ValidationError(format_lazy(_("Use at most {most} patterns."), most=MOST))
    for mask in each:
        if not {"#", "@"} & set(mask):
            told = _("Use # for a digit or @ for a letter in {mask}, as in INC#####.")
            raise ValidationError(format_lazy(told, mask=mask))


def example_of(masks: str) -> str:
    """Return a ticket that matches the first mask, for example INC12345 for INC#####; "" without a mask."""
    digits = letters = 0
    shown = ""
    for character in next(iter(_each(masks)), ""):
        if character == "#":
            shown += _DIGITS[digits % len(_DIGITS)]
            digits += 1
        elif character == "@":
            shown += _LETTERS[letters % len(_LETTERS)]
            letters += 1
        else:
            shown += character
    return shown


def _each(masks: str) -> list[str]:
    return [mask for part in masks.split(",") if (mask := part.strip())]


def _matches(mask: str, ticket: str) -> bool:
    return len(mask) == len(ticket) and all(map(_stands_for, mask, ticket))


def _stands_for(character: str, typed: str) -> bool:
    if character == "#":
        return typed.isascii() and typed.isdigit()
    if character == "@":
        return typed.isascii() and typed.isalpha()
    return character == typed
