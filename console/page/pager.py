"""The links below a list to its other pages, by pagination cursor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.paging import Page
from pingone_integration.texts import Text

PREVIOUS, NEXT = _("Previous"), _("Next")


@dataclass(frozen=True, kw_only=True)
class Pager:
    """The URLs from one page of a list to others, for templates/console/page/pager.html. Empty means no such page."""

    first: str = ""
    previous: str = ""
    next: str = ""
    previous_label: Text = PREVIOUS
    next_label: Text = NEXT


def pager_of(page: Page[Any] | None, cursor: str, url: Callable[[str], str]) -> Pager:
    """Return the pager of a PingOne list.

    `page` is None if it could not be read. `cursor` led to this page; empty means the first page. `url` returns the
    address of a cursor's page, for "" that of the first page.
    """
    return Pager(
        first=url("") if cursor else "",
        previous=url(page.previous_cursor) if page and page.previous_cursor else "",
        next=url(page.next_cursor) if page and page.next_cursor else "",
    )
