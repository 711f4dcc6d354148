"""Parallel reads from PingOne: together they take as long as the slowest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from django.db import connections

from pingone_integration.calls import failed_calls, last_call
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.database import give_back
from pingone_integration.errors import PingOneError


def at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
    """Return the results of the reads in order; a failed read gives its PingOneError.

    The current deadline applies to each read, and they share one permit.
    Raises a PingOneError if no read can be made: no slot, no token.
    """
    with api.admitted() as permit:
        return _at_once(replace(api, permit=permit), *reads)


def _at_once(api: PingOneApi, *reads: Callable[[PingOneApi], Any]) -> list[Any]:
    def run(read: Callable[[PingOneApi], Any]) -> Any:
        try:
            with failed_calls.not_counted(), last_call.noted_later():  # below, by a thread with a database connection
                return read(api)
        except PingOneError as error:
            return error
        finally:
            connections.close_all()  # this thread's own; a token renewal opens one

    give_back()  # it waits for the threads
    with ThreadPoolExecutor(len(reads)) as threads:
        running = [threads.submit(copy_context().run, run, read) for read in reads]
        results = [one.result() for one in running]
    for result in results:
        if isinstance(result, PingOneError):
            failed_calls.count_call(api.connection_id, result)
    if api.permit:
        last_call.note_together(api.permit, [one if isinstance(one, PingOneError) else None for one in results])
    return results
