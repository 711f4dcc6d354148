"""Pages in the pseudo-locale: all text is translated, and everything that is stored stays English.

PingOne's data consists of digits here, so any English word on a page is a text that no translation reaches.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import translation
from django.utils.dateparse import parse_datetime

from console.actions.catalogue import Action
from console.models import AuditEntry, Operator, Organization
from console.plans.shipped_plans import shipped
from pingone_integration.models import Connection
from tests.support.addresses import OURS, Address
from tests.support.answers import ada, error, listing
from tests.support.asking import one_of_each_shape, page_of, typed_for
from tests.support.everything import everything
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.template_text import ShownText

ENGLISH = re.compile(r"\b[A-Za-z]{3,}\b")
# PingOne's names, protocols, and examples of code are the same in every language.
NAMES = {
    *("PingOne", "MFA", "CSV", "JSON", "SCIM", "UTC", "SAML", "GET", "PUT", "PATCH", "POST", "DELETE", "http", "https"),
    *("Identity Data Admin", "Client Secret Basic", "Client Secret Post", "users", "costCentre", "INC", "HEAD"),
    *("application/json", "limit=25&expand=population", "Europe/Stockholm"),
    'title eq "Analyst" and address.countryCode eq "SE"',
}
CODE = re.compile(r"https?://\S+|\{[a-z-]+\}|" + "|".join(rf"\b{re.escape(name)}(?!\w)" for name in NAMES))
# What a check found, as it is stored; and the mails to users, in one of their languages.
STORED = {"connection-checks", "recovery-previews"}
PLANS = {definition.name for definition in shipped().values()}  # names are data
PSEUDO = "en-xa"


def in_digits(value: Any, name: str = "") -> Any:
    """Return the JSON with every text replaced by digits, except IDs, times, links and PingOne's codes."""
    if isinstance(value, dict):
        return {key: item if key == "_links" else in_digits(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [in_digits(item, name) for item in value]
    if not isinstance(value, str) or name in {"id", "href"} or value.isupper() or parse_datetime(value):
        return value
    return "4711"


def answered(request: httpx.Request) -> httpx.Response:
    said, path = everything(), request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")
    if request.method == "GET" and path not in said:
        return httpx.Response(404, json=error("NOT_FOUND"))
    if "cursor" in request.url.params:
        return httpx.Response(200, json=in_digits(listing("users", ada())))
    return httpx.Response(200, json=in_digits(said[path] if request.method == "GET" else ada()))


@pytest.fixture(autouse=True)
def _pingone_in_digits() -> Iterator[None]:
    cache.clear()
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=answered)
        yield
    cache.clear()


@pytest.fixture
def client(org_admin: Operator, acme: Organization) -> Iterator[Client]:
    """Return an org admin's browser in the pseudo-locale. Organization and operator are called by digits."""
    Organization.objects.filter(pk=acme.pk).update(name="4711")
    Connection.objects.update(managed_environment_name="4711")
    Operator.objects.filter(pk=org_admin.pk).update(name="4711", email="4711@1.23")
    client = Client(headers={"accept-language": PSEUDO})  # for the pages in their reader's language
    client.force_login(org_admin)
    with translation.override(PSEUDO):
        yield client


def english_texts(page: str) -> set[str]:
    parser = ShownText()
    parser.feed(re.sub(r"<time.*?</time>|<(pre|textarea).*?</\1>", "", page, flags=re.DOTALL))
    parser.close()
    return {text.strip() for text in parser.texts if ENGLISH.search(CODE.sub("", text))} - PLANS


@pytest.mark.parametrize(
    "address", [address for address in OURS if address.name not in STORED], ids=lambda one: one.name
)
def test_page_is_translated(client: Client, address: Address) -> None:
    response = client.get(address.path)

    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert english_texts(response.text) == set()


ACCENTED = re.compile("[áçéğíñöŕšúýÁÇÉĞÍÑÖŔŠÚÝ]")
ANSWERS: dict[str, httpx.Response | Exception | None] = {
    "done": None,
    "refused": httpx.Response(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")),
    "invalid": httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "title")),
    "lost": httpx.ReadTimeout("too late"),
}


def stored() -> Iterator[str]:
    """Yield all rows of the database but sessions, whose notices are for the reader."""
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names(cursor)) - {"django_session"}:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            yield from (f"{table}: {row!r}" for row in cursor.fetchall())


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("action", one_of_each_shape(), ids=lambda action: action.key)
def test_action_is_stored_and_logged_in_english(
    client: Client, caplog: pytest.LogCaptureFixture, action: Action, answer: str
) -> None:
    caplog.set_level(logging.INFO, logger="console.audit")
    with respx.mock(assert_all_called=False) as router:
        if (given := ANSWERS[answer]) is not None:
            router.route(method__in=["POST", "PUT", "PATCH", "DELETE"], url__startswith=API_URL).mock(
                side_effect=[given]
            )
        router.route(url__startswith=API_URL).mock(side_effect=answered)

        client.post(page_of(action), {"submission": str(uuid4())} | typed_for(action) | {"username": "4711"})

    assert AuditEntry.objects.exists()
    assert [row for row in stored() if ACCENTED.search(row)] == []
    assert [record.getMessage() for record in caplog.records if ACCENTED.search(record.getMessage())] == []
    exported = client.get("/o/acme/audit/export/csv/").getvalue().decode()
    assert not ACCENTED.search(exported)
