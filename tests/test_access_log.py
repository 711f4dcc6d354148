"""The access log: one line for each request, and no secret in it."""

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.urls import reverse
from gunicorn.config import Config

from console.models import Operator
from console.operators.accounts import set_password_link

ROOT = Path(__file__).resolve().parent.parent


def logged(path: str) -> str:
    """Return the line that gunicorn writes for a GET of the path, as the client sent it."""
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    log = settings["logger_class"](Config())
    response = SimpleNamespace(status="200 OK", sent=5, headers=[])
    request = SimpleNamespace(headers=[])
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
    }
    atoms = log.atoms(response, request, environ, timedelta(milliseconds=12))
    return str(settings["access_log_format"] % log.atoms_wrapper_class(atoms))


def test_line_has_address_path_status_and_time() -> None:
    assert logged("/o/acme/users/") == '203.0.113.7 "GET /o/acme/users/" 200 5 12ms'


@pytest.mark.parametrize("path", ['/a\r\n203.0.113.9 "GET /admin" 200', "/a\nb", "/a\x1b[31m", "/a\u0085b", '/a"b'])
def test_line_stays_one_line_of_plain_characters(path: str) -> None:
    line = logged(path)

    assert line.isascii()
    assert line.isprintable()
    assert line.count('"') == 2


def test_query_is_left_out() -> None:
    assert "mara" not in logged("/o/acme/users/?q=mara")


@pytest.mark.parametrize("prefix", ["", "/"])
def test_link_to_choose_a_password_is_left_out(org_admin: Operator, prefix: str) -> None:
    path = "/" + set_password_link(org_admin).split("/", 3)[3]
    secret = path.removeprefix("/accounts/password/reset/key/").strip("/")

    assert secret not in logged(prefix + path)
    assert "/accounts/password/reset/key/(left-out)/" in logged(path)
    assert secret not in logged(path.replace("/key/", "/%6be%79/"))
    assert logged(reverse("account_reset_password")).endswith('/accounts/password/reset/" 200 5 12ms')


def test_link_of_an_email_to_a_user_is_left_out() -> None:
    assert logged("/not-me/the-secret/") == '203.0.113.7 "GET /not-me/(left-out)/" 200 5 12ms'
    assert "the-secret" not in logged("//not-me//the-secret/")
