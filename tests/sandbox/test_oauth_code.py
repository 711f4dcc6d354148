"""The authorization code flow: from the authorization request to verified tokens, and everything that stops it."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core.util import create_half_hash

from tests.support.oauth import (
    REDIRECT_URI,
    VERIFIER,
    administrator,
    answer_of,
    assert_error,
    claims_of,
    console,
    service,
)
from tests.support.sandbox_server import Sandbox, sign_on

ADA = "ada.admin"


def test_oauth_client_gets_from_connect_to_verified_tokens(sandbox: Sandbox, http: httpx.Client):
    details = sandbox.details
    ada = next(person for person in details["administrators"] if person["username"] == ADA)
    client = OAuth2Client(
        http,
        details["client_id"],
        scope="openid profile email",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
    )
    address, state = client.create_authorization_url(
        f"{sandbox.issuer}/authorize", code_verifier=VERIFIER, nonce="the nonce"
    )
    back = sign_on(address, ADA, ada["password"])
    token = client.fetch_token(
        f"{sandbox.issuer}/token",
        authorization_response=back,
        state=state,
        code_verifier=VERIFIER,
        auth=(details["client_id"], details["client_secret"]),
    )

    access = claims_of(sandbox, http, token["access_token"])
    assert (access["iss"], access["aud"], access["sub"]) == (sandbox.issuer, [sandbox.url], ada["id"])
    assert access["client_id"] == details["client_id"]
    assert access["scope"] == token["scope"] == "openid profile email"
    assert (access["env"], access["org"]) == (details["environment_id"], details["organization_id"])
    assert token["expires_in"] == access["exp"] - access["iat"] == 3600

    identity = claims_of(sandbox, http, token["id_token"])
    assert (identity["iss"], identity["aud"], identity["sub"]) == (sandbox.issuer, details["client_id"], ada["id"])
    assert identity["nonce"] == "the nonce"
    assert identity["at_hash"] == create_half_hash(token["access_token"], "RS256").decode()
    assert identity["sid"] == access["sid"]
    assert identity["amr"] == ["pwd"]
    assert abs(identity["auth_time"] - time.time()) < 60
    assert (identity["given_name"], identity["email"]) == ("Ada", "ada.admin@acme.test")


def test_scope_opens_the_claims_about_the_user(sandbox: Sandbox, http: httpx.Client):
    identity = claims_of(sandbox, http, console(sandbox).tokens(http, scope="openid")["id_token"])

    assert not {"email", "name", "given_name", "preferred_username"} & set(identity)


def test_id_token_requires_openid(sandbox: Sandbox, http: httpx.Client):
    reply = console(sandbox).tokens(http, scope=None)

    assert "id_token" not in reply
    assert "refresh_token" in reply


def test_refresh_token_requires_the_grant_type(sandbox: Sandbox, http: httpx.Client):
    assert "refresh_token" not in console(sandbox, grant_types=["AUTHORIZATION_CODE"]).tokens(http)


def test_offline_access_gives_a_working_refresh_token(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, grant_types=["AUTHORIZATION_CODE"], scopes=["openid", "offline_access"])

    assert "refresh_token" not in application.tokens(http, scope="openid")
    reply = application.tokens(http, scope="openid offline_access")

    assert application.refresh(http, reply["refresh_token"]).status_code == 200


def test_cancelled_consent_is_access_denied(sandbox: Sandbox):
    back = answer_of(sign_on(console(sandbox).authorize_url(), answer="cancel"))

    assert (back["error"], back["state"]) == ("access_denied", "the state")
    assert "code" not in back


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'a"\\é'}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "openid p1:read:user"}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none", "scope": "profile"}, "login_required"),
    ],
    ids=str,
)
def test_mistake_in_the_request_is_reported_to_the_application(
    sandbox: Sandbox, http: httpx.Client, changes: dict[str, str | None], code: str
):
    response = http.get(console(sandbox).authorize_url(**changes))

    back = answer_of(response.headers["Location"])
    assert (back["error"], back["state"]) == (code, "the state")
    assert "(Correlation ID: " in back["error_description"]


def test_application_without_the_code_grant_is_unauthorized(sandbox: Sandbox, http: httpx.Client):
    response = http.get(console(sandbox, grant_types=["CLIENT_CREDENTIALS"]).authorize_url())

    assert answer_of(response.headers["Location"])["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "not-an-id"},
        {"client_id": "00000000-0000-4000-8000-000000000000"},
        {"redirect_uri": None},
        {"redirect_uri": f"{REDIRECT_URI}more"},
        {"redirect_uri": f"{REDIRECT_URI}?more=1"},
        {"redirect_uri": REDIRECT_URI.replace("http:", "https:")},
        {"redirect_uri": 'https://elsewhere.test/"<script>alert(1)</script>\\é'},
        {"redirect_uri": "https://elsewhere.test/", "response_type": "nonsense"},
    ],
    ids=str,
)
def test_untrusted_request_is_never_redirected(sandbox: Sandbox, http: httpx.Client, changes: dict[str, str | None]):
    response = http.get(console(sandbox).authorize_url(**changes))

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "Cannot continue" in response.text
    assert "<script" not in response.text


def test_repeated_parameter_is_refused_without_a_redirect(sandbox: Sandbox, http: httpx.Client):
    response = http.get(f"{console(sandbox).authorize_url()}&state=another")

    assert response.status_code == 400


def test_authorization_request_may_be_posted(sandbox: Sandbox, http: httpx.Client):
    address = httpx.URL(console(sandbox).authorize_url())

    response = http.post(address.copy_with(query=None), data=dict(address.params))

    assert response.has_redirect_location
    assert "code=" in sign_on(str(response.url.join(response.headers["Location"])))


def test_pkce_follows_the_setting_of_the_application(sandbox: Sandbox, http: httpx.Client):
    bare: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    plain: dict[str, str | None] = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    optional, required = console(sandbox, pkce_enforcement="OPTIONAL"), console(sandbox, pkce_enforcement="REQUIRED")

    form = {"grant_type": "authorization_code", "code": optional.code(**bare), "redirect_uri": REDIRECT_URI}
    assert optional.token(http, **form).status_code == 200
    assert required.exchange(http, required.code(**plain)).status_code == 200
    back = http.get(required.authorize_url(**bare)).headers["Location"]
    assert answer_of(back)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8000/connect/callback/"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"code": "made-up"}, "invalid_grant"),
    ],
    ids=["other verifier", "no verifier", "other redirect URI", "no redirect URI", "other code"],
)
def test_code_requires_the_verifier_and_redirect_uri_of_its_request(
    sandbox: Sandbox, http: httpx.Client, changes: dict[str, str], code: str
):
    application = console(sandbox)
    good = application.code()

    assert_error(application.exchange(http, **({"code": good} | changes)), 400, code)
    assert application.exchange(http, good).status_code == 200, "a failed attempt does not use the code up"


def test_code_is_useless_to_another_application(sandbox: Sandbox, http: httpx.Client):
    mine, theirs = console(sandbox), console(sandbox)
    code = mine.code()

    assert_error(theirs.exchange(http, code), 400, "invalid_grant")
    assert mine.exchange(http, code).status_code == 200


def test_code_is_useless_without_the_secret(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    form = {"grant_type": "authorization_code", "code": application.code(), "redirect_uri": REDIRECT_URI}

    response = http.post(
        f"{sandbox.issuer}/token", data=form | {"code_verifier": VERIFIER, "client_id": application.client_id}
    )

    assert_error(response, 401, "invalid_client")


def test_public_application_needs_only_its_verifier(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, token_endpoint_auth_method="NONE")
    form = {"client_id": application.client_id, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI}

    form |= {"grant_type": "authorization_code", "code": application.code()}
    reply = http.post(f"{sandbox.issuer}/token", data=form)
    refresh = {"grant_type": "refresh_token", "refresh_token": reply.json()["refresh_token"]}

    assert_error(http.post(f"{sandbox.issuer}/token", data=refresh, auth=application.basic), 401, "invalid_client")
    refresh["client_id"] = application.client_id
    assert http.post(f"{sandbox.issuer}/token", data=refresh).status_code == 200


def test_code_used_again_ends_its_tokens(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    code = application.code()
    tokens = application.exchange(http, code).json()

    assert_error(application.exchange(http, code), 400, "invalid_grant")

    assert application.introspect(http, tokens["access_token"]) == {"active": False}
    assert_error(application.refresh(http, tokens["refresh_token"]), 400, "invalid_grant")


def test_code_is_exchanged_once_by_concurrent_requests(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    code = application.code()

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: application.exchange(http, code), range(8)))

    assert sorted(reply.status_code for reply in replies) == [200] + [400] * 7


def test_code_lasts_a_minute(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    code = application.code()
    sandbox.sql(
        """UPDATE sandbox_oauth_authorizationcode SET expires_at = datetime(expires_at, '-61 seconds')
        WHERE grant_id IN (SELECT id FROM sandbox_oauth_grant WHERE application_id = ?)""",
        application.id,
    )

    assert_error(application.exchange(http, code), 400, "invalid_grant")


def test_code_is_useless_after_the_user_is_deactivated(sandbox: Sandbox, http: httpx.Client):
    application, username = console(sandbox), administrator(sandbox)
    code = answer_of(sign_on(application.authorize_url(), username))["code"]
    sandbox.sql("UPDATE sandbox_user SET enabled = 0 WHERE username_key = ?", username)

    assert_error(application.exchange(http, code), 400, "invalid_grant")


def test_sandbox_stores_no_readable_codes_tokens_or_passwords(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    code = application.code()
    tokens = application.exchange(http, code).json()
    service(sandbox).token(http, grant_type="client_credentials")

    stored = b"".join(path.read_bytes() for path in sandbox.database.parent.glob("sandbox.sqlite3*"))

    for secret in (code, tokens["access_token"], tokens["refresh_token"], tokens["id_token"], "Sandbox-2026!"):
        assert secret.encode() not in stored
