"""One of several actions that run one after the other on a user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from pingone_integration.texts import Text

_FAILED = _("{action} failed for {user}.")
_UNSURE = _("We do not know whether this happened for {user}: {action}.")


@dataclass(frozen=True, kw_only=True)
class Step:
    """An action, its inputs, and the objects in its sentences by the names that the operator chose them by."""

    action: Action
    inputs: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)  # for instance the group's

    def told(self, user: Text) -> Text:
        return self._sentence(self.action.told, user)

    def already(self, user: Text) -> Text:
        return self._sentence(self.action.already, user)

    def failed(self, user: Text) -> Text:
        return self._sentence(self.action.failed or _FAILED, user)

    def unsure(self, user: Text) -> Text:
        return self._sentence(self.action.unsure or _UNSURE, user)

    def _sentence(self, text: Text, user: Text) -> Text:
        return format_lazy(cast("str", text), user=user, action=self.action.name, **self.names)
