"""Writing a profile: only changes are sent, and PingOne's answer is compared with them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pingone_integration import profiles, schemas
from pingone_integration.errors import ChangedMeanwhile, Duplicate, InvalidValue, NotFound, Unavailable
from tests.support.answers import ADA, STAFF, ada, error, listing

SCHEMA = "5c000000-0000-4000-8000-000000000001"


def body_of(wire) -> Any:
    return json.loads(wire.calls.last.request.content)


def test_profile_update_sends_only_changes_and_clears_empty_attributes(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada(title=None, nickname="Addie"))

    written = profiles.update(api, ADA, changes={"title": "", "nickname": "Addie"})

    assert body_of(wire) == {"title": None, "nickname": "Addie"}
    assert (written.user.nickname, written.not_taken) == ("Addie", ())


def test_name_is_sent_whole_when_a_part_of_it_changes(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(name={"given": "Ada", "family": "Berg", "honorificPrefix": "Dr"}))
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada(name={"given": "Ada", "family": "Holm"}))

    profiles.update(api, ADA, changes={"family_name": "Holm"})

    assert body_of(wire) == {"name": {"given": "Ada", "family": "Holm", "honorificPrefix": "Dr"}}


def test_address_is_cleared_with_its_last_part(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(address={"locality": "Lund"}))
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada())

    profiles.update(api, ADA, changes={"locality": ""})

    assert body_of(wire) == {"address": None}


def test_profile_is_not_written_if_the_user_changed_since_it_was_read(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    with pytest.raises(ChangedMeanwhile):
        profiles.update(api, ADA, changes={"title": "Chief"}, seen_at=datetime(2026, 11, 1, tzinfo=UTC))


def test_profile_is_written_if_the_user_did_not_change_since_it_was_read(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.patch(f"/users/{ADA}").respond(json=ada(title="Chief"))

    profiles.update(api, ADA, changes={"title": "Chief"}, seen_at=datetime(2026, 11, 20, 6, 41, 12, 950000, tzinfo=UTC))


def test_attributes_that_pingone_did_not_take_are_named(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.patch(f"/users/{ADA}").respond(json=ada(email="ADA@acme.test"))

    changes = {"costCenter": "42", "title": "", "email": "ada@acme.test"}

    assert profiles.update(api, ADA, changes=changes).not_taken == ("costCenter", "title")


def test_user_is_created_with_the_filled_in_attributes(api, pingone):
    wire = pingone.post("/users").respond(201, json=ada(photo={"href": "https://acme.test/ada.png"}))

    written = profiles.create(
        api,
        profile={"username": "ada.berg", "given_name": "Ada", "title": "", "photo_url": "https://acme.test/ada.png"},
        population_id=STAFF,
    )

    assert body_of(wire) == {
        "username": "ada.berg",
        "name": {"given": "Ada"},
        "photo": {"href": "https://acme.test/ada.png"},
        "population": {"id": str(STAFF)},
    }
    assert (written.user.id, written.not_taken) == (ADA, ())


def test_taken_username_is_a_duplicate(api, pingone):
    pingone.post("/users").respond(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username"))

    with pytest.raises(Duplicate):
        profiles.create(api, profile={"username": "ada.berg"})


def test_invalid_value_names_its_attribute(api, pingone):
    pingone.post("/users").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "name.given"))

    with pytest.raises(InvalidValue) as raised:
        profiles.create(api, profile={"username": "ada.berg", "given_name": "\x01"})

    assert [profiles.name_of(detail.target) for detail in raised.value.details] == ["given_name"]


def test_unreadable_answer_to_a_write_leaves_the_outcome_unknown(api, pingone):
    pingone.post("/users").respond(201, json={"username": "ada.berg"})

    with pytest.raises(Unavailable) as raised:
        profiles.create(api, profile={"username": "ada.berg"})

    assert not raised.value.outcome_known


def test_profile_is_read_under_the_names_it_is_written_with(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(costCenter="42", address={"locality": "Lund"}))

    profile = profiles.read(api, ADA)

    assert (profile["given_name"], profile["locality"], profile["nickname"]) == ("Ada", "Lund", "")
    assert profile["costCenter"] == "42"


def test_custom_attribute_may_be_named_like_a_part_of_the_address(api, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(region="North", address={"region": "Skåne"}))
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada(region="South", address={"region": "Skåne"}))

    read = profiles.read(api, ADA)
    written = profiles.update(api, ADA, changes={"custom.region": "South"})

    assert (read["region"], read["custom.region"]) == ("Skåne", "North")
    assert body_of(wire) == {"region": "South"}
    assert written.not_taken == ()


def test_user_schema_lists_the_attributes(api, pingone):
    pingone.get("/schemas").respond(
        json=listing("schemas", {"id": str(STAFF), "name": "Device"}, {"id": SCHEMA, "name": "User"})
    )
    pingone.get(f"/schemas/{SCHEMA}/attributes").respond(
        json=listing(
            "attributes",
            {"name": "username", "type": "STRING", "schemaType": "CORE", "required": True},
            {
                "name": "costCenter",
                "displayName": "Cost center",
                "type": "STRING",
                "schemaType": "CUSTOM",
                "enabled": False,
                "multiValued": True,
                "enumeratedValues": [{"value": "42"}, {"value": "41", "archived": True}],
                "regexValidation": {"pattern": "[0-9]+", "requirements": "Digits only"},
            },
            {"type": "STRING"},
        )
    )

    username, cost_center = schemas.user_attributes(api)

    assert (username.display_name, username.required, username.is_custom) == ("username", True, False)
    assert (cost_center.enabled, cost_center.multi_valued, cost_center.allowed_values) == (False, True, ("42",))
    assert (cost_center.pattern, cost_center.pattern_in_words) == ("[0-9]+", "Digits only")


def test_user_schema_missing_from_the_environment_is_not_found(api, pingone):
    pingone.get("/schemas").respond(json={})

    with pytest.raises(NotFound):
        schemas.user_attributes(api)
