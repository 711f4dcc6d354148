"""A failure for people: what happened, why, what to do next, and the IDs that support asks for."""

import logging
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.failures.next_step import resolution_of
from pingone_integration import errors
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text

logger = logging.getLogger(__name__)

_STATUSES: dict[type[PingOneError], HTTPStatus] = {  # of a class and its subclasses
    errors.PingOneError: HTTPStatus.BAD_GATEWAY,
    errors.ConnectionFailure: HTTPStatus.GATEWAY_TIMEOUT,
    errors.NotConnected: HTTPStatus.CONFLICT,
    errors.SignOnUnverified: HTTPStatus.BAD_GATEWAY,
    errors.StateRejected: HTTPStatus.BAD_REQUEST,
    errors.InvalidApiUrl: HTTPStatus.CONFLICT,
    errors.MissingPermission: HTTPStatus.FORBIDDEN,
    errors.LicenseExceeded: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Duplicate: HTTPStatus.CONFLICT,
    errors.InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StaleCursor: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RefusedByState: HTTPStatus.CONFLICT,
    errors.ChangedMeanwhile: HTTPStatus.CONFLICT,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.CallsPaused: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SealBroken: HTTPStatus.SERVICE_UNAVAILABLE,
}
_MENDED_IN_CONNECTION_SETTINGS = (
    errors.ConnectionFailure,
    errors.NotConnected,
    errors.AuthenticationError,
    errors.TokenRefreshFailure,
    errors.TokenRejected,
    errors.SignOnUnverified,
    errors.StateRejected,
    errors.InvalidApiUrl,
    errors.MissingPermission,
    errors.Blocked,
    errors.SealBroken,
)


# For operators who see some populations only: without IDs, which would tell that it was PingOne who did not find it.
_NOT_VISIBLE = _("It was deleted, or it is in a population that you do not see.")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure in words, for a page, a notice, or the place of the failed fragment."""

    status: int
    title: Text
    cause: Text
    resolution: Text = ""
    kind: str = ""
    details: tuple[Text, ...] = ()  # PingOne's messages about single values
    ids: tuple[tuple[Text, str], ...] = ()  # name and value
    may_have_happened: bool = False  # PingOne's answer to a write was lost
    retry_after_s: int | None = None
    settings_url: str = ""  # if the next step is there, and the operator may take it
    ask_an_admin: bool = False  # if the operator may not take it
    explained_url: str = ""  # of its kind, on the troubleshooting page


def status_of(error: type[PingOneError]) -> HTTPStatus:
    return next(_STATUSES[parent] for parent in error.__mro__ if parent in _STATUSES)


def failure_of(error: PingOneError, access: OrgAccess | None) -> Failure:
    trace = error.trace
    hides = isinstance(error, errors.NotFound) and access is not None and access.is_narrowed
    mended_in_settings = isinstance(error, _MENDED_IN_CONNECTION_SETTINGS)
    may_mend = bool(access and access.allows(Permission.MANAGE_CONNECTION))
    ids = (
        (_("PingOne error ID"), trace.error_id),
        (_("Correlation ID"), trace.correlation_id),
        (_("Transaction ID"), trace.transaction_id),
    )
    return Failure(
        status=status_of(type(error)),
        kind=error.kind,
        title=error.title,
        cause=_NOT_VISIBLE if hides else error.cause,
        resolution=resolution_of(error),
        details=tuple(
            f"{detail.target}: {detail.message}" if detail.target else detail.message
            for detail in error.details
            if detail.message
        ),
        ids=() if hides else tuple((name, value) for name, value in ids if value),
        may_have_happened=not error.outcome_known,
        retry_after_s=error.retry_after_s,
        settings_url=reverse("connection", args=[access.org.slug])
        if access and mended_in_settings and may_mend
        else "",
        ask_an_admin=bool(access) and mended_in_settings and not may_mend,
        explained_url=explained_url(access, error.kind) if access else "",
    )


def explained_url(access: OrgAccess, kind: str) -> str:
    """Return the URL of a kind's explanation on the troubleshooting page."""
    return f"{reverse('troubleshooting', args=[access.org.slug])}#kind-{kind}"


def with_explanation(access: OrgAccess, words: Text, kind: str) -> str:
    """Return the words of a notice, with a link to the kind's explanation unless `kind` is empty."""
    if not kind:
        return str(words)
    return format_html('{} <a href="{}">{}</a>', words, explained_url(access, kind), _("More about this"))


def report(request: HttpRequest, error: PingOneError) -> Failure:
    """Log a PingOne error and return it in words, for views that show it inside their page."""
    access: OrgAccess | None = getattr(request, "access", None)
    if access:  # the failure may have changed the state in the header
        access.org.connection.refresh_from_db()
    logger.warning(
        "PingOne call failed: %s, status %s, error %s, correlation %s, transaction %s",
        error.kind,
        error.trace.status,
        error.trace.error_id,
        error.trace.correlation_id,
        error.trace.transaction_id,
    )
    failure = failure_of(error, access)
    request.reported = failure  # type: ignore[attr-defined]  # the answer says when to try again, see middleware.py
    return failure
