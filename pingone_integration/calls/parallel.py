"""Several reads from PingOne at the same time: together they take as long as the slowest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections

from pingone_integration.calls import concurrency, failed_calls
from pingone_integration.calls.api import AccessToken, PingOneApi, TokenSource
from pingone_integration.errors import PingOneError


def at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
    """What each read returned, in their order; a PingOneError stands where a read failed with it.

    The deadline of the page holds for each of them, and they share one slot.
    Raises the PingOneError that keeps all of them from being made: no token, no slot.
    """
    with concurrency.slot(api.connection_id):
        return _at_once(api, *reads)


def _at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
    api = replace(api, tokens=_OneToken(api.tokens.current(), api.tokens))

    def run(read: Callable[[PingOneApi], Any]) -> Any:
        try:
            with failed_calls.not_counted():  # below, by a thread that has a connection to the database
                return read(api)
        except PingOneError as error:
            return error
        finally:
            connections.close_all()  # this thread's own, should a token have been renewed

    with ThreadPoolExecutor(len(reads)) as threads:
        running = [threads.submit(copy_context().run, run, read) for read in reads]
        results = [one.result() for one in running]
    for result in results:
        if isinstance(result, PingOneError):
            failed_calls.count_call(api.connection_id, result)
    return results


@dataclass(frozen=True)
class _OneToken:
    """The access token looked up once, for calls that are made at the same time."""

    token: AccessToken
    tokens: TokenSource

    def current(self) -> AccessToken:
        return self.token

    def renewed(self, rejected: AccessToken) -> AccessToken:
        return self.tokens.renewed(rejected)
