"""The gate that every call passes: slot, pause, token and, for each attempt, the rate limit.

The permit reports the result to the circuit breaker and the rate limit. All numbers are in docs/calls.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

import httpx

from pingone_integration.calls import breaker, concurrency, rate_limit
from pingone_integration.calls.responses import error_of, retry_after
from pingone_integration.errors import PingOneError, Trace
from pingone_integration.models import Connection

OVERLOADED = frozenset({502, 503, 504})


@dataclass(frozen=True)
class AccessToken:
    """An access token and its version: a list cursor is valid with one version only."""

    value: str = field(repr=False)
    version: int


class TokenSource(Protocol):
    """The source of access tokens for calls."""

    def row(self) -> Connection:
        """Return the connection, freshly read. Raises NotConnected, or the error that ended the grant."""

    def current(self, row: Connection) -> AccessToken:
        """Return the token of a freshly read row, renewed first if it has expired."""

    def renewed(self, rejected: AccessToken) -> AccessToken:
        """Return a newer token, after PingOne refused `rejected`."""


@dataclass(frozen=True)
class Permit:
    """Permission for a call, or several parallel calls, with one token."""

    connection_id: UUID
    tokens: TokenSource
    token: AccessToken
    is_trial: bool  # the call finds out whether PingOne responds again after a pause
    failing_kind: str = ""  # of the last call, when this one began; see last_call.py

    def wait_for_rate(self, trace: Trace) -> None:
        """Wait until the rate limit allows an attempt. Raises RateLimited: nothing was sent."""
        rate_limit.wait_for_permit(self.connection_id, trace)

    def answered(self, response: httpx.Response, trace: Trace) -> None:
        """Report the response to the circuit breaker and the rate limit."""
        if response.status_code in OVERLOADED:
            self.failed(error_of(response, {}, trace, wrote=False))
        else:
            breaker.answered(self.connection_id, tried=self.is_trial)
        if response.status_code == 429:
            rate_limit.refused(self.connection_id, retry_after(response))

    def failed(self, error: PingOneError) -> None:
        """Report to the circuit breaker: no response, or an overloaded PingOne."""
        breaker.failed(self.connection_id, error, tried=self.is_trial)

    def with_new_token(self) -> "Permit":
        """Return a permit to send the call again, after PingOne refused the token.

        It is no trial: the refusal was the response that a trial waits for.
        """
        return replace(self, token=self.tokens.renewed(self.token), is_trial=False)


@contextmanager
def admit(connection_id: UUID, tokens: TokenSource) -> Iterator[Permit]:
    """Admit one call to PingOne, or raise at once. The slot is held until the block ends.

    Raises Busy, NotConnected or the error that ended the grant, CallsPaused, or the error of the token renewal. Takes
    one query, unless the token has to be renewed or a pause has just ended.
    """
    with concurrency.slot(connection_id):
        row = tokens.row()
        rate_limit.learn(row)
        is_trial = breaker.let_pass(row)
        yield Permit(connection_id, tokens, tokens.current(row), is_trial, row.calls_failing_kind)
