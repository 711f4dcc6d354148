"""A row of a list as it was read: what readers of files and selections yield, and what becomes the row of a job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from pingone_integration.texts import Text


class Clear(Enum):
    """The value of a field that is to become empty, written as `[clear]`. An empty cell changes nothing."""

    CLEAR = "[clear]"


CLEAR = Clear.CLEAR


class KeyKind(StrEnum):
    """What the keys of a list are."""

    ID = "id"
    USERNAME = "username"
    EMAIL = "email"
    EXTERNAL_ID = "external_id"


@dataclass(frozen=True, kw_only=True)
class ListedRow:
    """One row of a list. `values` has only the fields that the row says something about."""

    number: int  # of the line in the file, or from 1
    key: str  # as typed; empty for a user who is to be created
    values: Mapping[str, str | Clear] = field(default_factory=dict)  # by our names of profile fields, and inputs
    username: str = ""  # beside an ID, to find many users with one call; of a new user, to name a row that is unusable
    problem: Text | None = None  # why the row cannot be used; it is shown as invalid
