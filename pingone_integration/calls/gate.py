"""The one gate that every call passes: slot, pause, token and, for each attempt, the rate limit.

What came of the call goes back through the permit, to the circuit breaker and the rate limit. All numbers are in
docs/calls.md.
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
    """An access token, and which of the connection's tokens it is: list cursors are good with one version only."""

    value: str = field(repr=False)
    version: int


class TokenSource(Protocol):
    """Where calls get their access token."""

    def row(self) -> Connection:
        """Return the connection as it stands now. Raises NotConnected, or what ended the grant."""

    def current(self, row: Connection) -> AccessToken:
        """Return the token of a row read just now, renewed first where it has run out."""

    def renewed(self, rejected: AccessToken) -> AccessToken:
        """Return another one, after PingOne did not accept `rejected`."""


@dataclass(frozen=True)
class Permit:
    """Leave to make a call, or several at the same time, with one token."""

    connection_id: UUID
    tokens: TokenSource
    token: AccessToken
    is_trial: bool  # after a pause: the call that finds out whether PingOne answers again

    def wait_for_rate(self, trace: Trace) -> None:
        """Wait until one attempt fits into the rate limit. Raises RateLimited: nothing was sent."""
        rate_limit.wait_for_permit(self.connection_id, trace)

    def answered(self, response: httpx.Response, trace: Trace) -> None:
        """Tell the circuit breaker and the rate limit what PingOne answered."""
        if response.status_code in OVERLOADED:
            self.failed(error_of(response, {}, trace, wrote=False))
        else:
            breaker.answered(self.connection_id, tried=self.is_trial)
        if response.status_code == 429:
            rate_limit.refused(self.connection_id, retry_after(response))

    def failed(self, error: PingOneError) -> None:
        """Tell the circuit breaker that there was no answer, or one of an overloaded PingOne."""
        breaker.failed(self.connection_id, error, tried=self.is_trial)

    def with_new_token(self) -> "Permit":
        """Return a permit to send the call again, after PingOne did not accept the token.

        That refusal was the answer that a trial waits for.
        """
        return replace(self, token=self.tokens.renewed(self.token), is_trial=False)


@contextmanager
def admit(connection_id: UUID, tokens: TokenSource) -> Iterator[Permit]:
    """Let one call to PingOne through, or say at once why not; the slot is held until the block ends.

    Raises Busy, NotConnected or what ended the grant, CallsPaused, and what keeps the token from being renewed. One
    query, unless the token has to be renewed.
    """
    with concurrency.slot(connection_id):
        row = tokens.row()
        rate_limit.learn(row)
        is_trial = breaker.let_pass(row)
        yield Permit(connection_id, tokens, tokens.current(row), is_trial)
