"""The HTTP transport to PingOne: connection pool, timeouts, and responses bounded in size and time."""

import os
import time
import zlib
from collections.abc import Iterable
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from django.conf import settings

from pingone_integration.calls import deadline
from pingone_integration.calls.database import give_back
from pingone_integration.calls.inflation import ACCEPTED, UnknownEncoding, inflated
from pingone_integration.calls.outgoing import new_transport, uses_proxy
from pingone_integration.errors import OutOfTime
from pingone_integration.metrics import count_call, outcome_of
from pingone_integration.version import VERSION

MAX_ANSWER_BYTES = 5_000_000
MAX_ANSWER_SECONDS = 20.0  # for a response that trickles in; TIMEOUT bounds each wait inside it
SHORTEST_WAIT_S = 0.01  # a socket timeout of 0 means non-blocking
TIMEOUT = httpx.Timeout(10.0, connect=5.0)


class _Waits(dict[str, float | None]):
    """The timeouts of a request. Each wait is shortened to the time left until the deadline."""

    def get(self, wait: str, default: Any = None) -> Any:
        seconds = super().get(wait, default)
        return seconds if seconds is None else max(deadline.at_most(seconds), SHORTEST_WAIT_S)


class AnswerTooLarge(httpx.TransportError):
    """The response exceeded MAX_ANSWER_BYTES and was dropped."""


class BoundedTransport(httpx.BaseTransport):
    """A transport that reads every response to its end, or fails: no half-read or endless responses.

    It calls PingOne directly, or by the proxy of this server. Raises OutOfTime if the current deadline is over, or
    ends during the request, and httpx.ConnectError also for a proxy that lets nothing through: nothing was sent.
    """

    def __init__(self, limits: httpx.Limits) -> None:
        self._direct = new_transport(limits=limits)
        self._by_proxy = new_transport(settings.PINGONE_PROXY, limits=limits) if settings.PINGONE_PROXY else None

    def close(self) -> None:
        for pool in (self._direct, self._by_proxy):
            if pool:
                pool.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline.require_time()
        give_back()
        waits = _Waits(request.extensions.get("timeout", {}))
        request.extensions = dict(request.extensions) | {"timeout": waits}
        began, outcome = time.monotonic(), "no_answer"
        try:
            response = self._whole_answer(request)
            outcome = outcome_of(response.status_code)
        except httpx.ProxyError as error:
            raise httpx.ConnectError(f"proxy: {error}", request=request) from error
        except httpx.TimeoutException as error:
            outcome = "timeout"
            if deadline.at_most(SHORTEST_WAIT_S) < SHORTEST_WAIT_S:
                raise OutOfTime(str(error)) from error
            raise
        else:
            return response
        finally:
            seconds = time.monotonic() - began
            count_call(path=request.url.path, method=request.method, outcome=outcome, seconds=seconds)

    def _whole_answer(self, request: httpx.Request) -> httpx.Response:
        started = time.monotonic()
        longest = deadline.at_most(MAX_ANSWER_SECONDS)
        by_proxy = self._by_proxy if uses_proxy(request.url.scheme, request.url.host) else None
        response = (by_proxy or self._direct).handle_request(request)
        content = bytearray()
        try:
            chunks: Iterable[bytes] = response.stream  # type: ignore[assignment]  # a synchronous transport
            for chunk in inflated(chunks, response.headers.get("Content-Encoding", "")):
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise AnswerTooLarge(f"more than {MAX_ANSWER_BYTES} bytes", request=request)
                if time.monotonic() - started > longest:
                    raise httpx.ReadTimeout(f"not complete after {longest:.0f} s", request=request)
        except (UnknownEncoding, zlib.error) as error:
            raise httpx.DecodingError(str(error), request=request) from error
        finally:
            response.close()
        described = {b"content-encoding", b"content-length", b"transfer-encoding"}  # no longer true of the decoded body
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in described]
        return httpx.Response(response.status_code, headers=headers, content=bytes(content))


USER_AGENT = f"pingone-console/{VERSION}"


@cache
def shared_transport() -> BoundedTransport:
    """Return the connection pool of this process.

    Only concurrency.py bounds it: in a queue for connections, organizations would wait for each other.
    """
    return BoundedTransport(httpx.Limits(max_connections=None, max_keepalive_connections=100))


def client_options() -> dict[str, Any]:
    """Return the options of every HTTP client: no redirects, no proxies from the environment, no cookies."""
    return {
        "transport": shared_transport(),
        "timeout": TIMEOUT,
        "headers": {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": ACCEPTED},
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "follow_redirects": False,
        "trust_env": False,
    }


# A forked worker (gunicorn --preload) must not talk over the sockets of its parent.
os.register_at_fork(after_in_child=shared_transport.cache_clear)
