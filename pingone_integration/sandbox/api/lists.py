"""The envelope of a list, and pages of short lists. The list of users is different: see search/."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet

from pingone_integration.sandbox import cursors
from pingone_integration.sandbox.api.endpoint import Call

MAXIMUM = 1000

T = TypeVar("T", bound=Model)


def envelope(call: Call, collection: str, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Wrap items in `_links`, `_embedded` and `size`. Keyword arguments become further members."""
    links = {"self": {"href": call.base_url + call.request.get_full_path()}}
    return {"_links": links, "_embedded": {collection: items}, **more, "size": len(items)}


def link_to(call: Call, cursor: str, **searched: str | int) -> dict[str, str]:
    """Return a link to the same list with another cursor. `searched`: what a search by POST sent in its body."""
    query = {**call.request.GET.dict(), **searched, "cursor": cursor}
    return {"href": f"{call.base_url}{call.request.path}?{urlencode(query)}"}


def listing_of(call: Call) -> str:
    """Return the list a cursor belongs to: the path and all parameters except cursor and limit."""
    query = sorted((key, value) for key, value in call.request.GET.items() if key not in {"cursor", "limit"})
    return f"{call.request.path}?{urlencode(query)}"


def page(
    call: Call,
    collection: str,
    rows: QuerySet[T],
    render: Callable[[T], dict[str, Any]],
    *,
    order: str,
    default: int = 100,
) -> dict[str, Any]:
    """Return one page of a short list, sorted by `order` and then by id."""
    listing, limit = listing_of(call), call.limit(default=default, maximum=MAXIMUM)
    start = 0
    if call.query.get("cursor"):
        start = int(cursors.unseal(call.query["cursor"], call.caller.token_id, listing))
    found = list(rows.order_by(order, "pk")[start : start + limit + 1])
    body = envelope(call, collection, [render(row) for row in found[:limit]], count=rows.count())
    if len(found) > limit:
        body["_links"]["next"] = link_to(call, cursors.seal(call.caller.token_id, listing, start + limit))
    if start:
        before = max(start - limit, 0)
        body["_links"]["prev"] = link_to(call, cursors.seal(call.caller.token_id, listing, before))
    return body
