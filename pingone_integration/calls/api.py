"""Calls to PingOne's management API: authorization, retry of reads, and errors as PingOneErrors."""

import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import httpx

from pingone_integration.calls import deadline, failed_calls, last_call
from pingone_integration.calls.gate import OVERLOADED, Permit, TokenSource, admit
from pingone_integration.calls.paging import Page, page_of, pingone_cursor
from pingone_integration.calls.responses import error_of, json_object, object_of, rejects_token, retry_after
from pingone_integration.calls.transport import AnswerTooLarge, client_options
from pingone_integration.errors import (
    ConnectionFailure,
    InvalidValue,
    OutOfTime,
    PingOneError,
    StaleCursor,
    Trace,
    Unavailable,
)

JSON = "application/json"
WAIT_OUT_S = 2  # the longest Retry-After that a read waits for
QUICK_RETRIES = 2  # per read
NEVER = math.inf  # seconds
SLOW_S = 2.0  # a call given up sooner is no sign that PingOne fails

READS = frozenset({"GET", "HEAD"})

Query = Mapping[str, str | int]
Pairs = tuple[tuple[str, str], ...]  # a query that may repeat a name
T = TypeVar("T")


@cache
def http_client() -> httpx.Client:
    """Return the API client of this process. It keeps connections open and never follows redirects."""
    return httpx.Client(**client_options())


os.register_at_fork(after_in_child=http_client.cache_clear)


@dataclass(frozen=True)
class PingOneApi:
    """Client for one base URL, usually a managed environment, with one connection's token.

    Paths are relative to the base and begin with a slash (`/users`). IDs in them are UUIDs, never text.
    Each call sends `transaction_id`, which PingOne keeps in its audit activities. All methods raise PingOneErrors.
    """

    base_url: str  # https://api.pingone.eu/v1/environments/<id>
    connection_id: UUID  # the connection that makes the calls
    tokens: TokenSource
    transaction_id: UUID
    permit: Permit | None = None  # shared by parallel calls; None if each call gets its own

    def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """Send a GET. Retries if the connection breaks, PingOne is overloaded or asks for a short wait."""
        return self._call("GET", path, query=query)

    def get_page(
        self,
        path: str,
        collection: str,
        parse: Callable[[dict[str, Any]], T | None],
        *,
        query: Query | None = None,
        cursor: str | None = None,
    ) -> Page[T]:
        """Read one page of a list. `cursor` comes from an earlier page of the same query.

        Raises StaleCursor if the list has to start again: the token was renewed, or PingOne refuses the cursor.
        """
        query = dict(query or {})
        with self._calling("GET", path) as permit:
            if cursor:
                query["cursor"] = pingone_cursor(cursor, token_version=permit.token.version)
            try:
                body, token_version = self._object(permit, "GET", path, query=query)
            except InvalidValue as error:
                if cursor:
                    raise StaleCursor(str(error), details=error.details, trace=error.trace) from error
                raise
        return page_of(body, collection, parse, token_version=token_version)

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

    def exchange(
        self, method: str, path: str, *, query: Pairs, content: str | None, media_type: str = JSON
    ) -> httpx.Response:
        """Send a request and return PingOne's raw response, of any status."""
        trace = Trace(transaction_id=str(self.transaction_id), call=f"{method} {path}")
        with self.admitted() as permit, failed_calls.counted(self.connection_id):
            try:
                response, _ = self._answer(
                    permit, method, path, trace, query=query, content=content, media_type=media_type
                )
            except PingOneError as error:
                last_call.note(permit, trace.call, error)
                raise
            refusal = error_of(response, json_object(response) or {}, trace, wrote=method not in READS)
            last_call.note(permit, trace.call, None if response.is_success else refusal)
        return response

    def _call(self, /, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Return the JSON object of the response, `{}` if it is empty."""
        with self._calling(method, path) as permit:
            body, _ = self._object(permit, method, path, **request)
        return body

    @contextmanager
    def _calling(self, method: str, path: str) -> Iterator[Permit]:
        """Pass the gate with one call, and keep how it ends."""
        with (
            self.admitted() as permit,
            failed_calls.counted(self.connection_id),
            last_call.noted(permit, f"{method} {path}"),
        ):
            yield permit

    def admitted(self) -> AbstractContextManager[Permit]:
        """Pass the gate, see calls/gate.py. The permit is valid inside the block."""
        return nullcontext(self.permit) if self.permit else admit(self.connection_id, self.tokens)

    def _object(self, permit: Permit, method: str, path: str, **request: Any) -> tuple[dict[str, Any], int]:
        """Return the JSON object of the response, and the version of the token that was used."""
        trace = Trace(transaction_id=str(self.transaction_id), call=f"{method} {path}")
        response, token_version = self._answer(permit, method, path, trace, **request)
        return object_of(response, trace, wrote=method not in READS), token_version

    def _answer(
        self, permit: Permit, method: str, path: str, trace: Trace, **request: Any
    ) -> tuple[httpx.Response, int]:
        response = self._send(permit, method, path, trace, **request)
        if rejects_token(response):
            # PingOne refused before it did anything, so a retry with a new token repeats nothing.
            permit = permit.with_new_token()
            response = self._send(permit, method, path, trace, **request)
        return response, permit.token.version

    def _send(
        self,
        permit: Permit,
        method: str,
        path: str,
        trace: Trace,
        *,
        query: Query | Pairs | None = None,
        json: Any = None,
        content: str | None = None,
        media_type: str = JSON,
    ) -> httpx.Response:
        """Return PingOne's response, of any status. Raises ConnectionFailure, Unavailable or RateLimited.

        The current deadline cuts off a read. A write does not start after the deadline, but is never cut off.
        """
        reading = method in READS
        headers = {
            "Authorization": f"Bearer {permit.token.value}",
            "X-Ping-External-Transaction-ID": str(self.transaction_id),
        }
        if not reading and (json is not None or content is not None or media_type != JSON):
            headers["Content-Type"] = media_type
        request = http_client().build_request(
            method,
            self.base_url + path,
            params=query or None,
            headers=headers,
            json=json,
            content=content,
        )
        for retries_left in range(QUICK_RETRIES if reading else 0, -1, -1):
            began = time.monotonic()
            try:
                deadline.require_time()
                permit.wait_for_rate(trace)
                with nullcontext() if reading else deadline.lifted():
                    response = http_client().send(request)
            except OutOfTime as error:
                failure = OutOfTime(str(error), trace=trace)
                failure.waited_long = time.monotonic() - began > SLOW_S
                if failure.waited_long:
                    permit.failed(failure)
                raise failure from error
            except httpx.HTTPError as error:
                wait = _moment() if isinstance(error, _BROKEN) else NEVER
                if not retries_left or not deadline.allows(wait):
                    raise _no_answer(error, permit, trace, outcome_known=reading) from error
            else:
                wait = _wait_after(response)
                if not retries_left or not deadline.allows(wait):
                    permit.answered(response, trace)
                    return response
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


def _no_answer(error: httpx.HTTPError, permit: Permit, trace: Trace, *, outcome_known: bool) -> PingOneError:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        failure: PingOneError = ConnectionFailure(str(error), trace=trace)
    else:
        failure = Unavailable(str(error), trace=trace, outcome_known=outcome_known)
    if not isinstance(error, AnswerTooLarge | httpx.PoolTimeout):  # says nothing about PingOne's health
        permit.failed(failure)
    return failure


# Errors that show at once that there is no response. A timeout is not retried: it would only take as long again.
_BROKEN = (httpx.NetworkError, httpx.RemoteProtocolError)


def _wait_after(response: httpx.Response) -> float:
    """Return the seconds until a read is retried, or NEVER."""
    if response.status_code in OVERLOADED:
        return _moment()
    if response.status_code == 429:
        asked = retry_after(response)
        return asked if asked is not None and asked <= WAIT_OUT_S else NEVER
    return NEVER


def _moment() -> float:
    """Return the seconds between two attempts, with jitter."""
    return random.uniform(0.1, 0.3)  # noqa: S311 - jitter, not a secret
