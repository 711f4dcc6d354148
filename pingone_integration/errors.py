"""The errors of PingOne: one class for each different reaction to an error.

A resolution says what PingOne needs. The code that shows the error adds who does it, and where.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone


@dataclass(frozen=True)
class Detail:
    """One entry of `details` in PingOne's error envelope."""

    code: str  # e.g. UNIQUENESS_VIOLATION
    target: str  # attribute path, e.g. name.given; empty if PingOne names none
    message: str  # PingOne's English text for developers: may change, never shown alone
    inner: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Data for PingOne's support. Without a response, at most `transaction_id` and `call` are set."""

    status: int | None = None
    code: str | None = None  # PingOne's top-level code, e.g. INVALID_DATA; or OAuth's, e.g. invalid_grant
    error_id: str | None = None
    correlation_id: str | None = None
    transaction_id: str | None = None  # ours, sent as X-Ping-External-Transaction-ID
    call: str | None = None  # method and path without query, e.g. "GET /users"


class PingOneError(Exception):
    """A PingOne call failed. A subclass says why, and what to do."""

    kind: str = "unexpected"  # in URLs and the log: never renamed
    title: str = "PingOne refused the request"
    cause: str = "PingOne answered something that is not known here."
    resolution: str = "Try again; if it stays, ask PingOne support."
    outcome_known: bool = True  # False if PingOne may have acted (outcome unknown)

    def __init__(
        self,
        detail: str = "",
        *,
        details: tuple[Detail, ...] = (),
        trace: Trace = Trace(),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.details = details
        self.trace = trace
        self.retry_after_s = retry_after_s  # seconds; None if PingOne named no time


class ConnectionFailure(PingOneError):
    """PingOne could not be reached, so nothing happened there."""

    kind = "connection-failure"
    title = "PingOne could not be reached"
    cause = "The Auth URL may be of another region, or the network, DNS or TLS between here and PingOne fails."
    resolution = "Compare the Auth URL and the API URL derived from it with PingOne's settings, then try again."


class NotConnected(PingOneError):
    """The organization is not connected yet, or was disconnected."""

    kind = "not-connected"
    title = "This organization is not connected to PingOne"
    cause = "No administrator has approved the access yet, or the connection was ended."
    resolution = "An administrator at PingOne has to approve the access."


class SettingsIncomplete(NotConnected):
    """Client ID, secret, Auth URL or Environment ID is still missing."""

    kind = "settings-incomplete"
    title = "The PingOne settings are not complete"
    cause = "Connecting needs Client ID, Client secret, Auth URL and Environment ID."
    resolution = "All four have to be entered."


class NoEnvironmentChosen(NotConnected):
    """The organization is connected, but has no managed environment yet."""

    kind = "no-environment-chosen"
    title = "No environment is chosen yet"
    cause = "PingOne is connected, but nobody has chosen which of its environments to manage here."
    resolution = "One of them has to be chosen."


class AuthenticationError(PingOneError):
    """PingOne does not authenticate us: client ID, secret, method, code or redirect URI."""

    kind = "authentication-error"
    title = "PingOne does not accept these credentials"
    cause = "The client ID or secret is wrong, the client authentication method differs, or the code expired."
    resolution = (
        "Compare Client ID, Client secret and authentication method with the PingOne application, then connect again."
    )


class TokenRefreshFailure(PingOneError):
    """The grant has ended: the refresh token expired, was revoked or was replayed."""

    kind = "token-refresh-failure"
    title = "The access to PingOne has ended"
    cause = "The refresh token expired, was revoked, or the session of the administrator who connected ended."
    resolution = "An administrator at PingOne has to approve the access again."


class NoRefreshToken(TokenRefreshFailure):
    """The access token expired, and PingOne gave no refresh token."""

    kind = "no-refresh-token"
    cause = "PingOne gave no refresh token: the application's Refresh Token grant is switched off."
    resolution = "Switch on the Refresh Token grant of the PingOne application, then connect again."


class TokenRejected(PingOneError):
    """The API refuses an access token that was just issued, or has not expired."""

    kind = "token-rejected"
    title = "PingOne does not accept its own access token"
    cause = "The API host belongs to another region than the Auth URL, or the administrator's access just ended."
    resolution = "Try again; if it stays, compare the Auth URL with PingOne's, and connect again."


class SignOnUnverified(PingOneError):
    """The ID token does not prove who approved the connection."""

    kind = "sign-on-unverified"
    title = "The sign-on at PingOne could not be verified"
    cause = "The ID token's signature, issuer, audience or time does not fit, or PingOne sent none."
    resolution = "Check that the clock of this server is right, then connect again. Nothing was changed."

    def __init__(self, detail: str = "", *, clock_ahead_s: float = 0) -> None:
        """`clock_ahead_s`: seconds that this clock is ahead of PingOne's (negative: behind), if that is the reason."""
        super().__init__(detail)
        if clock_ahead_s:
            direction = "ahead of" if clock_ahead_s > 0 else "behind"
            self.cause = f"The clock of this server is {round(abs(clock_ahead_s) / 60)} minutes {direction} PingOne's."


class StateRejected(PingOneError):
    """A browser returned from PingOne with a `state` that matches no waiting attempt to connect."""

    class Reason(StrEnum):
        MISSING = "missing"
        FOREIGN = "foreign"
        STALE = "stale"
        REPLAYED = "replayed"

    kind = "state-rejected"
    title = "This return from PingOne does not belong to an attempt from here"
    cause = "It belongs to none of the attempts to connect that are waiting."
    resolution = "Begin to connect anew. Nothing was changed."
    reason: Reason | None = None  # None if rebuilt from the database
    causes = {
        Reason.MISSING: "The address lacks the `state` that PingOne sends back: it was opened by hand or cut off.",
        Reason.FOREIGN: "The attempt was begun in another browser, by somebody else, or before a sign-out.",
        Reason.STALE: "More than ten minutes passed between the beginning and the approval of the access.",
        Reason.REPLAYED: "This return was used already, for example by reloading its address or in a second tab.",
    }

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.cause = self.causes[reason]


class InvalidApiUrl(PingOneError):
    """The Auth URL or Environment ID is invalid."""

    kind = "invalid-api-url"
    title = "This is not an Auth URL of PingOne"
    cause = "The Auth URL or the Environment ID is malformed, or its host is not one of PingOne's regions."
    resolution = "Copy the Auth URL from PingOne, for example https://auth.pingone.eu, and the Environment ID."


class UnknownEnvironment(InvalidApiUrl):
    """The Auth URL's host responds, but has no such environment."""

    kind = "unknown-environment"
    title = "PingOne does not know this environment"
    cause = "The Environment ID is mistyped, or the environment is in another region than the Auth URL."
    resolution = "Compare the Environment ID and the region of the Auth URL with the environment's page in PingOne."


class MissingPermission(PingOneError):
    """403: a role is missing, or the administrator may not see the environment."""

    kind = "missing-permission"
    title = "PingOne does not allow this"
    cause = "The administrator who connected lacks the role for it, or the environment is not one they can see."
    resolution = "Give that administrator the role in PingOne, choose another environment, or connect as another one."


class LicenseExceeded(PingOneError):
    """403 LICENSE_EXCEEDED: the license allows no more users, populations or the like."""

    kind = "license-exceeded"
    title = "PingOne's licence is used up"
    cause = "The environment has as many users, or whatever this is about, as its licence allows."
    resolution = "Ask whoever manages the PingOne licence; nothing was changed."


class Blocked(PingOneError):
    """A 403 from outside PingOne's API: its gateway does not know the path, or a proxy blocks it."""

    kind = "blocked"
    title = "The request was blocked on its way"
    cause = "PingOne's gateway knows no such address, or something between here and PingOne blocks it."
    resolution = "Compare the API URL with PingOne's settings, and ask whoever runs the network."


class NotFound(PingOneError):
    """404: the user, group or device is gone, or outside the populations the administrator sees."""

    kind = "target-not-found"
    title = "PingOne does not find this"
    cause = "It was deleted, or it is in a population that the administrator who connected may not see."
    resolution = "Search again."


class Duplicate(PingOneError):
    """A value that must be unique is taken (400 UNIQUENESS_VIOLATION)."""

    kind = "duplicate"
    title = "This already exists"
    cause = "Another user or group has the same value, perhaps in a population you cannot see."
    resolution = "Choose another value, or work with the existing one."


class InvalidValue(PingOneError):
    """400 INVALID_DATA: `details` name the attributes."""

    kind = "invalid-value"
    title = "PingOne does not accept a value"
    cause = "A value breaks a rule of PingOne or of this environment."
    resolution = "Correct the values that PingOne names."


class StaleCursor(PingOneError):
    """A list cursor that belongs to an older access token, or is too old (400)."""

    kind = "stale-cursor"
    title = "The list started again at its first page"
    cause = "PingOne's place mark for the next page is only good for a while."
    resolution = "Go on from here."


class RefusedByState(PingOneError):
    """The request is valid, but the state of the user forbids it (REQUEST_FAILED, 415 to an unlock)."""

    kind = "refused-by-state"
    title = "PingOne cannot do this for the user as they are now"
    cause = "For example the user is disabled, has no password, or signs on with another identity provider."
    resolution = "Look at the user's status and choose the action that fits."


class UnlockFailure(RefusedByState):
    """PingOne refuses to unlock: another kind of lock, a deactivated user, or a license without unlocking."""

    class Reason(StrEnum):
        DISABLED = "disabled"
        ACCOUNT = "account"  # still locked
        PASSWORD = "password"  # noqa: S105 - it is what is locked
        DEVICE = "device"

    kind = "unlock-failure"
    title = "PingOne did not unlock the user"
    cause = "It may be a lock of another kind, of the password or an MFA device, or the licence is without unlocking."
    resolution = "Look at the state of account, password and MFA devices, and unlock what is locked."
    reason: Reason | None = None  # None if unknown


class ChangedMeanwhile(PingOneError):
    """Optimistic locking: the user has changed since the values were read. Nothing was written."""

    kind = "changed-meanwhile"
    title = "The user has changed since"
    cause = "Somebody else, or PingOne itself, changed this user after the values were read."
    resolution = "Look at the values as they are now, then decide again."


class RateLimited(PingOneError):
    """429, or our own rate limit. `retry_after_s` says when to retry, if known."""

    kind = "rate-limited"
    title = "PingOne asks to slow down"
    cause = "The licence's request limit is used up for the moment, by this server or by something else."
    resolution = "Wait a moment and try again."


class Unavailable(PingOneError):
    """5xx, a timeout, a reset or an unreadable response. After a write, the outcome may be unknown."""

    kind = "unavailable"
    title = "PingOne did not answer properly"
    cause = "PingOne or the network in between has a fault at the moment."
    resolution = "Try again in a moment."

    def __init__(self, detail: str = "", *, outcome_known: bool = True, **more: Any) -> None:
        super().__init__(detail, **more)
        self.outcome_known = outcome_known
        if not outcome_known:
            self.title = "PingOne did not answer: it may have happened all the same"
            self.cause = "The request was sent, and then PingOne or the network in between failed."
            self.resolution = "Look at how things stand now, before doing it again."


class BeingRenewed(Unavailable):
    """Another request still renews the access token, and this request cannot wait longer."""

    kind = "being-renewed"
    title = "The access to PingOne is being renewed"
    cause = "PingOne takes long to renew the access token that another request asked for."
    resolution = "Try again in a few seconds."


class OutOfTime(Unavailable):
    """The deadline is over. The call was not sent, or its response was not waited for."""

    kind = "out-of-time"
    title = "PingOne takes too long"
    cause = "PingOne did not answer within the time that there is for all of its answers together."
    resolution = "Try again in a moment."


class Busy(Unavailable):
    """The concurrency limit is reached: too many requests of the organization wait. Nothing was sent."""

    kind = "busy"
    title = "Too many requests are waiting for PingOne already"
    cause = "PingOne answers slowly, or many people of this organization work at the same moment."
    resolution = "Try again in a few seconds."


class CallsPaused(Unavailable):
    """The circuit breaker is open: PingOne failed several times in a row, so calls fail at once for a while."""

    kind = "calls-paused"
    title = "Calls to PingOne are paused for a moment"
    cause = "PingOne failed several times in a row, so that it is not asked for a while."
    resolution = "Try again after that time."

    def __init__(self, detail: str = "", *, last: str = "", seconds: int = 0, until: datetime | None = None) -> None:
        super().__init__(detail, retry_after_s=seconds or None)
        if until:
            at = f"{timezone.localtime(until):%H:%M:%S %Z}"
            self.cause = f"PingOne failed several times in a row; the last time: {last}. It is tried again at {at}."


class SealBroken(PingOneError):
    """A sealed value cannot be decrypted: its key is gone, it was altered, or it belongs to another place."""

    kind = "seal-broken"
    title = "The stored credentials cannot be opened"
    cause = "The key they were sealed with is not among this server's CREDENTIAL_KEYS, or the database was altered."
    resolution = "Bring the key back, or enter the secret anew."

    def __init__(self, detail: str = "", *, was_moved: bool = False, **more: Any) -> None:
        super().__init__(detail, **more)
        if was_moved:
            self.cause = "They were sealed for another organization or another purpose: the database was altered."
            self.resolution = "Find out who wrote to the database, and restore it; or enter the secret anew."


def kinds() -> dict[str, type[PingOneError]]:
    """Return every error class by its kind."""
    found = {PingOneError.kind: PingOneError}
    waiting = PingOneError.__subclasses__()
    while waiting:
        one = waiting.pop()
        found[one.kind] = one
        waiting += one.__subclasses__()
    return found


def of_kind(kind: str, *, otherwise: type[PingOneError]) -> type[PingOneError]:
    """Return the class of a stored `kind`."""
    return kinds().get(kind, otherwise)


def rebuilt(kind: str, detail: str, *, otherwise: type[PingOneError]) -> PingOneError:
    """Rebuild an error of a stored kind, with the texts of its class and the stored `detail`.

    Data that a subclass's constructor adds, such as a time, is not stored: the class's defaults apply.
    """
    error_class = of_kind(kind, otherwise=otherwise)
    error = error_class.__new__(error_class)
    PingOneError.__init__(error, detail)
    return error
