"""Bytes on the wire: authorization, timeouts, retries of reads, and PingOne's failures made into our errors."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx

from pingone_integration.errors import ConnectionFailure, Trace, Unavailable
from pingone_integration.responses import raise_for_error

logger = logging.getLogger(__name__)

JSON = "application/json"
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
READ_ATTEMPTS = 2
_TRY_AGAIN = frozenset({502, 503, 504})

Query = Mapping[str, str | int]


@cache
def http_client() -> httpx.Client:
    """The one client of this process: connections stay open between calls, redirects are never followed."""
    return httpx.Client(
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=40),
        headers={"User-Agent": "pingone-console", "Accept": JSON},
        follow_redirects=False,
        trust_env=False,
    )


class TokenSource:
    """Where the API gets its access token: `current()`, and `replace(token)` after PingOne rejected that token."""

    def __init__(self, current: Callable[[], str], replace: Callable[[str], str]) -> None:
        self.current = current
        self.replace = replace


@dataclass(frozen=True)
class PingOneApi:
    """Calls into one managed environment, with one connection's token.

    Paths are relative to the environment (`/users`), and begin with a slash; ids in them are UUIDs, never text.
    Each call sends `transaction_id`, which PingOne keeps in its audit activities.
    """

    base_url: str  # https://api.pingone.eu/v1/environments/<id>
    tokens: TokenSource
    transaction_id: UUID

    def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """A read: tried once more after a connection failure or 502, 503, 504."""
        return self._call("GET", path, query=query)

    def post(
        self, path: str, json: Any = None, *, media_type: str = JSON, query: Query | None = None
    ) -> dict[str, Any]:
        return self._call("POST", path, json=json, media_type=media_type, query=query)

    def put(self, path: str, json: Any, *, media_type: str = JSON) -> dict[str, Any]:
        return self._call("PUT", path, json=json, media_type=media_type)

    def patch(self, path: str, json: Any) -> dict[str, Any]:
        return self._call("PATCH", path, json=json)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(
        self, method: str, path: str, *, query: Query | None = None, json: Any = None, media_type: str = JSON
    ) -> dict[str, Any]:
        """The answer's JSON object; `{}` for an empty answer. Raises a PingOneError."""
        trace = Trace(transaction_id=str(self.transaction_id), call=f"{method} {path}")
        token = self.tokens.current()
        response = self._send(method, path, token, trace, query=query, json=json, media_type=media_type)
        if response.status_code == 401:
            # Refused before anything was done, so that asking again with a new token repeats nothing.
            token = self.tokens.replace(token)
            response = self._send(method, path, token, trace, query=query, json=json, media_type=media_type)
        return raise_for_error(response, trace, wrote=method != "GET")

    def _send(
        self,
        method: str,
        path: str,
        token: str,
        trace: Trace,
        *,
        query: Query | None,
        json: Any,
        media_type: str,
    ) -> httpx.Response:
        reading = method == "GET"
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Ping-External-Transaction-ID": str(self.transaction_id),
        }
        if not reading and (json is not None or media_type != JSON):
            headers["Content-Type"] = media_type
        attempts = READ_ATTEMPTS if reading else 1
        for attempt in range(1, attempts + 1):
            try:
                response = http_client().request(
                    method,
                    self.base_url + path,
                    params=dict(query) if query else None,
                    headers=headers,
                    **({"json": json} if json is not None else {}),
                )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if attempt == attempts:
                    raise ConnectionFailure(str(error), trace=trace) from error
            except httpx.HTTPError as error:
                if attempt == attempts:
                    raise Unavailable(str(error), trace=trace, outcome_known=reading) from error
            else:
                if response.status_code not in _TRY_AGAIN or attempt == attempts:
                    return response
            time.sleep(random.uniform(0.1, 0.3))  # noqa: S311 - jitter, not a secret
        raise AssertionError("the last attempt returns or raises")


def new_transaction_id() -> UUID:
    return uuid4()
