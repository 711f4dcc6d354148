from typing import Any
from uuid import uuid4

import pytest
import respx

from console.models import Organization
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, items_of
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import InvalidValue, StaleCursor
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
    "body",
    [
        {},
        {"_embedded": None, "_links": None},
        {"_embedded": []},
        {"_embedded": {"users": None}},
        {"_embedded": {"users": {"name": "Ada"}}, "_links": {"next": "https://x.test/?cursor=a"}},
        {"_links": {"next": {"href": 5}}, "count": "many"},
    ],
)
def test_odd_list_envelope_is_an_empty_page(api: PingOneApi, pingone: respx.MockRouter, body: dict) -> None:
    pingone.get("/users").respond(json=body)

    assert first_page(api) == Page((), None, None, None)


def test_unreadable_item_does_not_hide_the_others() -> None:
    body = {"_embedded": {"users": [{"name": "Ada"}, {"id": 1}, "Bo", {"name": "Cy"}]}}

    assert items_of(body, "users", name_of) == ("Ada", "Cy")
