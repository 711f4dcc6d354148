"""Why a file cannot be used as a list."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text


class BadList(Exception):
    """The file cannot be used, as a whole. The message is for the person who uploaded it."""

    def __init__(self, told: Text, *, line: int | None = None) -> None:
        self.line = line  # in the file, from 1; None: it is about the whole file
        self.told = format_lazy(_("Line {line}: {told}"), line=line, told=told) if line else told
        super().__init__(self.told)
