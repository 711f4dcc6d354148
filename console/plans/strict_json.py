"""JSON of a plan as it comes from outside, whatever it says: not nested deeply, each key once, no hidden character."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, NoReturn

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text
from pingone_integration.typed.text import named

LONGEST = 400_000  # characters: the longest plan, indented, with the names of all that it is about
DEEPEST = 5  # levels; a plan has four

_JOINERS = "\u200c\u200d"  # some scripts need them to spell words
_BREAKS = "\n\r\t"


class NotStrict(ValueError):
    """The text is no JSON, or JSON that no plan is written in."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def parsed(text: str) -> Any:
    """Return the value of the JSON. Raises NotStrict."""
    if len(text) > LONGEST:
        raise NotStrict(_("This is too long for a plan."))
    try:
        said = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_each_key_once, parse_constant=_no_number)
    except NotStrict:
        raise
    except json.JSONDecodeError as error:
        told = _("This is not valid JSON: see line {line}, column {column}.")
        raise NotStrict(format_lazy(told, line=error.lineno, column=error.colno)) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        raise NotStrict(_("This is not valid JSON.")) from None
    if any(depth > DEEPEST for depth, _value in _walk(said)):
        raise NotStrict(_("This is nested too deeply for a plan."))
    return said


def hidden_character(said: Any) -> Text:
    """Return a sentence on the first character in the texts that nobody sees, or that turns the text around; or ""."""
    for _depth, value in _walk(said):
        for character in value if isinstance(value, str) else "":
            if _is_hidden(character):
                return format_lazy(_("A text has {character}."), character=named(character))
    return ""


def _is_hidden(character: str) -> bool:
    if character in _BREAKS or character in _JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _walk(said: Any) -> Iterator[tuple[int, Any]]:
    """Yield every value and key, with its depth. The stack is a list, which no nesting fills."""
    stack = [(1, said)]
    while stack:
        depth, value = stack.pop()
        yield depth, value
        if isinstance(value, dict):
            stack += [(depth + 1, one) for pair in value.items() for one in pair]
        elif isinstance(value, list):
            stack += [(depth + 1, one) for one in value]


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _value in pairs]
    twice = next(key for key in keys if keys.count(key) > 1)
    raise NotStrict(format_lazy(_("The JSON has the key {key} twice in one object."), key=repr(twice[:60])))


def _no_number(name: str) -> NoReturn:
    raise NotStrict(format_lazy(_("{name} is not valid JSON."), name=name))
