"""Tabler's stylesheet is reduced to what the pages use, and no page misses a rule."""

import re

import httpx
import pytest
import respx
from django.test import Client

from console.models import Operator
from tests.support.addresses import EVERY_ADDRESS
from tests.support.answers import error
from tests.support.everything import everything
from tests.support.people import ENVIRONMENT
from tests.support.stylesheet import SOURCE, TARGET, Used, reduced, used

CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def test_stylesheet_is_current() -> None:
    assert reduced(SOURCE.read_text(), used()) == TARGET.read_text(), "run `make stylesheet`"


def test_no_page_misses_a_rule_of_tabler(client: Client, org_admin: Operator) -> None:
    said = everything()

    def answered(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")
        return httpx.Response(200, json=said[path]) if path in said else httpx.Response(404, json=error("NOT_FOUND"))

    client.force_login(org_admin)
    shown: set[str] = set()
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=answered)
        for address in EVERY_ADDRESS:
            page = client.get(address.path)
            if page.headers.get("Content-Type", "").startswith("text/html"):
                shown.update(word for names in re.findall(r'class="([^"]*)"', page.text) for word in names.split())

    known, kept = (set(CLASS.findall(path.read_text())) for path in (SOURCE, TARGET))
    assert shown & known - kept == set()
    assert len(shown & known) > 40


SHEET = """/*! License */
:root{--used:1px;--unused:2px;--through:var(--inner);--inner:3px}
@keyframes spin{to{rotate:1turn}}@keyframes pulse{to{opacity:0}}
.btn,.carousel{margin:var(--used)}
.btn:not(.carousel){padding:var(--through)}
:is(.carousel,.modal) .btn{color:red}
:is(.carousel,.btn) p{animation:spin 1s}
[data-bs-theme=dark] .btn{color:#000}
[data-bs-toggle] .btn{color:#fff}
@media print{.carousel{color:red}}
@media print{.text-green,.text-carousel{color:green}}
#docs .btn{color:red}
"""


@pytest.mark.parametrize(
    ("kept", "is_kept"),
    [
        ("/*! License */", True),
        ("--used:1px", True),
        ("--unused", False),
        ("--inner:3px", True),
        ("@keyframes spin{", True),
        ("pulse", False),
        (".btn{margin", True),
        (".btn:not(.carousel){", True),
        (".modal", False),
        (":is(.carousel,.btn) p{", True),
        ("[data-bs-theme=dark] .btn{", True),
        ("data-bs-toggle", False),
        ("@media print{.text-green{color:green}}", True),
        ("text-carousel", False),
        ("#docs", False),
    ],
)
def test_what_is_kept_of_a_stylesheet(kept: str, is_kept: bool) -> None:
    pages = Used(classes={"btn", "green"}, beginnings={"text-"}, attributes={"data-bs-theme"})

    assert (kept in reduced(SHEET, pages)) is is_kept
