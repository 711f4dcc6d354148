"""Security headers and cookies: the same for every kind of answer, whatever part of the server gives it."""

import ast
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from gunicorn.config import Config
from gunicorn.http.errors import InvalidRequestLine, LimitRequestHeaders

from console.failures import pages
from console.models import Operator
from console.server.gunicorn_worker import Worker
from console.server.headers import ALWAYS

ROOT = Path(settings.BASE_DIR)


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("a bug")


handler400, handler403, handler404, handler500 = (
    pages.bad_request,
    pages.permission_denied,
    pages.not_found,
    pages.server_error,
)
urlpatterns = [path("bug/", broken), path("", include("console.urls"))]

KINDS: dict[str, tuple[int, dict[str, Any]]] = {
    "page": (200, {"path": "/o/acme/settings/members/"}),
    "fragment": (200, {"path": "/o/acme/settings/members/", "HTTP_HX_REQUEST": "true"}),
    "redirect": (302, {"path": "/"}),
    "file to download": (200, {"path": "/o/acme/audit/export/csv/"}),
    "health": (200, {"path": "/healthz"}),
    "host that is not ours": (400, {"path": "/", "HTTP_HOST": "evil.test"}),
    "too many fields": (400, {"path": "/accounts/login/?" + "a=1&" * 1001}),
    "without a token": (403, {"path": "/theme/", "method": "POST"}),
    "not found": (404, {"path": "/nowhere/"}),
    "notice": (404, {"path": "/nowhere/", "HTTP_HX_REQUEST": "true"}),
    "wrong method": (405, {"path": "/theme/"}),
    "bug": (500, {"path": "/bug/"}),
    "bug in a fragment": (500, {"path": "/bug/", "HTTP_HX_REQUEST": "true"}),
}


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("status", "request_"), KINDS.values(), ids=KINDS)
def test_every_kind_of_answer_has_the_headers(org_admin: Operator, status: int, request_: dict[str, Any]) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(org_admin)

    response = browser.generic(request_.get("method", "GET"), **{k: v for k, v in request_.items() if k != "method"})

    assert response.status_code == status
    assert {name for name in ALWAYS if name not in response} == set()
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "unsafe-" not in response["Content-Security-Policy"]


def test_files_and_whatever_answers_first_have_the_headers() -> None:
    """WhiteNoise answers for files, others for unknown hosts: only the transaction ID is outside the headers."""
    from console import settings as production

    first, second, *others = production.MIDDLEWARE

    assert (first, second) == ("console.middleware.Transaction", "console.server.headers.SecurityHeaders")
    assert "whitenoise.middleware.WhiteNoiseMiddleware" in others


@pytest.mark.parametrize(
    "error", [InvalidRequestLine("GET"), LimitRequestHeaders("many"), ValueError("a bug")], ids=repr
)
def test_errors_of_gunicorn_itself_have_the_headers(error: Exception) -> None:
    worker = Worker.__new__(Worker)
    worker.cfg = Config()
    worker.log = SimpleNamespace(warning=print, exception=print, debug=pytest.fail)
    ours, browser = socket.socketpair()
    with ours, browser:
        worker.handle_error(None, ours, ("203.0.113.1", 1), error)
        ours.shutdown(socket.SHUT_WR)
        head, body = browser.makefile("rb").read().split(b"\r\n\r\n", 1)

    lines = head.decode().splitlines()
    assert lines[0].startswith("HTTP/1.1 ")
    assert {f"{name}: {value}" for name, value in ALWAYS.items()} <= set(lines)
    assert f"Content-Length: {len(body)}" in lines


def test_gunicorn_has_this_worker() -> None:
    assert 'worker_class = "console.server.gunicorn_worker.Worker"' in (ROOT / "gunicorn.conf.py").read_text()


def test_every_cookie_has_its_name_from_the_settings() -> None:
    """With TLS, all of these names have a prefix: test_configuration.py."""
    named = [
        ast.unparse(call.args[0])
        for file in ROOT.glob("console/**/*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"set_cookie", "set_signed_cookie", "delete_cookie"}
    ]

    assert len(named) >= 3
    assert [name for name in named if not name.startswith("settings.") or not name.endswith("_COOKIE_NAME")] == []


def test_cookies_of_a_sign_in_are_for_the_server_only(client: Client, org_admin: Operator) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": org_admin.email, "password": "correct horse battery"})

    assert client.cookies.keys() == {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.KNOWN_BROWSER_COOKIE_NAME,
    }
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


def test_notices_with_names_stay_on_the_server(browser_of: Callable[[Operator], Client], org_admin: Operator) -> None:
    browser = browser_of(org_admin)

    sent = browser.post("/o/acme/settings/policies/limits/", {})
    assert sent.status_code == 422
    browser.post("/o/acme/settings/policies/roles/", {"of": "auditor", "name": "Mara's role"})

    assert "messages" not in browser.cookies
    assert "Mara" not in str(browser.cookies)
    assert "Mara" in browser.get("/o/acme/settings/policies/", follow=True).text
