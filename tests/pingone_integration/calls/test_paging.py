from itertools import chain, repeat
from typing import Any
from uuid import uuid4

import pytest
import respx

from console.models import Organization
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import MOST_EMPTY_PAGES, Page, items_of, pages_of
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import InvalidValue, StaleCursor, Unavailable
from pingone_integration.models import Connection


@pytest.fixture
def api(acme: Organization) -> PingOneApi:
    return open_api(acme.connection, transaction_id=uuid4())


def name_of(item: dict[str, Any]) -> str | None:
    return item.get("name")


def listing(*names: str, cursor: str | None = None) -> dict[str, Any]:
    links = {"next": {"href": f"https://elsewhere.test/users?limit=2&cursor={cursor}"}} if cursor else {}
    return {"_links": links, "_embedded": {"users": [{"name": name} for name in names]}, "count": 3}


def first_page(api: PingOneApi, **more: Any) -> Page[str]:
    return api.get_page("/users", "users", name_of, query={"limit": 2}, **more)


def test_page_leads_to_the_next_page(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users", params={"limit": 2, "cursor": "abc/+="}).respond(json=listing("Cy"))
    pingone.get("/users", params={"limit": 2}).respond(json=listing("Ada", "Bo", cursor="abc%2F%2B%3D"))

    page = first_page(api)
    last = first_page(api, cursor=page.next_cursor)

    assert (page.items, page.total) == (("Ada", "Bo"), 3)
    assert (last.items, last.next_cursor) == (("Cy",), None)


def test_cursor_of_an_earlier_access_token_restarts_the_list_without_a_call(
    api: PingOneApi, acme: Organization, pingone: respx.MockRouter
) -> None:
    pingone.get("/users").respond(json=listing("Ada", "Bo", cursor="abc"))
    page = first_page(api)
    Connection.objects.update(token_version=7)
    acme.connection.refresh_from_db()

    with pytest.raises(StaleCursor):
        first_page(open_api(acme.connection), cursor=page.next_cursor)

    assert pingone.calls.call_count == 1


@pytest.mark.parametrize("cursor", ["abc", "0.", "1.abc", ".", "0"])
def test_unknown_cursor_restarts_the_list(api: PingOneApi, cursor: str, respx_mock: respx.MockRouter) -> None:
    with pytest.raises(StaleCursor):
        first_page(api, cursor=cursor)


def test_cursor_answered_with_400_restarts_the_list(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users").respond(400, json={"code": "INVALID_REQUEST", "id": "e1"})

    with pytest.raises(StaleCursor) as caught:
        first_page(api, cursor="0.abc")

    assert caught.value.trace.error_id == "e1"


def test_first_page_answered_with_400_has_an_invalid_query(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users").respond(400, json={"code": "INVALID_DATA", "details": [{"code": "INVALID_FILTER"}]})

    with pytest.raises(InvalidValue):
        first_page(api)


@pytest.mark.parametrize(
    ("body", "is_whole"),
    [
        ({}, False),
        ({"_embedded": None, "_links": None}, True),
        ({"_embedded": []}, False),
        ({"_embedded": {"users": None}}, False),
        ({"_embedded": {"users": {"name": "Ada"}}, "_links": {"next": "https://x.test/?cursor=a"}}, False),
        ({"_links": {"next": {"href": 5}}, "count": "many"}, True),
    ],
)
def test_odd_list_envelope_is_an_empty_page(
    api: PingOneApi, pingone: respx.MockRouter, body: dict, is_whole: bool
) -> None:
    pingone.get("/users").respond(json=body)

    assert first_page(api) == Page((), None, None, None, is_whole=is_whole)


def test_unreadable_item_does_not_hide_the_others() -> None:
    body = {"_embedded": {"users": [{"name": "Ada"}, {"id": 1}, "Bo", {"name": "Cy"}]}}

    assert items_of(body, "users", name_of) == ("Ada", "Cy")


def page(*items: str, cursor: str | None) -> Page[str]:
    return Page(items=items, next_cursor=cursor, previous_cursor=None, total=None)


def read_all(*pages: Page[str], forever: Page[str] | None = None) -> tuple[list[str], int]:
    """Return the items of a list with these pages, the last one repeated `forever`, and how many pages were read."""
    asked: list[str | None] = []
    answers = chain(pages, repeat(forever)) if forever else iter(pages)

    def read(cursor: str | None) -> Page[str]:
        asked.append(cursor)
        assert len(asked) < 100
        return next(answers)

    return [item for found in pages_of(read) for item in found.items], len(asked)


def test_crawl_reads_every_page_once() -> None:
    assert read_all(page("Ada", cursor="a"), page(cursor="b"), page("Bo", cursor=None)) == (["Ada", "Bo"], 3)


@pytest.mark.parametrize(
    "pages",
    [
        (page("Ada", cursor="a"), page("Bo", cursor="a")),  # the same cursor again
        (page(cursor="a"), page(cursor="a")),
        (page("Ada", cursor="a"), page("Bo", cursor="b"), page("Cy", cursor="a")),  # a circle
    ],
)
def test_crawl_ends_at_a_repeated_cursor(pages: tuple[Page[str], ...]) -> None:
    with pytest.raises(Unavailable):
        read_all(*pages, forever=pages[-1])


def test_crawl_ends_after_many_empty_pages() -> None:
    empty = [page(cursor=str(number)) for number in range(90)]

    with pytest.raises(Unavailable):
        read_all(*empty)

    assert read_all(*empty[:MOST_EMPTY_PAGES], page("Ada", cursor=None))[0] == ["Ada"]


def test_crawl_ends_after_the_most_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingone_integration.calls.paging.MOST_PAGES", 3)

    with pytest.raises(Unavailable):
        read_all(*(page("Ada", cursor=str(number)) for number in range(4)))
