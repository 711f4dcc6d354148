"""The details of a user (groups, devices, password state, sessions), and the populations and groups to filter by."""

import httpx
import pytest

from pingone_integration import devices, groups, passwords, populations, sessions
from tests.support.answers import ADA, BO, ENGINEERS, STAFF, Json, error, listing

NAME = "Field engineers"


def test_memberships_say_whether_they_are_direct(api, pingone):
    direct = {"id": str(ENGINEERS), "name": NAME, "type": "DIRECT"}
    indirect = {
        "id": str(BO),
        "type": "INDIRECT",
        "_embedded": {"group": {"name": "All of Lund", "description": "By city", "userFilter": 'title eq "x"'}},
    }
    call = pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships", direct, indirect))

    found = groups.memberships(api, ADA).items

    assert call.calls.last.request.url.params["expand"] == "group"
    assert [(membership.group_id, membership.name, membership.is_direct) for membership in found] == [
        (ENGINEERS, NAME, True),
        (BO, "All of Lund", False),
    ]
    assert (found[1].description, found[1].user_filter) == ("By city", 'title eq "x"')


def test_groups_are_searched_by_the_beginning_of_their_name(api, pingone):
    call = pingone.get("/groups").respond(
        json=listing("groups", {"id": str(ENGINEERS), "name": NAME, "directMemberCounts": {"users": 41}})
    )

    (found,) = groups.search(api, 'Fie"ld').items

    assert call.calls.last.request.url.params["filter"] == 'name sw "Fie\\"ld"'
    assert (found.id, found.name, found.direct_members) == (ENGINEERS, NAME, 41)


def test_groups_are_searched_by_the_whole_name_if_pingone_refuses_beginnings(api, pingone):
    pingone.get("/groups", params={"filter": f'name sw "{NAME}"'}).respond(
        400, json=error("INVALID_DATA", "INVALID_FILTER", "filter")
    )
    pingone.get("/groups", params={"filter": f'name eq "{NAME}"'}).respond(
        json=listing("groups", {"id": str(ENGINEERS), "name": NAME})
    )

    assert [group.name for group in groups.search(api, NAME).items] == [NAME]


def test_group_is_read_by_id(api, pingone):
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": NAME})

    assert groups.get(api, ENGINEERS).name == NAME


def test_devices_keep_the_order_of_pingone_and_show_their_state(api, pingone):
    answers: list[Json] = [
        {"id": str(ADA), "type": "EMAIL", "status": "ACTIVE", "email": "ada@acme.test", "nickname": "Work"},
        {"id": str(BO), "type": "SMS", "status": "ACTIVATION_REQUIRED", "phone": "+46701234567"},
        {"id": str(STAFF), "type": "MOBILE", "status": "ACTIVE", "model": {"name": "iPhone"}},
        {"id": str(ENGINEERS), "type": "NEW_THING", "lock": {"status": "LOCKED"}, "block": {"status": "BLOCKED"}},
        {"type": "TOTP"},
    ]
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", *answers))

    email, sms, mobile, new = devices.all_of(api, ADA)

    assert (email.kind, email.nickname, email.target, email.is_active) == ("Email", "Work", "ada@acme.test", True)
    assert (sms.kind, sms.target, sms.is_active) == ("Text message", "+46701234567", False)
    assert (mobile.kind, mobile.target) == ("PingID mobile app", "iPhone")
    assert (new.kind, new.is_locked, new.is_blocked) == ("New thing", True, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("OK", "The password works."),
        ("PASSWORD_LOCKED_OUT", "Locked after too many wrong passwords."),
        ("NO_PASSWORD", "They have no password."),
        ("SOMETHING_NEW", "PingOne reports the status SOMETHING_NEW."),
        (None, "PingOne does not say whether the password works."),
    ],
)
def test_password_state_is_put_in_words(api, pingone, status, words):
    pingone.get(f"/users/{ADA}/password").respond(json={"status": status, "secondsUntilUnlock": "soon"})

    found = passwords.state(api, ADA)

    assert found.in_words == words
    assert found.is_usable == (status == "OK")
    assert found.seconds_until_unlock is None


def test_session_shows_place_and_client(api, pingone):
    answer = {
        "id": str(BO),
        "createdAt": "2026-11-20T06:41:10.680Z",
        "locations": [
            {"at": "2026-11-20T06:41:10Z", "remoteIp": "203.0.113.24", "city": "lund", "country": "sweden"},
            {"at": "2026-11-21T06:41:10Z", "remoteIp": "203.0.113.25", "city": "malmö"},
            "nowhere",
        ],
        "browser": {"name": "Firefox", "version": "145"},
        "operatingSystem": {"name": "Linux"},
    }
    pingone.get(f"/users/{ADA}/sessions").respond(json=listing("sessions", answer))

    (found,) = sessions.all_of(api, ADA)

    assert (found.client, found.remote_ip, found.place) == ("Firefox 145 on Linux", "203.0.113.25", "Malmö")


def test_session_without_details_is_listed(api, pingone):
    pingone.get(f"/users/{ADA}/sessions").respond(json=listing("sessions", {"id": str(BO), "locations": 7}))

    (found,) = sessions.all_of(api, ADA)

    assert (found.client, found.remote_ip, found.place, found.active_at) == ("", "", "", None)


def test_populations_are_read_to_the_last_page_and_sorted_by_name(api, pingone):
    def answer(request: httpx.Request) -> httpx.Response:
        second = "cursor" in request.url.params
        population = {"id": str(STAFF), "name": "Partners"} if second else {"id": str(BO), "name": "staff"}
        return httpx.Response(200, json=listing("populations", population, cursor="" if second else "abc"))

    pingone.get("/populations").mock(side_effect=answer)

    assert [population.name for population in populations.all_of(api)] == ["Partners", "staff"]
