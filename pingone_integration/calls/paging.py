"""Pages of a PingOne list: parsed items and an opaque pagination cursor."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from pingone_integration.errors import StaleCursor, Unavailable

MOST_PAGES = 5_000  # of one list
MOST_EMPTY_PAGES = 10  # in a row: PingOne may filter a page after it was read, but not many of them

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. Its opaque cursors are valid only with the access token that read it."""

    items: tuple[T, ...]
    next_cursor: str | None  # None on the last page
    previous_cursor: str | None
    total: int | None  # of the whole result; None if it is too large for PingOne to count


def pages_of(read: Callable[[str | None], Page[T]], *, first: Page[T] | None = None) -> Iterator[Page[T]]:
    """Yield every page of a list. `read` returns the page of a cursor (None: the first page), `first` is read already.

    Ends at the last page. Raises Unavailable for a list that does not end: a cursor that was given before, too many
    empty pages in a row, or too many pages. Raises as `read`.
    """
    met: set[str] = set()
    page, empty = first or read(None), 0
    for _ in range(MOST_PAGES):
        yield page
        if page.next_cursor is None:
            return
        empty = 0 if page.items else empty + 1
        if page.next_cursor in met or empty > MOST_EMPTY_PAGES:
            break
        met.add(page.next_cursor)
        page = read(page.next_cursor)
    raise Unavailable("a list that does not end", outcome_known=True)


def page_of(
    body: dict[str, Any], collection: str, parse: Callable[[dict[str, Any]], T | None], *, token_version: int
) -> Page[T]:
    """Parse PingOne's list envelope."""
    links = _object(body.get("_links"))
    count = body.get("count")
    return Page(
        items=items_of(body, collection, parse),
        next_cursor=_cursor(links.get("next"), token_version),
        previous_cursor=_cursor(links.get("prev"), token_version),
        total=count if isinstance(count, int) else None,
    )


def items_of(body: dict[str, Any], collection: str, parse: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
    """Return the items of a list; `_embedded` may be missing if nothing matches.

    Leaves out items for which `parse` returns None: one unreadable item does not hide the others.
    """
    listed = _object(body.get("_embedded")).get(collection)
    parsed = [parse(item) for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict)]
    return tuple(item for item in parsed if item is not None)


def pingone_cursor(cursor: str, *, token_version: int) -> str:
    """Return PingOne's cursor inside ours. Raises StaleCursor if it came with another access token."""
    version, _, inner = cursor.partition(".")
    if version != str(token_version) or not inner:
        raise StaleCursor("the access token was renewed since")
    return inner


def _cursor(link: Any, token_version: int) -> str | None:
    """Return the cursor of a link, or None. The link's URL itself is never called."""
    href = _object(link).get("href")
    values = parse_qs(urlsplit(str(href)).query).get("cursor") if href else None
    return f"{token_version}.{values[0]}" if values else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
