"""Every PingOne error: one class for each thing that somebody does differently about it.

A resolution says what PingOne needs. Who does it, and where, is added by whoever shows the error.
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
    target: str  # attribute path, e.g. name.given; empty when PingOne names none
    message: str  # PingOne's English text for developers: it may change, and never stands alone
    inner: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What PingOne's support asks for; all None when there was no answer."""

    status: int | None = None
    code: str | None = None  # PingOne's top-level code, e.g. INVALID_DATA; or OAuth's, e.g. invalid_grant
    error_id: str | None = None
    correlation_id: str | None = None
    transaction_id: str | None = None  # ours, sent as X-Ping-External-Transaction-ID
    call: str | None = None  # method and path without query, e.g. "GET /users"


class PingOneError(Exception):
    """A PingOne call did not succeed. A subclass says why, and what helps."""

    kind: str = "unexpected"  # in URLs and the log: never renamed
    title: str = "PingOne refused the request"
    cause: str = "PingOne answered something that is not known here."
    resolution: str = "Try again; if it stays, ask PingOne support."
    outcome_known: bool = True  # False: PingOne may have acted although we did not see it

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
        self.retry_after_s = retry_after_s  # seconds; None: PingOne named no time


class ConnectionFailure(PingOneError):
    """No conversation came about, so nothing happened at PingOne."""

    kind = "connection-failure"
    title = "PingOne could not be reached"
    cause = "The Auth URL may be of another region, or the network, DNS or TLS between here and PingOne fails."
    resolution = "Compare the Auth URL and the API URL derived from it with PingOne's settings, then try again."


class NotConnected(PingOneError):
    """Nobody has connected the organization yet, or it was disconnected."""

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
    """Connected, but which of the visible environments to manage is still open."""

    kind = "no-environment-chosen"
    title = "No environment is chosen yet"
    cause = "PingOne is connected, but nobody has chosen which of its environments to manage here."
    resolution = "One of them has to be chosen."


class AuthenticationError(PingOneError):
    """PingOne does not accept who we say we are: client ID, secret, method, code or redirect URI."""

    kind = "authentication-error"
    title = "PingOne does not accept these credentials"
    cause = "The client ID or secret is wrong, the client authentication method differs, or the code expired."
    resolution = (
        "Compare Client ID, Client secret and authentication method with the PingOne application, then connect again."
    )


class TokenRefreshFailure(PingOneError):
    """The grant is gone for good: the refresh token expired, was revoked or was replayed."""

    kind = "token-refresh-failure"
    title = "The access to PingOne has ended"
    cause = "The refresh token expired, was revoked, or the session of the administrator who connected ended."
    resolution = "An administrator at PingOne has to approve the access again."


class NoRefreshToken(TokenRefreshFailure):
    """The access token ran out, and PingOne never gave anything to renew it with."""

    kind = "no-refresh-token"
    cause = "PingOne gave no refresh token: the application's Refresh Token grant is switched off."
    resolution = "Switch on the Refresh Token grant of the PingOne application, then connect again."


class TokenRejected(PingOneError):
    """The API does not accept an access token that PingOne has just issued, or still counts as good."""

    kind = "token-rejected"
    title = "PingOne does not accept its own access token"
    cause = "The API host belongs to another region than the Auth URL, or the administrator's access just ended."
    resolution = "Try again; if it stays, compare the Auth URL with PingOne's, and connect again."


class SignOnUnverified(PingOneError):
    """The ID token does not prove who approved the access."""

    kind = "sign-on-unverified"
    title = "The sign-on at PingOne could not be verified"
    cause = "The ID token's signature, issuer, audience or time does not fit, or PingOne sent none."
    resolution = "Check that the clock of this server is right, then connect again. Nothing was changed."

    def __init__(self, detail: str = "", *, clock_ahead_s: float = 0) -> None:
        """`clock_ahead_s`: how far this server's clock is ahead of PingOne's, or behind it, if that is the reason."""
        super().__init__(detail)
        if clock_ahead_s:
            direction = "ahead of" if clock_ahead_s > 0 else "behind"
            self.cause = f"The clock of this server is {round(abs(clock_ahead_s) / 60)} minutes {direction} PingOne's."


class StateRejected(PingOneError):
    """A browser came back from PingOne with a `state` that belongs to no attempt to connect that is waiting."""

    class Reason(StrEnum):
        MISSING = "missing"
        FOREIGN = "foreign"
        STALE = "stale"
        REPLAYED = "replayed"

    kind = "state-rejected"
    title = "This return from PingOne does not belong to an attempt from here"
    cause = "It belongs to none of the attempts to connect that are waiting."
    resolution = "Begin to connect anew. Nothing was changed."
    reason: Reason | None = None  # None: an error that was stored and read again
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
    """The Auth URL or Environment ID cannot be right."""

    kind = "invalid-api-url"
    title = "This is not an Auth URL of PingOne"
    cause = "The Auth URL or the Environment ID is malformed, or its host is not one of PingOne's regions."
    resolution = "Copy the Auth URL from PingOne, for example https://auth.pingone.eu, and the Environment ID."


class UnknownEnvironment(InvalidApiUrl):
    """The Auth URL's host answers, but has no such environment."""

    kind = "unknown-environment"
    title = "PingOne does not know this environment"
    cause = "The Environment ID is mistyped, or the environment is in another region than the Auth URL."
    resolution = "Compare the Environment ID and the region of the Auth URL with the environment's page in PingOne."


class MissingPermission(PingOneError):
    """403: a role is missing, or the environment is not one the administrator may see."""

    kind = "missing-permission"
    title = "PingOne does not allow this"
    cause = "The administrator who connected lacks the role for it, or the environment is not one they can see."
    resolution = "Give that administrator the role in PingOne, choose another environment, or connect as another one."


class LicenseExceeded(PingOneError):
    """403 LICENSE_EXCEEDED: as many users, populations or the like as were bought."""

    kind = "license-exceeded"
    title = "PingOne's licence is used up"
    cause = "The environment has as many users, or whatever this is about, as its licence allows."
    resolution = "Ask whoever manages the PingOne licence; nothing was changed."


class Blocked(PingOneError):
    """A 403 that PingOne's API did not write: its gateway knows no such path, or a proxy is in between."""

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
    """A 400 to a list cursor: it belongs to an older access token, or is too old."""

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
    """PingOne does not lift a lock: it is one of another kind, the user is disabled, or the licence is without it."""

    class Reason(StrEnum):
        DISABLED = "disabled"
        ACCOUNT = "account"  # locked, and stays so
        PASSWORD = "password"  # noqa: S105 - it is what is locked
        DEVICE = "device"

    kind = "unlock-failure"
    title = "PingOne did not unlock the user"
    cause = "It may be a lock of another kind, of the password or an MFA device, or the licence is without unlocking."
    resolution = "Look at the state of account, password and MFA devices, and unlock what is locked."
    reason: Reason | None = None  # None: not known


class ChangedMeanwhile(PingOneError):
    """Somebody else changed the user after the values that are to be changed were read; nothing was written."""

    kind = "changed-meanwhile"
    title = "The user has changed since"
    cause = "Somebody else, or PingOne itself, changed this user after the values were read."
    resolution = "Look at the values as they are now, then decide again."


class RateLimited(PingOneError):
    """429. `retry_after_s` says when to try again, where PingOne said so."""

    kind = "rate-limited"
    title = "PingOne asks to slow down"
    cause = "The licence's request limit is used up for the moment, by this server or by something else."
    resolution = "Wait a moment and try again."


class Unavailable(PingOneError):
    """5xx, a timeout, a reset or an unreadable answer. After a write, it may have happened all the same."""

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
    """Another request has been renewing the access token for as long as this one could wait."""

    kind = "being-renewed"
    title = "The access to PingOne is being renewed"
    cause = "PingOne takes long to renew the access token that another request asked for."
    resolution = "Try again in a few seconds."


class OutOfTime(Unavailable):
    """The deadline of the work at hand is over; what it still needed was not asked, or not waited for."""

    kind = "out-of-time"
    title = "PingOne takes too long"
    cause = "PingOne did not answer within the time that there is for all of its answers together."
    resolution = "Try again in a moment."


class Busy(Unavailable):
    """As many requests of the organization as may wait for PingOne are waiting; this one was not sent."""

    kind = "busy"
    title = "Too many requests are waiting for PingOne already"
    cause = "PingOne answers slowly, or many people of this organization work at the same moment."
    resolution = "Try again in a few seconds."


class CallsPaused(Unavailable):
    """PingOne failed so often in a row that it is not asked for a while; nobody waits for what would fail again."""

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
    """A sealed value cannot be opened: its key is gone, it was altered, or it belongs to another place."""

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
    """Return every class by its kind."""
    found = {PingOneError.kind: PingOneError}
    waiting = PingOneError.__subclasses__()
    while waiting:
        one = waiting.pop()
        found[one.kind] = one
        waiting += one.__subclasses__()
    return found


def of_kind(kind: str, *, otherwise: type[PingOneError]) -> type[PingOneError]:
    """Return the class that a stored `kind` stands for."""
    return kinds().get(kind, otherwise)


def rebuilt(kind: str, detail: str, *, otherwise: type[PingOneError]) -> PingOneError:
    """Return an error of a stored kind again, in the words of its class; `detail` is what was stored of it.

    What a subclass's own constructor adds, such as a time, is not stored and stays as the class has it.
    """
    error_class = of_kind(kind, otherwise=otherwise)
    error = error_class.__new__(error_class)
    PingOneError.__init__(error, detail)
    return error
