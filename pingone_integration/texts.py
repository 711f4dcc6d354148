"""Texts for people. They are translated when they are shown, and stored and logged in English."""

from typing import TypeAlias

from django.utils import translation
from django.utils.functional import Promise

Text: TypeAlias = str | Promise  # as gettext_lazy, ngettext_lazy and format_lazy return it


def english(text: Text) -> str:
    """Return the text in English: for the audit log, stored rows, exports, commands and logs."""
    with translation.override("en"):
        return str(text)
