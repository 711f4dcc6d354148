"""A plan as a file: its JSON, with the names of the groups and populations that it is about.

The names are for people: where an ID does not exist, they say what is meant. An import takes nothing else from them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.utils.translation import gettext_lazy as _

from console.plans.definition import Definition, InvalidPlan, Problem
from console.plans.strict_json import LONGEST, NotStrict, hidden_character, parsed
from pingone_integration.texts import Text
from pingone_integration.values import identifier

MOST_BYTES = 4 * LONGEST
_NAMES = "names"
_LONGEST_NAME = 500

_EMPTY = _("Choose a file, or paste a plan.")
_NOT_UTF8 = _("This is not a text in UTF-8.")
_TOO_LONG = _("This is too long for a plan.")


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """What a file says, not examined yet. `names`: by ID."""

    said: Any
    names: Mapping[str, str]


def written(definition: Definition, names: Mapping[UUID, str]) -> str:
    """Return the file of a plan."""
    said = definition.as_json()
    if names:
        said[_NAMES] = {str(one): name for one, name in sorted(names.items())}
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def read_file(content: bytes | str) -> PlanFile:
    """Read a file, or a pasted text. Raises InvalidPlan for what no plan can be in."""
    if not content.strip():
        raise _invalid(_EMPTY)
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        said = parsed(text)
    except UnicodeDecodeError:
        raise _invalid(_NOT_UTF8) from None
    except NotStrict as refusal:
        raise _invalid(refusal.reason) from None
    names = said.pop(_NAMES, {}) if isinstance(said, dict) else {}
    return PlanFile(said=said, names=_usable(names))


def _usable(names: Any) -> dict[str, str]:
    if not isinstance(names, dict):
        return {}
    return {
        str(known): name
        for one, name in names.items()
        if (known := identifier(one)) and isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME
        if not hidden_character(name)
    }


class PlanUpload(FileUploadHandler):
    """The upload handler of the page that takes a plan. The page checks the operator first, and then sets it."""

    def __init__(self) -> None:
        super().__init__()
        self.content: bytes | None = None

    def new_file(self, *args: Any, **options: Any) -> None:
        if self.content is not None or not args[1]:
            raise SkipFile  # one file is a plan
        self.content = b""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.content = (self.content or b"") + raw_data
        if len(self.content) > MOST_BYTES:
            raise StopUpload(connection_reset=False)

    def file_complete(self, file_size: int) -> None:
        return None

    def result(self) -> bytes | None:
        """Return the file, or None if none was sent. Raises InvalidPlan for one that is too large."""
        if self.content and len(self.content) > MOST_BYTES:
            raise _invalid(_TOO_LONG)
        return self.content


def _invalid(reason: Text) -> InvalidPlan:
    return InvalidPlan([Problem(step=None, reason=reason)])
