"""Pages of a PingOne list: items of ours and the opaque cursor that leads on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. The cursors are good only with the access token that they came with."""

    items: tuple[T, ...]
    next_cursor: str | None  # None: the last page
    previous_cursor: str | None
    total: int | None  # of the whole result; None: PingOne does not count large ones


def page_of(body: dict[str, Any], collection: str, parse: Callable[[dict[str, Any]], T]) -> Page[T]:
    """From PingOne's list envelope; `_embedded` may be missing when nothing matches."""
    embedded = body.get("_embedded") or {}
    links = body.get("_links") or {}
    count = body.get("count")
    return Page(
        items=tuple(parse(item) for item in embedded.get(collection) or ()),
        next_cursor=_cursor(links.get("next")),
        previous_cursor=_cursor(links.get("prev")),
        total=count if isinstance(count, int) else None,
    )


def _cursor(link: Any) -> str | None:
    """Only the cursor is taken from the link: the address itself is never called."""
    href = link.get("href") if isinstance(link, dict) else None
    values = parse_qs(urlsplit(str(href)).query).get("cursor") if href else None
    return values[0] if values else None
