"""A template in words, for the list."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from console.actions.profile_forms import ProfileForm
from console.models import UserTemplate
from pingone_integration.texts import Text


@dataclass(frozen=True)
class Card:
    saved: UserTemplate
    protected: Collection[UUID]  # groups that only an org admin gives

    @property
    def groups(self) -> list[tuple[str, bool]]:
        """Return the names of the groups, each with whether it is protected."""
        return [(one["name"], UUID(one["id"]) in self.protected) for one in self.saved.groups]

    @property
    def fields(self) -> list[tuple[Text, str]]:
        return [(label_of(name), in_words(value)) for name, value in self.saved.fields.items()]


def label_of(name: str) -> Text:
    """Return the label of a field by its name in the form. A custom attribute is its own label."""
    field = ProfileForm.base_fields.get(name)
    return field.label or name if field else name.removeprefix("custom.")


def in_words(value: object) -> str:
    """Return a value as PingOne has it, or as it was typed: several in a list, or one on each line."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value if isinstance(value, list) else str(value).splitlines()))
