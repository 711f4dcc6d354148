"""The links below a list to its other pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pingone_integration.calls.paging import Page


@dataclass(frozen=True, kw_only=True)
class Pager:
    """Where a list leads from one of its pages, for templates/console/page/pager.html. Empty: nowhere."""

    first: str = ""
    previous: str = ""
    next: str = ""
    previous_label: str = "Previous"
    next_label: str = "Next"


def pager_of(page: Page[Any] | None, cursor: str, url: Callable[[str], str]) -> Pager:
    """Return the pager of a PingOne list.

    `page` None: it could not be read. `cursor` led to this page; empty: it is the first. `url` takes a cursor to the
    address of its page, "" to that of the first.
    """
    return Pager(
        first=url("") if cursor else "",
        previous=url(page.previous_cursor) if page and page.previous_cursor else "",
        next=url(page.next_cursor) if page and page.next_cursor else "",
    )
