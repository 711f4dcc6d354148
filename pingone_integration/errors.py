"""The errors of PingOne: one class for each different reaction to an error.

A resolution says what PingOne needs. The code that shows the error adds who does it, and where.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pingone_integration.texts import Text, english


@dataclass(frozen=True)
class Detail:
    """One entry of `details` in PingOne's error envelope."""

    code: str  # e.g. UNIQUENESS_VIOLATION
    target: str  # attribute path, e.g. name.given; empty if PingOne names none
    message: str  # PingOne's English text for developers: may change, never shown alone. Empty if it is a regex
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
    title: Text = _("PingOne refused the request")
    cause: Text = _("PingOne gave an unexpected answer.")
    resolution: Text = _("Try again. If it keeps happening, contact PingOne support.")
    outcome_known: bool = True  # False if PingOne may have acted (outcome unknown)

    def __init__(
        self,
        detail: str = "",
        *,
        details: tuple[Detail, ...] = (),
        trace: Trace = Trace(),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or english(self.title))
        self.details = details
        self.trace = trace
        self.retry_after_s = retry_after_s  # seconds; None if PingOne named no time


class ConnectionFailure(PingOneError):
    """PingOne could not be reached, so nothing happened there."""

    kind = "connection-failure"
    title = _("PingOne could not be reached")
    cause = _(
        "The Auth URL may belong to another region, or a network, DNS, proxy or TLS problem blocks the way to PingOne."
    )
    resolution = _("Check the Auth URL and the API URL derived from it against PingOne's settings, then try again.")


class NotConnected(PingOneError):
    """The organization is not connected yet, or was disconnected."""

    kind = "not-connected"
    title = _("This organization is not connected to PingOne")
    cause = _("No administrator has approved the connection yet, or someone disconnected it.")
    resolution = _("A PingOne administrator has to approve the connection.")


class SettingsIncomplete(NotConnected):
    """Client ID, secret, Auth URL or Environment ID is still missing."""

    kind = "settings-incomplete"
    title = _("The PingOne settings are incomplete")
    cause = _("A connection needs Client ID, Client secret, Auth URL and Environment ID.")
    resolution = _("All four are required.")


class NoEnvironmentChosen(NotConnected):
    """The organization is connected, but has no managed environment yet."""

    kind = "no-environment-chosen"
    title = _("No environment is chosen yet")
    cause = _("An administrator has approved the connection, but the environment to manage has not been chosen.")
    resolution = _("An environment has to be chosen.")


class AuthenticationError(PingOneError):
    """PingOne does not authenticate us: client ID, secret or method; connection/refusals.py tells them apart."""

    kind = "authentication-error"
    title = _("PingOne rejected these credentials")
    cause = _("The Client ID or Client secret is wrong, or the client authentication method is different.")
    resolution = _(
        "Check Client ID, Client secret and authentication method against the PingOne application, then connect again."
    )


class TokenRefreshFailure(PingOneError):
    """The grant has ended: the refresh token expired, was revoked or was replayed."""

    kind = "token-refresh-failure"
    title = _("The connection to PingOne has ended")
    cause = _("The refresh token expired or was revoked, or the session of the administrator who connected ended.")
    resolution = _("A PingOne administrator has to approve the connection again.")


class NoRefreshToken(TokenRefreshFailure):
    """The access token expired, and PingOne gave no refresh token."""

    kind = "no-refresh-token"
    cause = _("PingOne gave no refresh token: the application's Refresh Token grant is off.")
    resolution = _("Turn on the Refresh Token grant of the PingOne application, then connect again.")


class TokenRejected(PingOneError):
    """The API refuses an access token that was just issued, or has not expired."""

    kind = "token-rejected"
    title = _("PingOne rejected its own access token")
    cause = _("The API host and the Auth URL are in different regions, or the administrator just lost access.")
    resolution = _("Try again. If it keeps happening, check the Auth URL against PingOne's, and connect again.")


class SignOnUnverified(PingOneError):
    """The ID token does not prove who approved the connection."""

    kind = "sign-on-unverified"
    title = _("The sign-in to PingOne could not be verified")
    cause: Text = _("The ID token's signature, issuer, audience or time is wrong, or PingOne sent no ID token.")
    resolution = _("Check that this server's clock is right, then connect again. Nothing was changed.")

    def __init__(self, detail: str = "", *, clock_ahead_s: float = 0) -> None:
        """`clock_ahead_s`: seconds that this clock is ahead of PingOne's (negative: behind), if that is the reason."""
        super().__init__(detail)
        if clock_ahead_s:
            self.cause = _clock_off(clock_ahead_s)


def _clock_off(ahead_s: float) -> Text:
    minutes = round(abs(ahead_s) / 60)
    if ahead_s > 0:
        words = ngettext_lazy(
            "This server's clock is {minutes} minute ahead of PingOne's.",
            "This server's clock is {minutes} minutes ahead of PingOne's.",
            minutes,
        )
    else:
        words = ngettext_lazy(
            "This server's clock is {minutes} minute behind PingOne's.",
            "This server's clock is {minutes} minutes behind PingOne's.",
            minutes,
        )
    return format_lazy(words, minutes=minutes)


class StateRejected(PingOneError):
    """A browser returned from PingOne with a `state` that matches no waiting attempt to connect."""

    class Reason(StrEnum):
        MISSING = "missing"
        FOREIGN = "foreign"
        STALE = "stale"
        REPLAYED = "replayed"

    kind = "state-rejected"
    title = _("This PingOne sign-in was not started here")
    cause = _("It does not match any attempt to connect that is still open.")
    resolution = _("Nothing was changed. Connect again.")
    reason: Reason | None = None  # None if rebuilt from the database
    causes = {
        Reason.MISSING: _(
            "The address has no `state`, which PingOne always sends back. It was opened by hand or cut off."
        ),
        Reason.FOREIGN: _("It was started in another browser, by someone else, or before a sign-out."),
        Reason.STALE: _("More than ten minutes passed between the start and the approval."),
        Reason.REPLAYED: _("This sign-in was already used, for example by reloading its address or in a second tab."),
    }

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.cause = self.causes[reason]


class InvalidApiUrl(PingOneError):
    """The Auth URL or Environment ID is invalid."""

    kind = "invalid-api-url"
    title = _("This is not a PingOne Auth URL")
    cause: Text = _("The Auth URL or the Environment ID is malformed, or its host is not in a PingOne region.")
    resolution = _("Copy the Auth URL, for example https://auth.pingone.eu, and the Environment ID from PingOne.")


class UnknownEnvironment(InvalidApiUrl):
    """The Auth URL's host responds, but has no such environment."""

    kind = "unknown-environment"
    title = _("PingOne does not know this environment")
    cause = _("The Environment ID has a typo, or the environment is in another region than the Auth URL.")
    resolution = _("Check the Environment ID and the region of the Auth URL against the environment's page in PingOne.")


class MissingPermission(PingOneError):
    """403: a role is missing, or the administrator may not see the environment."""

    kind = "missing-permission"
    title = _("PingOne does not allow this")
    cause = _("The administrator who connected does not have the role for this, or cannot see the environment.")
    resolution = _(
        "Give that administrator the role in PingOne, choose another environment, or connect as someone else."
    )


class LicenseExceeded(PingOneError):
    """403 LICENSE_EXCEEDED: the license allows no more users, populations or the like."""

    kind = "license-exceeded"
    title = _("The PingOne license is used up")
    cause = _("The environment has reached a limit of its license, for example the number of users.")
    resolution = _("Nothing was changed. Ask whoever manages the PingOne license.")


class Blocked(PingOneError):
    """A 403 from outside PingOne's API: its gateway does not know the path, or a proxy blocks it."""

    kind = "blocked"
    title = _("The request to PingOne was blocked")
    cause = _("PingOne's gateway does not know this address, or something between here and PingOne blocks it.")
    resolution = _("Check the API URL against PingOne's settings, and ask the network administrator.")


class NotFound(PingOneError):
    """404: the user, group or device is gone, or outside the populations the administrator sees."""

    kind = "target-not-found"
    title = _("PingOne cannot find this")
    cause = _("It was deleted, or it is in a population that the administrator who connected cannot see.")
    resolution = _("Search again.")


class Duplicate(PingOneError):
    """A value that must be unique is taken (400 UNIQUENESS_VIOLATION)."""

    kind = "duplicate"
    title = _("This already exists")
    cause = _(
        "Another user or group has the same value, maybe in a population that the administrator who connected "
        "cannot see."
    )
    resolution = _("Choose another value, or use the existing one.")


class InvalidValue(PingOneError):
    """400 INVALID_DATA: `details` name the attributes."""

    kind = "invalid-value"
    title = _("PingOne rejected a value")
    cause = _("A value breaks a rule of PingOne or of this environment.")
    resolution = _("Correct the values that PingOne names.")


class StaleCursor(PingOneError):
    """A list cursor that belongs to an older access token, or is too old (400)."""

    kind = "stale-cursor"
    title = _("The list is back on its first page")
    cause = _("The link to the next page had expired.")
    resolution = _("Continue from here.")


class RefusedByState(PingOneError):
    """The request is valid, but the state of the user forbids it (REQUEST_FAILED, 415 to an unlock)."""

    kind = "refused-by-state"
    title = _("PingOne cannot do this for the user right now")
    cause: Text = _(
        "For example, the user is deactivated, has no password, or signs in with another identity provider."
    )
    resolution: Text = _("Check the user's status, and choose an action that fits.")


class UnlockFailure(RefusedByState):
    """PingOne refuses to unlock: another kind of lock, a deactivated user, or a license without unlocking."""

    class Reason(StrEnum):
        DISABLED = "disabled"
        REFUSED = "refused"  # it is locked, and PingOne does not lift that lock
        ACCOUNT = "account"  # here and below: another lock holds
        PASSWORD = "password"  # noqa: S105 - it is what is locked
        NO_PASSWORD = "no-password"  # noqa: S105 - nothing is locked
        DEVICE = "device"
        ELSEWHERE = "elsewhere"  # nothing is locked here: another provider or directory manages the password
        NOTHING_LOCKED = "nothing-locked"

    kind = "unlock-failure"
    title = _("PingOne did not unlock the user")
    cause: Text = _(
        "Something else may be locked, such as the password or an MFA device, or the license may not include unlocking."
    )
    resolution: Text = _("Check the account, the password and the MFA devices, and unlock the one that is locked.")
    reason: Reason | None = None  # None if unknown


class ChangedMeanwhile(PingOneError):
    """Optimistic locking: the user has changed since the values were read. Nothing was written."""

    kind = "changed-meanwhile"
    title = _("The user changed in the meantime")
    cause = _("Someone else, or PingOne itself, changed this user after you loaded them.")
    resolution = _("Check the current values, then decide again.")


class RateLimited(PingOneError):
    """429, or our own rate limit. `retry_after_s` says when to retry, if known."""

    kind = "rate-limited"
    title = _("PingOne's rate limit was reached")
    cause = _("The license's request limit is used up for now, by this server or by something else.")
    resolution = _("Wait a moment, then try again.")


class Unavailable(PingOneError):
    """5xx, a timeout, a reset or an unreadable response. After a write, the outcome may be unknown."""

    kind = "unavailable"
    title = _("PingOne is not responding properly")
    cause = _("PingOne or the network in between has a problem right now.")
    resolution = _("Try again in a moment.")

    def __init__(self, detail: str = "", *, outcome_known: bool = True, **more: Any) -> None:
        super().__init__(detail, **more)
        self.outcome_known = outcome_known
        if not outcome_known:
            self.title = _("No answer from PingOne: the change may have been made")
            self.cause = _("The request was sent, and then PingOne or the network in between failed.")
            self.resolution = _("Check the current state before you try again.")


class BeingRenewed(Unavailable):
    """Another request still renews the access token, and this request cannot wait longer."""

    kind = "being-renewed"
    title = _("The connection to PingOne is being renewed")
    cause = _("PingOne is slow to renew the access token for another request.")
    resolution = _("Try again in a few seconds.")


class OutOfTime(Unavailable):
    """The deadline is over. The call was not sent, or its response was not waited for."""

    kind = "out-of-time"
    waited_long: bool = False  # PingOne had enough time to answer
    title = _("PingOne is taking too long")
    cause = _("PingOne did not answer within the time limit.")
    resolution = _("Try again in a moment.")


class Busy(Unavailable):
    """The concurrency limit is reached: too many requests of the organization wait. Nothing was sent."""

    kind = "busy"
    title = _("Too many requests are already waiting for PingOne")
    cause = _("PingOne is slow, or many people in this organization are working at once.")
    resolution = _("Try again in a few seconds.")


class CallsPaused(Unavailable):
    """The circuit breaker is open: PingOne failed several times in a row, so calls fail at once for a while."""

    kind = "calls-paused"
    title = _("Calls to PingOne are paused for a moment")
    cause = _("PingOne failed several times in a row, so no calls are made for a while.")
    resolution = _("Try again after the pause.")

    def __init__(self, detail: str = "", *, last: Text = "", seconds: int = 0, until: datetime | None = None) -> None:
        super().__init__(detail, retry_after_s=seconds or None)
        if until:
            self.cause = format_lazy(
                _("PingOne failed several times in a row. Last failure: {failure}. Next try at {time}."),
                failure=last,
                time=f"{timezone.localtime(until):%H:%M:%S %Z}",
            )


class SealBroken(PingOneError):
    """A sealed value cannot be decrypted: its key is gone, it was altered, or it belongs to another place."""

    kind = "seal-broken"
    title = _("The stored credentials cannot be decrypted")
    cause = _("Their key is not among this server's CREDENTIAL_KEYS, or the database was altered.")
    resolution = _("Restore the key, or enter the secret again.")

    def __init__(self, detail: str = "", *, was_moved: bool = False, **more: Any) -> None:
        super().__init__(detail, **more)
        if was_moved:
            self.cause = _("They were encrypted for another organization or another purpose: the database was altered.")
            self.resolution = _("Find out who changed the database and restore it, or enter the secret again.")


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
