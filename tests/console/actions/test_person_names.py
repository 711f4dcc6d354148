"""Names of people in the forms and on the command line: straightened to what PingOne can hold, and it is said."""

# ruff: noqa: RUF001 - apostrophes and dashes that look like each other

import html
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from console.models import Operator
from tests.support.answers import ADA, ada, error, listing

PERSIAN = "علی\u200cرضا"
SAID = "PingOne cannot hold “O’Shea” as a family name. It was saved as “O'Shea”."


@pytest.fixture
def directory(pingone: Any) -> Iterator[Any]:
    """Mock Ada and what the forms read. A write answers with the user as sent."""
    cache.clear()
    pingone._assert_all_called = False
    for path in ("schemas", "populations", "groups"):
        pingone.get(f"/{path}").respond(json=listing(path))
    stored = ada()

    def read(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=stored)

    def write(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if pingone.takes_no_joiners and "\u200c" in json.dumps(body, ensure_ascii=False):
            detail = error("INVALID_DATA", "INVALID_VALUE", "name.given")
            detail["details"][0]["message"] = r"Must match ^[\p{L}\p{M}\p{N}' .-]*$"
            return httpx.Response(400, json=detail)
        stored.update(body)
        return httpx.Response(201 if request.method == "POST" else 200, json=stored)

    pingone.takes_no_joiners = False
    pingone.get(f"/users/{ADA}").mock(side_effect=read)
    pingone.post("/users").mock(side_effect=write)
    pingone.patch(f"/users/{ADA}").mock(side_effect=write)
    pingone.stored = stored
    yield pingone
    cache.clear()


@pytest.fixture
def client(browser_of: Callable[..., Client], org_admin: Operator) -> Client:
    return browser_of(org_admin)


def create(client: Client, **fields: str) -> Any:
    form = {"username": "ada.berg", "submission": str(uuid4())} | fields
    return client.post("/o/acme/users/new/", form, follow=True)


def edit(client: Client, *, htmx: bool = False, **fields: str) -> Any:
    headers = {"HX-Request": "true", "HX-Target": "action"} if htmx else {}
    url = f"/o/acme/users/{ADA}/actions/user.update/"
    return client.post(url, {"submission": str(uuid4())} | fields, headers=headers, follow=True)


def test_new_user_s_family_name_is_straightened_and_it_is_said(client: Client, directory: Any) -> None:
    page = create(client, family_name="O’Shea", given_name="D’Arcy").text

    assert directory.stored["name"] == {"given": "D’Arcy", "family": "O'Shea"}  # PingOne can hold the given name
    assert SAID in html.unescape(page)


@pytest.mark.parametrize("htmx", [False, True])
def test_edited_family_name_is_straightened_and_it_is_said(client: Client, directory: Any, htmx: bool) -> None:
    page = edit(client, htmx=htmx, family_name="O’Shea").text

    assert directory.stored["name"]["family"] == "O'Shea"
    assert SAID in html.unescape(page)


@pytest.mark.parametrize("send", [create, edit])
def test_character_that_pingone_cannot_hold_is_named(client: Client, directory: Any, send: Any) -> None:
    page = html.unescape(send(client, family_name="Smith, Jr").text)

    assert "PingOne cannot hold “,” here. Use letters" in page
    assert "\\p{" not in page


def command(*options: str) -> str:
    output = io.StringIO()
    options = (*options, "--user", str(ADA), "--as", "admin@acme.test")
    call_command("pingone", "acme", "user.update", *options, stdout=output)
    return output.getvalue()


def test_command_straightens_names_and_says_so(org_admin: Operator, directory: Any) -> None:
    assert SAID in command("--family-name", "O’Shea")
    assert json.loads(command("--family-name", "O’Neil", "--json"))["notes"]
    assert directory.stored["name"]["family"] == "O'Neil"


def test_command_asks_about_the_formatted_name(org_admin: Operator, directory: Any) -> None:
    directory.stored["name"]["formatted"] = "Ada Berg"

    with pytest.raises(CommandError, match=r"--formatted-name: The formatted name is still “Ada Berg”\. Use “Ada Ek”"):
        command("--family-name", "Ek")
    command("--family-name", "Ek", "--formatted-name", "Ada Berg")
    assert directory.stored["name"] == {"given": "Ada", "family": "Ek", "formatted": "Ada Berg"}


@pytest.mark.parametrize("send", [create, edit])
def test_joiners_of_a_script_are_kept_where_pingone_takes_them(client: Client, directory: Any, send: Any) -> None:
    send(client, given_name=PERSIAN)

    assert directory.stored["name"]["given"] == PERSIAN


@pytest.mark.parametrize("send", [create, edit])
def test_joiners_of_a_script_are_left_out_where_pingone_refuses_them(client: Client, directory: Any, send: Any) -> None:
    directory.takes_no_joiners = True

    page = html.unescape(send(client, given_name=PERSIAN).text)

    assert directory.stored["name"]["given"] == PERSIAN.replace("\u200c", "")
    assert "PingOne cannot hold the invisible joiners in: given_name. They were left out." in page


@pytest.mark.parametrize("send", [create, edit])
def test_regular_expression_of_pingone_is_not_shown(client: Client, directory: Any, send: Any) -> None:
    refused = error("INVALID_DATA", "INVALID_VALUE", "name.given")
    refused["details"][0]["message"] = r"Must match ^[\p{L}\p{M}\p{N}' .-]*$"
    directory.post("/users").respond(400, json=refused)
    directory.patch(f"/users/{ADA}").respond(400, json=refused)

    page = html.unescape(send(client, given_name="x").text)

    assert "PingOne does not accept this value." in page
    assert "\\p{" not in page


def test_composed_and_decomposed_letters_are_one_spelling(client: Client, directory: Any) -> None:
    create(client, family_name="Lindstro\u0308m", given_name="Jose\u0301")

    assert directory.stored["name"] == {"given": "Jos\u00e9", "family": "Lindstr\u00f6m"}
