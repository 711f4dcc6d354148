"""An OpenID provider for tests, which says what a test wants of whoever signs in."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from console.models import LinkedIdentity, MappedGroup, Operator, Organization

ISSUER = "https://login.acme.test/as"
CLIENT_ID = "the-console"
KEY = RSAKey.generate_key(2048, {"kid": "the-key", "use": "sig"})
START, CALLBACK = "/accounts/single-sign-on/", "/accounts/single-sign-on/callback/"


@dataclass
class IdentityProvider:
    """Ada's provider. `claims` are in every ID token, besides those of the protocol."""

    router: respx.MockRouter
    claims: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "ada-1",
            "email": "ada@acme.test",
            "email_verified": True,
            "name": "Ada Byron",
            "groups": ["Helpdesk"],
        }
    )
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "the-key"})
    key: Any = field(default_factory=lambda: KEY)
    id_token: str | None = None  # in place of the signed one
    userinfo: Any = None  # claims, another answer or an error; None: there is no such endpoint
    status: int = 200  # of every answer
    document: dict[str, Any] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    nonces: dict[str, str] = field(default_factory=dict)  # by code

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.status != 200:
            return httpx.Response(self.status, text="<html>")
        path = request.url.path.removeprefix("/as")
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self._document())
        if path == "/jwks":
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        if path == "/userinfo":
            assert request.headers["Authorization"] == "Bearer an-access-token"
            if isinstance(self.userinfo, Exception):
                raise self.userinfo
            told = self.userinfo
            return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)
        code = parse_qs(request.content.decode())["code"][0]
        if code in self.used:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.used.add(code)
        token = self.id_token or self.signed(nonce=self.nonces[code])
        return httpx.Response(200, json={"access_token": "an-access-token", "token_type": "Bearer", "id_token": token})

    def _document(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        return {
            "issuer": ISSUER,
            "end_session_endpoint": f"{ISSUER}/signoff",
            **({} if self.userinfo is None else {"userinfo_endpoint": f"{ISSUER}/userinfo"}),
            **{name: f"{ISSUER}/{end}" for name, end in names.items()},
        } | self.document

    def signed(self, **claims: Any) -> str:
        now = int(time.time())
        told = {"iss": ISSUER, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "auth_time": now} | claims | self.claims
        present = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(self.header, present, self.key, algorithms=[self.header["alg"]])

    def leave(self, browser: Client, address: str = START, **form: str) -> dict[str, str]:
        """Press the button. Return what the provider was asked for."""
        page = browser.post(address, form)
        assert page.status_code == 200, page.text
        query = parse_qs(urlsplit(url_of(page)).query)
        asked = {name: values[0] for name, values in query.items()}
        code = f"code of {asked['state']}"
        self.nonces[code] = asked["nonce"]
        return asked | {"code": code}

    def come_back(self, browser: Client, asked: dict[str, str], **changes: str) -> HttpResponse:
        return browser.get(CALLBACK, {"state": asked["state"], "code": asked["code"]} | changes)  # type: ignore[return-value]

    def sign_in(self, browser: Client, **form: str) -> HttpResponse:
        return self.come_back(browser, self.leave(browser, **form))


def url_of(page: Any) -> str:
    """Return where a page refreshes to, which is also the link on it."""
    url = str(page.headers["Refresh"]).removeprefix("0;url=")
    assert url in unescape(re.findall(r'href="(https?://[^"]+)"', page.text)[0])
    return url


def provider_in(router: respx.MockRouter, settings: Any) -> IdentityProvider:
    """Set up this server for the provider."""
    cache.clear()
    settings.OIDC_ISSUER, settings.OIDC_NAME = ISSUER, "Acme login"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, "the-secret"
    found = IdentityProvider(router)
    router.route(host="login.acme.test").mock(side_effect=found)
    return found


@pytest.fixture
def provider(settings: Any) -> Iterator[IdentityProvider]:
    with respx.mock(assert_all_called=False) as router:
        yield provider_in(router, settings)


@pytest.fixture
def mapped(acme: Organization) -> Organization:
    """Let the provider's group Helpdesk be agents of Acme, and Admins its org admins."""
    MappedGroup.objects.create(organization=acme, group="Admins", role="org_admin")
    MappedGroup.objects.create(organization=acme, group="Helpdesk", role="helpdesk_agent")
    return acme


def link(operator: Operator, subject: str = "ada-1") -> Operator:
    LinkedIdentity.objects.create(operator=operator, issuer=ISSUER, subject=subject)
    return operator
