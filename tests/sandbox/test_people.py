"""The invented organization: a person for each state, and names that break pages."""

import sqlite3
import subprocess
import sys
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.demo.stories import STORIES
from pingone_integration.user_search import Criteria, filter_of
from pingone_integration.users import user_of
from tests.support.sandbox_people import usernames
from tests.support.sandbox_server import ROOT, Sandbox
from tests.support.user_filters import matches

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"


def read(api: httpx.Client, sandbox: Sandbox, username: str) -> dict:
    return dict(api.get(f"users/{sandbox.details['users'][username]}").raise_for_status().json())


def test_mara_has_all_details(rosa: httpx.Client):
    mara = rosa.get(f"users/{MARA}", params={"include": "memberOfGroupNames", "expand": "population"}).json()

    assert mara["username"] == "mara.lind"
    assert mara["account"] == {"canAuthenticate": True, "status": "OK"}
    assert mara["lifecycle"] == {"status": "ACCOUNT_OK"}
    assert mara["identityProvider"] == {"type": "PING_ONE"}
    assert (mara["enabled"], mara["mfaEnabled"], mara["emailVerified"]) == (True, True, True)
    assert mara["lastSignOn"] == {"at": "2026-11-20T06:41:12.903Z", "remoteIp": "203.0.113.24"}
    assert mara["skills"] == ["SQL", "First aid"]
    assert mara["_embedded"]["population"]["name"] == "Staff"
    assert {"Field engineers", "Engineering", "VPN"} <= set(mara["memberOfGroupNames"])
    assert set(mara["_links"]) >= {"self", "password", "account.sendVerificationCode"}


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("leo.locked", {"account": {"canAuthenticate": False, "status": "LOCKED"}, "enabled": True}),
        ("lara.lockedout", {"account": {"canAuthenticate": False, "status": "LOCKED"}}),
        ("dora.disabled", {"account": {"canAuthenticate": False, "status": "OK"}, "enabled": False}),
        ("vera.verify", {"lifecycle": {"status": "VERIFICATION_REQUIRED"}}),
    ],
)
def test_account_state_is_shown_in_the_user(rosa: httpx.Client, sandbox: Sandbox, username: str, expected: dict):
    user = read(rosa, sandbox, username)

    expected = {key: value | user[key] if isinstance(value, dict) else value for key, value in expected.items()}
    assert {key: user[key] for key in expected} == expected


def test_lock_shows_an_end_only_if_it_has_an_end(rosa: httpx.Client, sandbox: Sandbox):
    until = read(rosa, sandbox, "leo.locked")["account"]
    for_good = read(rosa, sandbox, "lara.lockedout")["account"]

    assert until["unlockAt"] == "2031-01-01T00:00:00.000Z"
    assert until["secondsUntilUnlock"] > 100_000_000
    assert not {"unlockAt", "lockedAt", "secondsUntilUnlock"} & set(for_good)


@pytest.mark.parametrize(
    ("username", "status"),
    [
        ("mara.lind", "OK"),
        ("nora.never", "NO_PASSWORD"),
        ("paul.password", "PASSWORD_LOCKED_OUT"),
        ("mike.mustchange", "MUST_CHANGE_PASSWORD"),
        ("eva.expired", "PASSWORD_EXPIRED"),
        ("emil.external", "EXTERNAL"),
    ],
)
def test_password_states_each_have_a_person(rosa: httpx.Client, sandbox: Sandbox, username: str, status: str):
    password = rosa.get(f"users/{sandbox.details['users'][username]}/password").json()

    assert password["status"] == status
    assert ("lastChangedAt" in password) == (status not in {"NO_PASSWORD", "EXTERNAL"})
    assert ("secondsUntilUnlock" in password) == (status == "PASSWORD_LOCKED_OUT")


def test_absent_values_are_left_out(rosa: httpx.Client, sandbox: Sandbox):
    never, noname, nomail = (read(rosa, sandbox, one) for one in ("nora.never", "noname", "noah.nomail"))

    assert "lastSignOn" not in never
    assert "name" not in noname
    assert "email" not in nomail
    assert None not in [*never.values(), *noname.values(), *nomail.values()]


def test_disabled_attribute_is_not_shown(rosa: httpx.Client, sandbox: Sandbox):
    archie = read(rosa, sandbox, "archie.archived")

    assert archie["employmentType"] == "trainee"
    assert "faxNumber" not in archie


def test_people_of_the_demos_stories_are_no_administrators(rosa: httpx.Client, sandbox: Sandbox):
    for story in STORIES:
        user = rosa.get(
            f"users/{sandbox.details['users'][story.username]}", params={"include": "memberOfGroupNames"}
        ).json()

        assert "Service desk" not in user.get("memberOfGroupNames", [])


def test_hostile_text_is_returned_unchanged(rosa: httpx.Client):
    people = rosa.get("users", params={"filter": 'email sw "hostile"', "limit": 200}).json()["_embedded"]["users"]
    givens = {person["name"]["given"] for person in people}

    assert {"<script>alert('name')</script>", "{{ 7*7 }}", "=cmd|' /C calc'!A0", "   "} <= givens
    assert {"\x1b[31mred\x1b[0m\x1b]0;title\x07", "two\r\nlines", "\u202eevil\u202c gpj.exe"} <= givens


def test_people_are_as_many_as_requested(rosa: httpx.Client):
    body = rosa.get("users", params={"limit": 1}).json()

    assert body["count"] >= 200
    assert body["size"] == 1


def test_second_environment_has_people_of_its_own(sandbox: Sandbox):
    rows = sandbox.sql("SELECT environment_id, count(*) AS people FROM sandbox_user GROUP BY environment_id")

    assert len(rows) == 3
    assert all(row["people"] >= 2 for row in rows)


def test_first_page_is_in_a_fixed_order(rosa: httpx.Client):
    names = usernames(rosa.get("users", params={"limit": 50}))

    assert names == sorted(names, key=str.lower)


def test_first_page_has_25_different_people_whose_names_every_machine_can_show(rosa: httpx.Client):
    listed = rosa.get("users", params={"limit": 100}).json()["_embedded"]["users"]
    people = [person for person in listed if person.get("externalId", "").startswith("hr-")][:25]  # not another test's

    givens, families = ({person["name"][part] for person in people} for part in ("given", "family"))
    assert len(givens) == len(families) == 25
    assert all(
        letter.isalpha() and "LATIN" in unicodedata.name(letter) and ord(letter) < 0x180
        for name in givens | families
        for letter in name
    )


FILL = """
import sys
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
from pingone_integration.sandbox.management.commands import sandbox
from pingone_integration.sandbox.seed import people
people.MANY = 1000  # so that a thousand are filled in as otherwise twenty thousand are
sandbox.Command._serve = lambda *_: None
call_command("sandbox", database=Path(sys.argv[1]), users=1000)
"""


def test_big_sandbox_has_the_same_people_and_every_index(sandbox: Sandbox, tmp_path: Path):
    """In a big sandbox, indexes are built after the people are inserted."""
    indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
    invented = (
        "SELECT id, profile, enabled, locked, population_id FROM sandbox_user WHERE external_id_key LIKE 'hr-100%'"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "pingone_integration.sandbox.settings"}
    command = [sys.executable, "-c", FILL, str(tmp_path / "big.sqlite3")]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)

    with closing(sqlite3.connect(tmp_path / "big.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row

        def big(statement: str) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(statement)]

        assert big(indexes) == sandbox.sql(indexes)
        assert big("SELECT count(*) AS people FROM sandbox_user")[0]["people"] > 1000
        few, many = ({row["id"]: row for row in rows} for rows in (sandbox.sql(invented), big(invented)))
    assert len(few) > 100
    assert {user_id: many[user_id] for user_id in few} == few


def test_everybody_who_is_listed_is_found_by_the_name_shown(rosa: httpx.Client):
    bodies = rosa.get("users", params={"limit": 1000}).raise_for_status().json()["_embedded"]["users"]
    names = {user.display_name: body for body in bodies if (user := user_of(body))}
    legible = {name: body for name, body in names.items() if "\ufffd" not in name}  # in place of control characters
    assert len(names) - 2 <= len(legible) > 100
    for name, body in legible.items():
        condition = filter_of(Criteria(text=name))
        assert matches(condition, body), name
    assert body["username"] in usernames(rosa.get("users", params={"filter": condition}))
