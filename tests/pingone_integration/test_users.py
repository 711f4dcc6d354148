from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingone_integration import groups, users
from pingone_integration.errors import InvalidValue, NotFound, Unavailable
from pingone_integration.users import user_of
from tests.support.answers import ADA, BO, ENGINEERS, STAFF, ada, bo, error, listing

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)


def user(**changes: Any) -> users.User:
    found = user_of(ada(**changes))
    assert found is not None
    return found


def test_user_is_read_with_the_name_of_the_population(api, pingone):
    pingone.get(f"/users/{ADA}", params={"expand": "population"}).respond(json=ada())

    found = users.get(api, ADA)

    assert (found.id, found.username, found.display_name) == (ADA, "ada.berg", "Ada Berg")
    assert (found.population_id, found.population_name) == (STAFF, "Staff")
    assert found.last_sign_on_at == datetime(2026, 11, 20, 6, 41, 12, 903000, tzinfo=UTC)
    assert found.last_sign_on_from == "203.0.113.24"
    assert (found.enabled, found.is_locked) == (True, False)


def test_missing_user_is_not_found(api, pingone):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    with pytest.raises(NotFound):
        users.get(api, ADA)


def test_answer_about_somebody_else_is_no_answer(api, pingone):
    """A cache between here and PingOne that mixes two answers up must not decide who is protected."""
    pingone.get(f"/users/{ADA}").respond(json=bo())
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(STAFF), "name": "Staff"})

    with pytest.raises(Unavailable):
        users.get(api, ADA)
    with pytest.raises(Unavailable):
        groups.get(api, ENGINEERS)


def test_search_reads_users_and_populations_in_a_single_call(api, pingone):
    call = pingone.get("/users").respond(json=listing("users", ada(), bo(), cursor="abc", count=1284))

    page = users.search(api, filter='username sw "a"', limit=50)

    assert dict(call.calls.last.request.url.params) == {
        "limit": "50",
        "expand": "population",
        "filter": 'username sw "a"',
    }
    assert [found.id for found in page.items] == [ADA, BO]
    assert (page.total, page.next_cursor is None) == (1284, False)


def test_search_without_a_filter_sends_none(api, pingone):
    call = pingone.get("/users").respond(json={"_links": {}})

    assert users.search(api).items == ()
    assert "filter" not in call.calls.last.request.url.params


def test_user_without_an_id_does_not_hide_the_others(api, pingone):
    pingone.get("/users").respond(json=listing("users", ada(id=7), ada(id=None), bo()))

    assert [found.username for found in users.search(api).items] == ["bo.ek"]


def test_filter_refused_by_pingone_is_an_invalid_value(api, pingone):
    pingone.get("/users").respond(400, json=error("INVALID_DATA", "INVALID_FILTER", "filter"))

    with pytest.raises(InvalidValue) as raised:
        users.search(api, filter="mfaEnabled eq true")
    assert raised.value.details[0].code == "INVALID_FILTER"


@pytest.mark.parametrize(
    "said",
    [{}, {"enabled": None, "account": None, "mfaEnabled": None, "lastSignOn": None}, {"account": {"status": "NEW"}}],
)
def test_members_missing_from_the_answer_are_unknown(said):
    found = user_of({"id": str(ADA), **said})

    assert found is not None
    assert (found.enabled, found.is_locked, found.mfa_enabled) == (None, None, None)
    assert found.has_signed_on is (None if "lastSignOn" in said else False)


def test_lock_with_a_time_shows_its_end():
    locked = user(account={"status": "LOCKED", "unlockAt": "2026-12-01T00:00:00Z", "secondsUntilUnlock": 90})

    assert (locked.unlock_at, locked.seconds_until_unlock) == (datetime(2026, 12, 1, tzinfo=UTC), 90)


def test_lock_until_the_end_of_the_calendar_has_no_end():
    assert user(account={"status": "LOCKED", "unlockAt": "9999-12-31T23:59:59.999Z"}).unlock_at is None


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"name": {"given": "Ada"}}, "Ada"),
        ({"name": {"given": "Ada", "family": "Berg", "formatted": "Dr. Ada Berg"}}, "Ada Berg"),
        ({"name": {"formatted": "Dr. Ada Berg"}}, "Dr. Ada Berg"),
        ({"name": {"given": " "}}, "ada.berg"),
        ({"name": None}, "ada.berg"),
        ({"name": ["Ada"], "username": None}, "ada.berg@acme.test"),
        ({"name": None, "username": None, "email": None}, str(ADA)),
    ],
)
def test_display_name_is_never_empty(changes, shown):
    assert user(**changes).display_name == shown


def test_attributes_unknown_to_pingone_are_custom():
    found = user(costCentre="4711", skills=["forklift", "first aid"], badge={"colour": "red"}, photo={"href": "x"})

    assert found.custom == {"costCentre": "4711", "skills": ["forklift", "first aid"], "badge": {"colour": "red"}}


def test_external_identity_provider_is_told_apart_from_pingone():
    assert not user().has_external_identity_provider
    assert user(identityProvider={"type": "SAML", "id": str(BO)}).has_external_identity_provider


def test_characters_that_no_page_can_hold_are_replaced():
    assert user(username="a\x00b\ud800c\x1bd\u202ee").username == "a\ufffdb\ufffdc\ufffdd\u202ee"


@given(st.dictionaries(st.sampled_from(sorted(ada() | {"photo": 1, "address": 1, "badge": 1})), json_values))
def test_user_is_readable_with_members_of_any_type(members):
    found = user_of({**members, "id": str(ADA)})

    assert found is not None
    assert found.display_name
    assert found.enabled in (True, False, None)
    str(found).encode()


@given(st.sampled_from(["account", "lastSignOn", "name", "address", "_embedded", "lifecycle"]), json_values)
def test_user_is_readable_with_parts_of_any_shape(part, value):
    shape = {"at": value, "status": value, "given": value, "streetAddress": value, "population": value}
    assert user_of({"id": str(ADA), part: shape}) is not None
