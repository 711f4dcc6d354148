"""The template of a list: a file with the headings that an action understands, to fill in."""

from collections.abc import Iterable, Iterator

from console.actions.action import Action
from console.jobs.files.columns import meanings_of
from console.jobs.listed import KeyKind
from console.page.csv_export import csv_lines
from pingone_integration.schemas import Attribute
from pingone_integration.texts import english

_OTHER_KEYS = frozenset({KeyKind.ID, KeyKind.EXTERNAL_ID, KeyKind.EMAIL})


def template_lines(action: Action, attributes: Iterable[Attribute] = ()) -> Iterator[str]:
    """Yield the lines of the template: users by username, and a column for each value that the action may write.

    It has no example: somebody would start a job with it.
    """
    meanings = meanings_of(action, tuple(attributes))
    written = {meaning.name for meaning in meanings if meaning.is_written}
    named = [one for one in meanings if one.name in written or one.name not in _OTHER_KEYS]
    yield from csv_lines([english(meaning.label) for meaning in named], [])
