"""The common behavior of all requests below /v1: tokens, media types, methods, headers, the error envelope."""

import re

import httpx
import pytest

from tests.support.sandbox_people import NOBODY, assert_refused
from tests.support.sandbox_server import Sandbox

INVALID_TOKEN = ("ACCESS_FAILED", "INVALID_TOKEN", "Authentication Credentials")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer made-up", "Basic YTpi", "Bearer a.b.c"])
def test_invalid_token_is_401(sandbox: Sandbox, http: httpx.Client, authorization: str):
    headers = {"Authorization": authorization} if authorization else {}

    for path in ("environments", f"environments/{sandbox.details['managed_environment_id']}/users"):
        response = http.get(f"{sandbox.url}/v1/{path}", headers=headers)

        assert_refused(response, 401, *INVALID_TOKEN)


def test_expired_token_is_401(sandbox: Sandbox):
    token = sandbox.token()
    sandbox.sql(
        "UPDATE sandbox_oauth_accesstoken SET expires_at = '2026-01-01' "
        "WHERE id = (SELECT id FROM sandbox_oauth_accesstoken ORDER BY issued_at DESC LIMIT 1)"
    )

    with sandbox.api(token) as api:
        assert_refused(api.get("users"), 401, *INVALID_TOKEN)


def test_path_unknown_to_the_gateway_is_403_in_another_shape(ada: httpx.Client):
    for path in ("nonsense", "users/", "../../nonsense"):
        response = ada.get(path)

        assert response.status_code == 403
        assert set(response.json()) == {"message"}


@pytest.mark.parametrize("environment_id", [NOBODY, "not-an-id"])
def test_unknown_environment_is_403_for_every_path(ada: httpx.Client, environment_id: str):
    response = ada.get(f"../{environment_id}/users")

    assert_refused(response, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")


def test_environment_without_a_role_looks_like_an_unknown_environment(sandbox: Sandbox, ada: httpx.Client):
    response = ada.get(f"../{sandbox.details['second_environment_id']}/users")

    assert_refused(response, 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize("user_id", [NOBODY, "not-an-id"])
def test_unknown_user_is_404(ada: httpx.Client, user_id: str):
    assert_refused(ada.get(f"users/{user_id}"), 404, "NOT_FOUND")


def test_unsupported_method_is_405(ada: httpx.Client):
    assert_refused(ada.put("users", json={}), 405, "INVALID_REQUEST")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/vnd.pingidentity.account.unlock+json"])
def test_wrong_media_type_is_415(ada: httpx.Client, content_type: str):
    response = ada.post("users", content="{}", headers={"Content-Type": content_type} if content_type else {})

    assert_refused(response, 415, "INVALID_REQUEST")


def test_media_type_may_have_parameters_and_capitals(ada: httpx.Client):
    response = ada.post("users", content="[]", headers={"Content-Type": "Application/JSON; charset=utf-8"})

    assert_refused(response, 400, "INVALID_REQUEST")


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "[" * 100_000])
def test_malformed_json_is_400(ada: httpx.Client, content: str):
    response = ada.post("users", content=content, headers={"Content-Type": "application/json"})

    assert_refused(response, 400, "INVALID_REQUEST")


def test_reply_has_ids_for_support(sandbox: Sandbox, ada: httpx.Client, http: httpx.Client):
    replies = [ada.get("users", params={"limit": 1}), ada.get("users/x"), http.get(f"{sandbox.url}/v1/roles")]

    assert [reply.status_code for reply in replies] == [200, 404, 401]
    assert len({reply.headers["Correlation-Id"] for reply in replies}) == 3
    assert all(reply.headers["X-Ping-External-Transaction-ID"] for reply in replies)


def test_transaction_id_is_returned_with_unknown_characters_replaced(ada: httpx.Client):
    reply = ada.get("populations", headers={"X-Ping-External-Transaction-ID": "audit/7@a=b#c+d e<f>" + "x" * 100})

    returned = reply.headers["X-Ping-External-Transaction-ID"]
    assert returned.startswith("audit/7@a=b#c+d_e_f_xxx")
    assert len(returned) == 100


def test_headers_above_6_kb_are_refused_by_the_gateway(ada: httpx.Client):
    response = ada.get("users", params={"filter": 'username eq "' + "x" * 6_000 + '"'})

    assert response.status_code == 431
    assert "json" not in response.headers["Content-Type"]


def test_method_may_be_overridden(ada: httpx.Client):
    response = ada.post("users", headers={"X-HTTP-Method-Override": "GET"})

    assert response.status_code == 200


def test_links_are_absolute_and_lead_to_the_sandbox(sandbox: Sandbox, ada: httpx.Client):
    body = ada.get("users", params={"limit": 1}).json()

    links = re.findall(r'"href": "([^"]+)"', str(body).replace("'", '"'))
    assert links
    assert all(link.startswith(f"{sandbox.url}/v1/environments/") for link in links)
