"""Parallel reads from PingOne: together they take as long as the slowest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from django.db import connections

from pingone_integration.calls import failed_calls
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError


def at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
    """Return what each read returned, in their order; a PingOneError stands where a read failed with it.

    The deadline of the work at hand holds for each of them, and they share one permit.
    Raises the PingOneError that keeps all of them from being made: no slot, no token.
    """
    with api.admitted() as permit:
        return _at_once(replace(api, permit=permit), *reads)


def _at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
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
