"""Every URL of the console has a door, and no door opens for strangers, or for members without the right."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import respx
from django.conf import settings
from django.test import Client

from console.access import ROLE_PERMISSIONS, Permission
from console.models import Membership, Operator, Organization
from tests.support.addresses import ALLAUTH, EVERY_ADDRESS, FOR_OPERATORS, OURS, Address
from tests.support.people import make_operator

OF_AN_ORGANIZATION = [address for address in OURS if address.door.startswith("org:")]
OF_AN_OPERATOR = [address for address in OURS if address.door == "operator"]
PAGES = [*OF_AN_ORGANIZATION, *OF_AN_OPERATOR, *(address for address in EVERY_ADDRESS if address.name in ALLAUTH)]
FORBIDDEN = [
    pytest.param(address, role, id=f"{role}-{address.path}")
    for address in OF_AN_ORGANIZATION
    for role, rights in ROLE_PERMISSIONS.items()
    if Permission(address.door.removeprefix("org:")) not in rights
]

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def walk(chosen: list[Address]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("address", chosen, ids=lambda address: address.path)


@pytest.fixture
def silent_pingone() -> Iterator[respx.MockRouter]:
    """Answers everything with 404: a page may call, and nothing leaves this machine."""
    with respx.mock(assert_all_called=False) as router:
        router.route().respond(404, json={"id": "1", "code": "NOT_FOUND", "message": "none"})
        yield router


def test_the_walk_finds_the_pages() -> None:
    assert {"home", "organization", "users", "user", "connection", "connect-callback"} <= {a.name for a in OURS}


def test_every_address_has_a_door_or_is_allauths_with_a_reason() -> None:
    assert [address.path for address in OURS if not address.door] == []
    assert set(ALLAUTH) <= {address.name for address in EVERY_ADDRESS}


def test_a_public_door_gives_its_reason() -> None:
    public = [address.door for address in OURS if address.door.startswith("public")]

    assert public
    assert all(len(door.removeprefix("public:")) > 10 for door in public)


@walk([*OF_AN_ORGANIZATION, *OF_AN_OPERATOR])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_signed_in_is_asked_to_sign_in(client: Client, address: Address, method: str) -> None:
    response = getattr(client, method)(address.path)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/")


@walk([address for address in EVERY_ADDRESS if ALLAUTH.get(address.name) == FOR_OPERATORS])
def test_allauths_own_pages_ask_for_a_sign_in(client: Client, address: Address) -> None:
    response = client.get(address.path)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@walk([address for address in EVERY_ADDRESS if ALLAUTH.get(address.name) == "closed by a URL before it"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_makes_no_sense_here_is_closed(client: Client, address: Address, method: str) -> None:
    assert getattr(client, method)(address.path).status_code == 404


@walk([*OF_AN_ORGANIZATION, *(address for address in OF_AN_OPERATOR if address.name != "connect-callback")])
def test_during_an_htmx_request_the_whole_page_goes_to_the_sign_in(client: Client, address: Address) -> None:
    around = "http://testserver/o/acme/users/?q=ada&page=2"

    response = client.get(address.path, headers={"HX-Request": "true", "HX-Current-URL": around})

    assert response.content == b""
    assert response["HX-Redirect"] == "/accounts/login/?next=/o/acme/users/%3Fq%3Dada%26page%3D2"


@pytest.mark.parametrize(
    "claimed",
    [
        "https://evil.test/o/acme/",
        "//evil.test/",
        "javascript:alert(1)",
        "http://testserver@evil.test/",
        "",
        "http://[",
    ],
)
def test_a_page_elsewhere_is_not_come_back_to(client: Client, claimed: str) -> None:
    response = client.get("/o/acme/users/", headers={"HX-Request": "true", "HX-Current-URL": claimed})

    assert response["HX-Redirect"] == "/accounts/login/?next=/"


@walk(OF_AN_ORGANIZATION)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_stranger_finds_nothing(
    browser_of: Callable[[Operator], Client], acme: Organization, stranger: Operator, address: Address, method: str
) -> None:
    browser = browser_of(stranger)

    response = getattr(browser, method)(address.path)

    assert response.status_code == 404
    assert b"Acme" not in response.content
    assert b"@acme.test" not in response.content


@walk(OF_AN_ORGANIZATION)
def test_what_exists_and_what_does_not_look_the_same_to_a_stranger(
    browser_of: Callable[[Operator], Client], acme: Organization, stranger: Operator, address: Address
) -> None:
    browser = browser_of(stranger)

    def seen(path: str) -> str:
        html = browser.get(path).content.decode().replace(path, "")
        return re.sub(r'(name="csrfmiddlewaretoken" value|"X-CSRFToken":) ?=?"[^"]*"', "", html)

    assert seen(address.path) == seen(address.path.replace("/acme/", "/nobody/"))


@pytest.mark.parametrize(("address", "role"), FORBIDDEN)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_without_the_right_is_refused(
    browser_of: Callable[[Operator], Client], acme: Organization, address: Address, role: str, method: str
) -> None:
    browser = browser_of(make_operator("member@acme.test", acme, role))

    assert getattr(browser, method)(address.path).status_code == 403


def test_a_right_that_is_taken_away_is_gone_at_once(
    browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    browser = browser_of(org_admin)
    assert browser.get("/o/acme/settings/connection/").status_code == 200

    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.AUDITOR)
    assert browser.get("/o/acme/settings/connection/").status_code == 403

    Membership.objects.filter(operator=org_admin).delete()
    assert browser.get("/o/acme/").status_code == 404

    org_admin.is_active = False
    org_admin.save()
    assert browser.get("/").status_code == 302


@walk(PAGES)
def test_each_page_is_private_and_runs_nothing_that_is_not_ours(
    browser_of: Callable[[Operator], Client], org_admin: Operator, silent_pingone: respx.MockRouter, address: Address
) -> None:
    response = browser_of(org_admin).get(address.path)

    assert response.status_code < 500 or "data-failure" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert "HX-Request" in response["Vary"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-" not in policy
    assert inline(response.content.decode()) == []


def test_no_template_holds_inline_script_or_style() -> None:
    templates = list(Path(settings.BASE_DIR, "templates").rglob("*.html"))

    assert len(templates) > 20
    assert {file.name: found for file in templates if (found := inline(file.read_text()))} == {}


def inline(html: str) -> list[str]:
    """Scripts and styles that are not files; blocks of JSON run nothing."""
    scripts = [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag and "application/json" not in tag]
    return scripts + re.findall(r"<style|\sstyle=|\son[a-z]+=\"|javascript:|hx-on", html)
