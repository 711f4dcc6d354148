"""Searching and reading users at the sandbox, which parses filters and pages lists."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from pingone_integration import devices, groups, passwords, populations, sessions, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import InvalidValue, NotFound, StaleCursor
from pingone_integration.models import Connection
from pingone_integration.user_search import Criteria, filter_of
from pingone_integration.users import User
from tests.support.sandbox_server import Sandbox


@pytest.fixture
def api(connection: Connection, sandbox: Sandbox) -> PingOneApi:
    connection.managed_environment_id = UUID(sandbox.details["managed_environment_id"])
    connection.save()
    return open_api(connection)


@pytest.fixture
def tag() -> str:
    """Return a tag for all data of a test, so that the test's searches match nothing else."""
    return f"t{uuid4().hex[:8]}"


def create(api: PingOneApi, **profile: Any) -> UUID:
    population = next(population for population in populations.all_of(api) if population.is_default)
    return UUID(api.post("/users", {"population": {"id": str(population.id)}, **profile})["id"])


@pytest.fixture
def mara(api: PingOneApi, tag: str) -> User:
    """Create a user with a unique name, address and phone number."""
    return users.get(
        api,
        create(
            api,
            username=f"{tag}.mara",
            email=f"{tag}.mara@acme.test",
            name={"given": "Mara", "family": f"{tag}lind"},
            mobilePhone=f"+46.70{int(tag[1:7], 16):08d}",
            title='Head of "R\\D"',
        ),
    )


def found(api: PingOneApi, **criteria: Any) -> list[UUID]:
    return [user.id for user in users.search(api, filter=filter_of(Criteria(**criteria))).items]


def test_user_matches_every_way_of_naming_them(api, mara, tag):
    national = "0" + mara.mobile_phone.removeprefix("+46.")
    international = mara.mobile_phone.replace(".", " ")
    for text in (tag, mara.email, f"Mara <{mara.email}>", f"mara {tag}li", f"{tag.upper()}LIND, Mara", international):
        assert found(api, text=text) == [mara.id], text
    assert found(api, text=national) == []  # the number is stored with its country code
    assert found(api, text=national, countries=("SE",)) == [mara.id]
    assert found(api, text=f"{tag} nobody") == []


def test_middle_name_is_searched_in_either_order(api, tag):
    created = create(
        api, username=f"{tag}.elin", name={"given": "Mara", "middle": "Elin", "family": f"{tag}lind"}, nickname="Mi"
    )

    for text in ("Mara Elin {}lind", "{}lind, Mara Elin", "Mara {}lind", "Mara Elin {}LIND"):
        assert found(api, text=text.format(tag)) == [created], text
    assert found(api, text=f"Mara Xaver {tag}lind") == []


def test_raw_filter_keeps_its_quotes_and_backslashes(api, mara):
    assert mara.id in found(api, raw_filter='title eq "Head of \\"R\\\\D\\""')


@pytest.mark.parametrize(
    "text", ['"', "\\", '") or (username sw "', "O'Neil", "مريم", "%", "_", "*", "a" * 200, "(" * 90]
)
def test_search_text_never_makes_a_filter_that_pingone_refuses(api, text):
    users.search(api, filter=filter_of(Criteria(text=text, enabled=True)))


def test_filters_narrow_the_search(api, mara, tag):
    group_id = UUID(api.post("/groups", {"name": f"{tag} engineers"})["id"])
    api.post(f"/users/{mara.id}/memberOfGroups", {"id": str(group_id)})

    assert found(api, text=tag, population_id=mara.population_id, group_id=group_id, enabled=True) == [mara.id]
    assert found(api, text=tag, population_id=uuid4()) == []
    assert found(api, text=tag, group_id=uuid4()) == []
    assert found(api, text=tag, enabled=False) == []


def test_list_is_read_to_its_last_page(api, tag):
    created = {create(api, username=f"{tag}.{number}") for number in range(5)}
    seen: list[UUID] = []
    cursor = None
    for _ in range(9):
        page = users.search(api, filter=f'username sw "{tag}"', limit=2, cursor=cursor)
        seen += [user.id for user in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert cursor is None
    assert len(seen) == 5
    assert set(seen) == created


def test_unknown_cursor_is_stale(api):
    version = Connection.objects.get().token_version
    with pytest.raises(StaleCursor):
        users.search(api, limit=2, cursor=f"{version}.made-up")


def test_attribute_that_cannot_be_searched_is_an_invalid_filter(api):
    with pytest.raises(InvalidValue) as raised:
        users.search(api, filter="mfaEnabled eq true")
    assert raised.value.details[0].code == "INVALID_FILTER"


def test_user_is_read_with_all_details_of_the_page(api, mara, tag):
    group_id = UUID(api.post("/groups", {"name": f"{tag} readers", "description": "They read"})["id"])
    api.post(f"/users/{mara.id}/memberOfGroups", {"id": str(group_id)})

    shown = users.get(api, mara.id)
    (membership,) = groups.memberships(api, mara.id).items

    assert shown.population_name
    assert shown.created_at is not None
    assert (membership.group_id, membership.name, membership.description) == (group_id, f"{tag} readers", "They read")
    assert membership.is_direct
    assert devices.all_of(api, mara.id) == ()
    assert sessions.all_of(api, mara.id) == ()
    assert passwords.state(api, mara.id).status == "NO_PASSWORD"


def test_listed_user_has_the_details_of_a_single_read_and_the_password_status(api, mara, tag):
    (listed,) = users.search(api, filter=f'username sw "{tag}"').items

    assert listed.password_status == "NO_PASSWORD"
    assert replace(listed, password_status="", group_ids=frozenset()) == users.get(api, mara.id)


def test_groups_are_searched_by_name(api, tag):
    api.post("/groups", {"name": f"{tag} engineers"})

    assert [group.name for group in groups.search(api, f"{tag} engineers").items] == [f"{tag} engineers"]


def test_missing_user_is_not_found(api):
    with pytest.raises(NotFound):
        users.get(api, uuid4())
