"""Signing off from the authorization server."""

import httpx
import pytest

from tests.support.oauth import Application, answer_of, console, follow
from tests.support.sandbox_server import Form, Sandbox, sign_on

GOODBYE = "http://localhost:8000/goodbye/"


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    return console(sandbox, post_logout_redirect_uris=[GOODBYE])


@pytest.fixture
def tokens(application: Application, http: httpx.Client) -> dict[str, str]:
    code = answer_of(sign_on(application.authorize_url(), browser=http))["code"]
    return dict(application.exchange(http, code).json())


def sign_off(application: Application, http: httpx.Client, **query: str) -> httpx.Response:
    return http.get(f"{application.sandbox.issuer}/signoff", params=query)


def test_sign_off_ends_the_session_and_its_refresh_token(
    application: Application, http: httpx.Client, tokens: dict[str, str]
):
    page = sign_off(application, http)

    assert "You are signed off" in page.text
    assert "sandbox_sign_on" not in http.cookies
    assert "sign_on" in Form(follow(http, application.authorize_url())).buttons
    assert application.refresh(http, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_sign_off_returns_to_the_application_of_the_id_token(
    application: Application, http: httpx.Client, tokens: dict[str, str]
):
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": GOODBYE, "state": "x y"}

    response = sign_off(application, http, **query)

    assert response.headers["Location"] in {f"{GOODBYE}?state=x+y", f"{GOODBYE}?state=x%20y"}
    assert "sandbox_sign_on" not in http.cookies


def test_sign_off_may_be_posted(application: Application, http: httpx.Client, tokens: dict[str, str]):
    form = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": GOODBYE}

    response = http.post(f"{application.sandbox.issuer}/signoff", data=form)

    assert response.headers["Location"] == GOODBYE
    assert application.refresh(http, tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("target", ["https://elsewhere.test/", "http://localhost:8000/goodbye/more"])
def test_sign_off_does_not_return_to_an_unregistered_address(
    application: Application, http: httpx.Client, tokens: dict[str, str], target: str
):
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": target}

    assert "You are signed off" in sign_off(application, http, **query).text


def test_sign_off_without_an_id_token_does_not_return(
    application: Application, http: httpx.Client, tokens: dict[str, str]
):
    query = {"client_id": application.client_id, "post_logout_redirect_uri": GOODBYE}

    assert "You are signed off" in sign_off(application, http, **query).text


@pytest.mark.parametrize("hint", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_sign_off_with_a_made_up_id_token_is_an_error_and_ends_nothing(
    application: Application, http: httpx.Client, tokens: dict[str, str], hint: str
):
    page = sign_off(application, http, id_token_hint=hint, post_logout_redirect_uri=GOODBYE)

    assert page.status_code == 400
    assert application.refresh(http, tokens["refresh_token"]).status_code == 200
