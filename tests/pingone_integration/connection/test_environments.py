"""The environments that the administrator who connected can see."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
import respx

from console.models import Organization
from pingone_integration.connection import environments
from pingone_integration.connection.environments import Environment
from pingone_integration.errors import InvalidApiUrl, NotFound, Unavailable
from tests.support.people import ADMINISTRATORS, API_URL, ENVIRONMENT


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=f"{API_URL}/v1") as router:
        yield router


def listed(*items: Any, cursor: str = "") -> dict[str, Any]:
    links = {"next": {"href": f"{API_URL}/v1/environments?cursor={cursor}"}} if cursor else {}
    return {"_links": links, "_embedded": {"environments": list(items)}}


def acme_production(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(ENVIRONMENT),
        "name": "Acme production",
        "type": "PRODUCTION",
        "region": "EU",
        "status": "ACTIVE",
    } | changes


def test_environment_is_read_with_the_name_of_its_region(acme: Organization, wire: respx.MockRouter) -> None:
    wire.get(f"/environments/{ENVIRONMENT}").respond(json=acme_production())

    assert environments.read(acme.connection, ENVIRONMENT) == Environment(
        id=ENVIRONMENT, name="Acme production", type="PRODUCTION", region="European Union", status="ACTIVE"
    )


def test_environments_of_all_pages_are_read(acme: Organization, wire: respx.MockRouter) -> None:
    wire.get("/environments", params={"limit": 100, "cursor": "second"}).respond(
        json=listed(acme_production(id=str(ADMINISTRATORS), name="Administrators"))
    )
    wire.get("/environments", params={"limit": 100}).respond(json=listed(acme_production(), cursor="second"))

    assert [one.name for one in environments.visible(acme.connection)] == ["Acme production", "Administrators"]


def test_list_with_a_stale_cursor_is_read_again_from_the_start(acme: Organization, wire: respx.MockRouter) -> None:
    first = httpx.Response(200, json=listed(acme_production(), cursor="second"))
    broken = httpx.Response(400, json={"code": "INVALID_REQUEST"})
    last = httpx.Response(200, json=listed(acme_production(id=str(ADMINISTRATORS))))
    wire.get("/environments").mock(side_effect=[first, broken, first, last])

    assert [one.id for one in environments.visible(acme.connection)] == [ENVIRONMENT, ADMINISTRATORS]


def test_endless_list_ends_after_the_most_pages(acme: Organization, wire: respx.MockRouter) -> None:
    cursors = (str(number) for number in count())
    answers = (httpx.Response(200, json=listed(acme_production(), cursor=cursor)) for cursor in cursors)
    route = wire.get("/environments").mock(side_effect=answers)

    environments.visible(acme.connection)

    assert route.call_count == environments.MOST_PAGES


def test_list_that_repeats_its_cursor_is_not_taken_for_complete(acme: Organization, wire: respx.MockRouter) -> None:
    wire.get("/environments").respond(json=listed(acme_production(), cursor="again"))

    with pytest.raises(Unavailable):
        environments.visible(acme.connection)


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({"name": None}, (str(ENVIRONMENT), "European Union")),
        ({"name": ["x"], "region": "MOON"}, (str(ENVIRONMENT), "MOON")),
        ({"name": "<b>\x00", "region": None, "type": 5}, ("<b>\ufffd", "")),
    ],
    ids=["nameless", "odd name", "hostile"],
)
def test_odd_environment_can_still_be_shown(
    acme: Organization, wire: respx.MockRouter, odd: dict[str, Any], expected: tuple[str, str]
) -> None:
    wire.get("/environments").respond(json=listed(acme_production(**odd), {"name": "no id"}, {"id": "no-uuid"}, 7))

    (one,) = environments.visible(acme.connection)

    assert (one.name, one.region) == expected


def test_missing_environment_is_not_found(acme: Organization, wire: respx.MockRouter) -> None:
    wire.get(f"/environments/{ENVIRONMENT}").respond(404, json={"code": "NOT_FOUND"})

    with pytest.raises(NotFound):
        environments.read(acme.connection, ENVIRONMENT)


def test_environment_without_an_id_is_refused(acme: Organization, wire: respx.MockRouter) -> None:
    wire.get(f"/environments/{ENVIRONMENT}").respond(json={})

    with pytest.raises(Unavailable):
        environments.read(acme.connection, ENVIRONMENT)


def test_chosen_environment_is_stored_with_its_name(acme: Organization) -> None:
    chosen = Environment(id=UUID(int=1), name="N" * 300, type="SANDBOX", region="", status="ACTIVE")

    environments.choose(acme.connection, chosen)

    acme.connection.refresh_from_db()
    assert acme.connection.managed_environment_id == UUID(int=1)
    assert acme.connection.managed_environment_name == "N" * 256


def test_unlisted_host_is_not_asked(acme: Organization, settings: Any, respx_mock: Any) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {}

    with pytest.raises(InvalidApiUrl):
        environments.visible(acme.connection)
