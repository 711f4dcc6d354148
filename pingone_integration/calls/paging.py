"""Pages of a PingOne list: parsed items and an opaque pagination cursor."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from pingone_integration.errors import StaleCursor, Unavailable

MOST_PAGES = 5_000  # of one list
_ENVELOPE = {"_links", "size", "count"}
MOST_EMPTY_PAGES = 10  # in a row: PingOne may filter a page after it was read, but not many of them

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. Its opaque cursors are valid only with the access token that read it."""

    items: tuple[T, ...]
    next_cursor: str | None  # None on the last page
    previous_cursor: str | None
    total: int | None  # of the whole result; None if it is too large for PingOne to count
    is_whole: bool = True  # False: no list at all, or some of its items cannot be read


def pages_of(
    read: Callable[[str | None], Page[T]], *, first: Page[T] | None = None, whole: bool = False
) -> Iterator[Page[T]]:
    """Yield every page of a list. `read` returns the page of a cursor (None: the first page), `first` is read already.

    Ends at the last page. Raises Unavailable for a list that does not end: a cursor that was given before, too many
    empty pages in a row, or too many pages; and if it has to be `whole`, for one that is not. Raises as `read`.
    """
    met: set[str] = set()
    page, empty = first or read(None), 0
    for _ in range(MOST_PAGES):
        if whole and not page.is_whole:
            raise Unavailable("not the whole list", outcome_known=True)
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
    items = items_of(body, collection, parse)
    return Page(
        items=items,
        next_cursor=_cursor(links.get("next"), token_version),
        previous_cursor=_cursor(links.get("prev"), token_version),
        total=count if isinstance(count, int) else None,
        is_whole=_is_list(body, collection) and len(items) == len(_object(body.get("_embedded")).get(collection) or ()),
    )


def items_of(body: dict[str, Any], collection: str, parse: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
    """Return the items of a list; `_embedded` may be missing if nothing matches.

    Leaves out items for which `parse` returns None: one unreadable item does not hide the others.
    """
    listed = _object(body.get("_embedded")).get(collection)
    parsed = [parse(item) for item in (listed if isinstance(listed, list) else ()) if isinstance(item, dict)]
    return tuple(item for item in parsed if item is not None)


def has_items(body: dict[str, Any], *collections: str) -> bool:
    """Return whether a list has items, under one of these names. Only an answer that shows an empty list has none.

    Raises Unavailable for an answer that is no list, as something in between PingOne and here may give.
    """
    embedded = _object(body.get("_embedded"))
    if any(embedded.get(name) for name in collections):
        return True
    is_longer = body.get("size") or body.get("count") or "next" in _object(body.get("_links"))
    if is_longer or not _is_list(body, *collections):
        raise Unavailable("not an empty list", outcome_known=True)
    return False


def all_items_of(body: dict[str, Any], *collections: str, parse: Callable[[dict[str, Any]], T | None]) -> tuple[T, ...]:
    """Return the items of a list where nothing may be missing.

    Raises Unavailable for an answer that is no list, for an item that cannot be read, and for a list that goes on.
    """
    if not has_items(body, *collections):
        return ()
    embedded = _object(body.get("_embedded"))
    listed = [item for name in collections for item in (embedded.get(name) or ())]
    items = tuple(item for name in collections for item in items_of(body, name, parse))
    if len(items) < len(listed) or "next" in _object(body.get("_links")):
        raise Unavailable("not the whole list", outcome_known=True)
    return items


def pingone_cursor(cursor: str, *, token_version: int) -> str:
    """Return PingOne's cursor inside ours. Raises StaleCursor if it came with another access token."""
    version, _, inner = cursor.partition(".")
    if version != str(token_version) or not inner:
        raise StaleCursor("the access token was renewed since")
    return inner


def _is_list(body: dict[str, Any], *collections: str) -> bool:
    """Return whether it is PingOne's list envelope, in which `_embedded` may be missing if nothing matches."""
    embedded = _object(body.get("_embedded"))
    return any(isinstance(embedded.get(name), list) for name in collections) or not body.keys().isdisjoint(_ENVELOPE)


def _cursor(link: Any, token_version: int) -> str | None:
    """Return the cursor of a link, or None. The link's URL itself is never called."""
    href = _object(link).get("href")
    values = parse_qs(urlsplit(str(href)).query).get("cursor") if href else None
    return f"{token_version}.{values[0]}" if values else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
