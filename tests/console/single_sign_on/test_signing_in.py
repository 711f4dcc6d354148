"""Signing in by the provider: who gets in, as whom, and what nobody can talk it into."""

from typing import Any

import httpx
import pytest
from django.test import Client
from joserfc.jwk import OctKey, RSAKey

from console.models import AuditEntry, Membership, Operator, Organization
from tests.support.identity_provider import CLIENT_ID, ISSUER, START, IdentityProvider, link

pytestmark = pytest.mark.django_db


def is_signed_in(browser: Client) -> bool:
    return browser.get("/o/acme/").status_code == 200


def test_somebody_new_gets_the_role_of_their_group_and_no_password(
    provider: IdentityProvider, mapped: Organization
) -> None:
    browser = Client()

    answer = provider.sign_in(browser, next="/o/acme/users/")

    assert answer["Location"] == "/o/acme/users/"
    ada = Operator.objects.get(email="ada@acme.test")
    assert (ada.name, ada.has_usable_password()) == ("Ada Byron", False)
    membership = Membership.objects.get()
    assert (membership.operator, membership.role, membership.is_by_groups) == (ada, "helpdesk_agent", True)
    assert is_signed_in(browser)
    recorded = set(AuditEntry.objects.values_list("action", flat=True))
    assert recorded >= {"membership.added", "operator.identity-linked", "operator.signed-in"}


def test_request_has_state_nonce_and_pkce_and_the_redirect_uri_of_this_server(
    provider: IdentityProvider, mapped: Organization
) -> None:
    browser = Client(headers={"host": "localhost"})
    asked = provider.leave(browser)

    assert asked["redirect_uri"] == "http://localhost/accounts/single-sign-on/callback/"
    assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
    assert asked["code_challenge_method"] == "S256"
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert "max_age" not in asked
    assert asked["state"] != provider.leave(browser)["state"]
    provider.come_back(browser, asked)
    exchange = provider.asked[-2].content.decode()
    assert "code_verifier=" in exchange


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://login.acme.test/other"}, "could not be verified"),
        ({"aud": "another-client"}, "could not be verified"),
        ({"aud": [CLIENT_ID, "another-client"]}, "could not be verified"),
        ({"nonce": "of another sign-in"}, "could not be verified"),
        ({"nonce": None}, "could not be verified"),
        ({"exp": 1_000_000_000}, "could not be verified"),
        ({"exp": None}, "could not be verified"),
        ({"iat": 4_000_000_000}, "could not be verified"),
        ({"sub": None}, "could not be verified"),
        ({"sub": ""}, "could not be verified"),
        ({"sub": "x" * 256}, "could not be verified"),
        ({"sub": 7}, "could not be verified"),
        ({"email": None}, "names no verified email"),
        ({"email_verified": False}, "names no verified email"),
        ({"email_verified": None}, "names no verified email"),
        ({"email": "not an address"}, "names no verified email"),
        ({"groups": ["Nobody"]}, "none of your groups"),
        ({"groups": []}, "none of your groups"),
        ({"groups": None}, "none of your groups"),
        ({"groups": {"Helpdesk": True}}, "none of your groups"),
        ({"groups": ["helpdesk"]}, "none of your groups"),
    ],
    ids=str,
)
def test_claims_that_let_nobody_in(
    provider: IdentityProvider, mapped: Organization, claims: dict[str, Any], why: str
) -> None:
    provider.claims |= claims
    browser = Client()

    answer = provider.sign_in(browser)

    assert why in answer.text
    assert answer.status_code == 403
    assert not is_signed_in(browser)
    assert not Operator.objects.exists()


UNSIGNED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtMSJ9."


@pytest.mark.parametrize("attack", ["another key", "unknown kid", "secret as key", "none", "rubbish", "empty"])
def test_token_that_the_provider_did_not_sign(provider: IdentityProvider, mapped: Organization, attack: str) -> None:
    match attack:
        case "another key":
            provider.key = RSAKey.generate_key(2048, {"kid": "the-key"})
        case "unknown kid":
            provider.header["kid"] = "another"
        case "secret as key":
            provider.header["alg"], provider.key = "HS256", OctKey.import_key("the-secret-the-secret-the-secret")
        case _:
            provider.id_token = {"none": UNSIGNED, "rubbish": "rubbish", "empty": " "}[attack]

    answer = provider.sign_in(Client())

    assert (answer.status_code, "could not be verified" in answer.text) == (403, True)
    assert not Operator.objects.exists()


def test_answer_counts_once_and_in_its_own_browser_alone(provider: IdentityProvider, mapped: Organization) -> None:
    browser, another = Client(), Client()
    asked = provider.leave(browser)

    assert "did not begin in this browser" in provider.come_back(another, asked).text
    assert "did not begin in this browser" in provider.come_back(browser, asked, state="forged").text
    assert provider.come_back(browser, asked).status_code == 302
    assert "did not begin in this browser" in provider.come_back(browser, asked).text  # replayed
    again = provider.leave(Client())
    fresh = Client()
    taken = provider.leave(fresh) | {"code": asked["code"]}
    assert "was used already" in provider.come_back(fresh, taken).text  # a code that leaked
    assert not is_signed_in(fresh)
    assert again["state"] != taken["state"]
    repeated = fresh.get(f"/accounts/single-sign-on/callback/?state={taken['state']}&state={taken['state']}&code=1")
    assert "did not begin in this browser" in repeated.text


def test_another_issuer_in_the_answer_is_refused(provider: IdentityProvider, mapped: Organization) -> None:
    browser = Client()

    mixed_up = provider.come_back(browser, provider.leave(browser), iss="https://evil.test")

    assert "could not be verified" in mixed_up.text
    assert provider.come_back(browser, provider.leave(browser), iss=ISSUER).status_code == 302


def test_subject_counts_and_not_the_email(
    provider: IdentityProvider, mapped: Organization, org_admin: Operator, helpdesk: Operator
) -> None:
    link(helpdesk)
    provider.claims["email"] = org_admin.email
    browser = Client()

    provider.sign_in(browser)

    assert int(browser.session["_auth_user_id"].replace("-", ""), 16) == helpdesk.pk.int
    assert Operator.objects.get(pk=helpdesk.pk).email == "agent@acme.test"
    assert Membership.objects.get(operator=helpdesk).is_by_groups is False


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://login.acme.test"},
        {"token_endpoint": "https://evil.test/token"},
        {"jwks_uri": "http://login.acme.test/as/jwks"},
        {"authorization_endpoint": "https://login.acme.test.evil.test/authorize"},
        {"authorization_endpoint": "https://login.acme.test@evil.test/authorize"},
        {"end_session_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://169.254.169.254/latest/"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_no_other_host_is_called_or_led_to(provider: IdentityProvider, document: dict[str, Any]) -> None:
    provider.document = document

    answer = Client().post(START)

    assert (answer.status_code, "is not set up as this server expects it" in answer.text) == (502, True)
    assert [one.url.path for one in provider.asked] == ["/as/.well-known/openid-configuration"]


def test_host_that_the_server_names_is_fine(provider: IdentityProvider, mapped: Organization, settings: Any) -> None:
    settings.OIDC_HOSTS = ["tokens.acme.test"]
    provider.document = {"token_endpoint": "https://tokens.acme.test/as/token"}
    provider.router.route(host="tokens.acme.test").mock(side_effect=provider)

    assert provider.sign_in(Client()).status_code == 302


@pytest.mark.parametrize("status", [404, 500, 301])
def test_provider_that_answers_with_an_error_is_told_in_words(provider: IdentityProvider, status: int) -> None:
    provider.status = status

    answer = Client().post(START)

    assert (answer.status_code, "does not answer" in answer.text) == (502, True)
    assert "Try again in a moment" in answer.text


def test_provider_that_does_not_answer(provider: IdentityProvider, mapped: Organization) -> None:
    browser = Client()
    asked = provider.leave(browser)
    provider.router.clear()
    provider.router.route().mock(side_effect=httpx.ConnectTimeout("slow"))

    answer = provider.come_back(browser, asked)

    assert (answer.status_code, "does not answer" in answer.text) == (502, True)


def test_refusal_at_the_provider_is_told_with_the_next_step(provider: IdentityProvider) -> None:
    browser = Client()
    state = provider.leave(browser)["state"]

    answer = browser.get("/accounts/single-sign-on/callback/", {"state": state, "error": "access_denied"})

    assert "did not let you in" in answer.text
    assert "Start again" in answer.text


def test_nobody_leads_on_to_another_site(provider: IdentityProvider, mapped: Organization) -> None:
    for address in ("https://evil.test/", "//evil.test/", "javascript:alert(1)"):
        assert provider.sign_in(Client(), next=address)["Location"] == "/"


def test_page_without_a_provider_is_none() -> None:
    assert Client().get(START).status_code == 404
    assert "single-sign-on" not in Client().get("/accounts/login/").text
