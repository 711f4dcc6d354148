"""The approval that Connect waits for, given at the local PingOne by an administrator: without a browser."""

import re
from html import unescape
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, ProxyHandler, Request, build_opener

TIMEOUT_S = 20
PAGES = 4  # sign-on and consent are two; a wrong password shows the first one again


class NotApproved(Exception):
    """The local PingOne did not lead back to the console. The message names its last page."""


class _StopAt(HTTPRedirectHandler):
    """Follow redirects, but not to the console: keep its URL as `reached`."""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self.reached = ""

    def redirect_request(  # noqa: PLR0917 - the signature of the base class
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if newurl.startswith(self.redirect_uri):
            self.reached = newurl
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def approve(authorize_url: str, *, redirect_uri: str, username: str, password: str) -> dict[str, str]:
    """Sign in, allow access, and return the parameters that PingOne returns with: `code` and `state`.

    Raises NotApproved, and OSError if the local PingOne does not answer.
    """
    stop = _StopAt(redirect_uri)
    browser = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()), stop)
    request = Request(authorize_url)  # noqa: S310 - the demo's own address
    for _ in range(PAGES):
        try:
            with browser.open(request, timeout=TIMEOUT_S) as response:
                url, page = response.url, response.read().decode()
        except HTTPError as error:
            if not stop.reached:
                raise NotApproved(f"{error.code} at {urlsplit(error.url or authorize_url).path}") from error
            error.close()
            return {name: values[0] for name, values in parse_qs(urlsplit(stop.reached).query).items()}
        typed = {"csrfmiddlewaretoken": _csrf_token(page)}
        typed |= {"action": "allow"}
        if 'name="password"' in page:
            typed |= {"username": username, "password": password, "action": "sign_on"}
        request = Request(url, data=urlencode(typed).encode())  # noqa: S310
    raise NotApproved(f"{username} did not get past {urlsplit(url).path}")


def _csrf_token(page: str) -> str:
    field = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    return unescape(field[1]) if field else ""
