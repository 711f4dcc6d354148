"""Providers that keep groups, name and email out of the ID token: userinfo has them, of the same person alone."""

from typing import Any

import httpx
import pytest
from django.test import Client

from console.models import Membership, Operator, Organization
from tests.support.identity_provider import IdentityProvider
from tests.support.people import make_operator

pytestmark = pytest.mark.django_db

USERINFO = "/as/userinfo"


@pytest.fixture
def thin(provider: IdentityProvider) -> IdentityProvider:
    """Return a provider whose ID token says who the person is, and nothing else of them."""
    told = ("email", "email_verified", "name", "groups")
    provider.userinfo = {"sub": "ada-1", **{name: provider.claims.pop(name) for name in told}}
    return provider


def asked(provider: IdentityProvider) -> list[str]:
    return [one.url.path for one in provider.asked]


def test_groups_email_and_name_come_from_userinfo(thin: IdentityProvider, mapped: Organization) -> None:
    assert thin.sign_in(Client()).status_code == 302

    ada = Operator.objects.get()
    assert (ada.email, ada.name) == ("ada@acme.test", "Ada Byron")
    assert Membership.objects.get(operator=ada).role == "helpdesk_agent"
    assert asked(thin).count(USERINFO) == 1


def test_complete_id_token_costs_no_further_call(provider: IdentityProvider, mapped: Organization) -> None:
    provider.userinfo = {"sub": "ada-1", "groups": ["Admins"]}

    provider.sign_in(Client())

    assert USERINFO not in asked(provider)
    assert Membership.objects.get().role == "helpdesk_agent"


def test_signed_groups_count_and_not_those_beside_them(provider: IdentityProvider, mapped: Organization) -> None:
    provider.claims["name"] = None
    provider.userinfo = {"sub": "ada-1", "groups": ["Admins"], "name": "Ada"}

    provider.sign_in(Client())

    assert Membership.objects.get().role == "helpdesk_agent"


@pytest.mark.parametrize("subject", ["boss-1", "", None, ["ada-1"], "ADA-1"], ids=str)
def test_userinfo_of_another_person_gives_nobody_anything(
    thin: IdentityProvider, mapped: Organization, subject: Any
) -> None:
    """An access token of an org admin, put in the place of one's own."""
    thin.userinfo |= {"sub": subject, "groups": ["Admins"], "email": "boss@acme.test"}

    answer = thin.sign_in(Client())

    assert (answer.status_code, "could not be verified" in answer.text) == (403, True)
    assert not Operator.objects.exists()


def test_userinfo_says_nothing_of_how_they_signed_in(
    thin: IdentityProvider, mapped: Organization, settings: Any
) -> None:
    """It is not signed, and good for as long as the token: a second factor of yesterday is none of today."""
    settings.SECOND_FACTOR_DEMANDED, settings.OIDC_SECOND_FACTOR_ACR = True, ["mfa"]
    thin.userinfo |= {"acr": "mfa", "amr": ["mfa"], "auth_time": 4_000_000_000, "iss": "https://evil.test"}
    browser = Client()

    thin.sign_in(browser)

    assert browser.get("/o/acme/")["Location"] == "/accounts/2fa/"


def test_userinfo_vouches_for_no_address_of_the_id_token(thin: IdentityProvider, mapped: Organization) -> None:
    thin.claims["email"] = "boss@acme.test"  # anybody types what they like there
    thin.userinfo["email_verified"] = True

    assert "names no verified email" in thin.sign_in(Client()).text
    assert not Operator.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.test/"}),
        httpx.Response(200, text="eyJhbGciOiJub25lIn0.e30."),
        httpx.Response(200, json=["Admins"]),
        httpx.ConnectTimeout("slow"),
    ],
    ids=str,
)
def test_userinfo_without_an_answer_takes_no_role_away(
    thin: IdentityProvider, mapped: Organization, answer: httpx.Response | Exception
) -> None:
    thin.sign_in(Client())
    make_operator("boss@acme.test", mapped, "org_admin")
    thin.userinfo = answer

    refused = thin.sign_in(Client())

    assert (refused.status_code, "does not answer" in refused.text) == (502, True)
    assert Membership.objects.get(operator__email="ada@acme.test").role == "helpdesk_agent"


@pytest.mark.parametrize("where", ["the ID token", "userinfo"])
def test_more_groups_than_a_token_holds_take_no_role_away(
    thin: IdentityProvider, mapped: Organization, where: str
) -> None:
    thin.sign_in(Client())
    del thin.userinfo["groups"]
    elsewhere = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://evil.test/"}}}
    if where == "userinfo":
        thin.userinfo |= elsewhere
    else:
        thin.claims |= elsewhere

    refused = thin.sign_in(Client())

    assert (refused.status_code, "more groups than" in refused.text) == (403, True)
    assert Membership.objects.get().role == "helpdesk_agent"


@pytest.mark.parametrize(
    "url",
    ["https://evil.test/userinfo", "http://login.acme.test/as/userinfo", "https://login.acme.test@evil.test/", ""],
)
def test_access_token_goes_to_no_other_host(thin: IdentityProvider, mapped: Organization, url: str) -> None:
    """A host that the server does not name is not asked: Microsoft's is such a one, and knows no groups."""
    thin.document = {"userinfo_endpoint": url}
    evil = thin.router.route(host="evil.test").respond(json=thin.userinfo)

    assert "none of your groups" in thin.sign_in(Client()).text
    assert not evil.called
    assert USERINFO not in asked(thin)
