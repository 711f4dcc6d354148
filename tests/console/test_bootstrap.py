"""`manage.py bootstrap`: from an empty server to an org admin who can sign in."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.models import Membership, Operator, Organization
from pingone_integration.models import Connection

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse battery"


def bootstrap(organization: str = "Acme", slug: str = "acme", email: str = "ada@acme.test") -> str:
    out = StringIO()
    call_command("bootstrap", f"--organization={organization}", f"--slug={slug}", f"--email={email}", stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOTSTRAP_PASSWORD", raising=False)


def test_bootstrap_creates_an_organization_and_an_org_admin() -> None:
    bootstrap(organization=" Acme Corporation ", slug="acme-corp", email="Ada@ACME.test")

    organization = Organization.objects.get()
    assert (organization.name, organization.slug) == ("Acme Corporation", "acme-corp")
    assert organization.connection.state == Connection.State.NOT_CONNECTED
    membership = Membership.objects.get()
    assert membership.role == Membership.Role.ORG_ADMIN
    assert membership.operator.email == "ada@acme.test"


def test_bootstrap_password_lets_the_admin_sign_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_PASSWORD", PASSWORD)

    told = bootstrap()

    assert "http" not in told
    assert PASSWORD not in told
    response = client.post("/accounts/login/", {"login": "ada@acme.test", "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1] == ("/o/acme/", 302)


def test_bootstrap_without_a_password_prints_a_single_use_link(client: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "http://testserver"

    link = re.search(r"http://testserver(/\S+)", bootstrap())

    assert link
    form = client.get(link[1], follow=True)
    assert "Choose a password" in form.content.decode()
    address = form.redirect_chain[-1][0]
    saved = client.post(address, {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert "Password saved" in saved.content.decode()
    signed_in = client.post("/accounts/login/", {"login": "ada@acme.test", "password": PASSWORD})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")
    assert "This link doesn't work" in Client().get(link[1], follow=True).content.decode()


def test_sign_in_fails_before_a_password_is_chosen(client: Client) -> None:
    bootstrap()

    assert not Operator.objects.get().has_usable_password()
    assert client.post("/accounts/login/", {"login": "ada@acme.test", "password": ""}).status_code == 200


def test_bootstrap_refuses_a_server_in_use(org_admin: Operator) -> None:
    with pytest.raises(CommandError, match="already in use"):
        bootstrap(slug="other", email="other@other.test")

    assert Organization.objects.count() == Operator.objects.count() == 1


@pytest.mark.parametrize("slug", ["", "Acme", "acme corp", "acme_corp", "-acme", "acme--corp", "a/b", "..", "a" * 51])
def test_invalid_slug_is_refused(slug: str) -> None:
    with pytest.raises(CommandError, match="--slug"):
        bootstrap(slug=slug)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada acme@acme.test"])
def test_invalid_email_address_is_refused(email: str) -> None:
    with pytest.raises(CommandError, match="--email"):
        bootstrap(email=email)


@pytest.mark.parametrize("name", ["", "   ", "A" * 151])
def test_invalid_organization_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="--organization"):
        bootstrap(organization=name)


@pytest.mark.parametrize("password", ["short", "password12345", "ada@acme.test"])
def test_weak_password_is_refused_and_nothing_is_created(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("BOOTSTRAP_PASSWORD", password)

    with pytest.raises(CommandError, match="BOOTSTRAP_PASSWORD"):
        bootstrap()

    assert not Operator.objects.exists()
    assert not Organization.objects.exists()
