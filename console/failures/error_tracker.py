"""Sentry, if the server's administrator wants it (SENTRY_DSN): errors without values.

An event is made anew out of parts that cannot hold a value: types of exceptions, our code, literal log messages. What a
later version of Sentry's client adds stays here as well.
"""

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from pingone_integration.calls import transaction_id
from pingone_integration.version import VERSION

Json = dict[str, Any]

INSTALL = "SENTRY_DSN is set, but sentry-sdk is not installed. Run: make install-sentry"
OURS = ("console", "pingone_integration")  # loggers whose messages are literals
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")
KEPT_OF_EXCEPTION = ("type", "module")
KEPT_OF_FRAME = (
    *("filename", "module", "function", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),  # source code
)


def check_sentry_dsn(dsn: str) -> str:
    """Raise ImproperlyConfigured if errors could not be sent. Empty: nothing is sent."""
    if not dsn:
        return dsn
    try:
        from sentry_sdk.utils import BadDsn, Dsn
    except ImportError:
        raise ImproperlyConfigured(INSTALL) from None
    try:
        Dsn(dsn)
    except BadDsn:
        raise ImproperlyConfigured("SENTRY_DSN must be a DSN of Sentry: https://key@host/number") from None
    return dsn


def start(dsn: str, **options: Any) -> None:
    """Report logged errors and uncaught exceptions. `options` replace those below."""
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    safe: Json = {
        "release": VERSION,
        "before_send": without_values,
        # No others: that of httpx sends headers to PingOne, that of Django takes values out of requests.
        "default_integrations": False,
        "auto_enabling_integrations": False,
        "integrations": [
            LoggingIntegration(level=None, event_level=logging.ERROR),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda *_: None),
        ],
        "include_local_variables": False,
        "max_breadcrumbs": 0,
        "auto_session_tracking": False,
        "send_client_reports": False,
    }
    sentry_sdk.init(dsn, **(safe | options))


def without_values(event: Any, hint: Json) -> Any:
    """Return the event without messages of exceptions, variables, request, user and arguments of log messages."""
    kept: Json = {name: event[name] for name in KEPT if name in event}
    exceptions = event.get("exception", {}).get("values", [])
    if exceptions:
        kept["exception"] = {"values": [_exception(one) for one in exceptions]}
    record: logging.LogRecord | None = hint.get("log_record")
    if record:
        kept["logentry"] = {"message": _literal(record)}
    if current := transaction_id.current():
        kept["tags"] = {"transaction_id": str(current)}
    return kept


def _exception(exception: Json) -> Json:
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    kept = [{name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames]
    return {name: exception.get(name) for name in KEPT_OF_EXCEPTION} | {"stacktrace": {"frames": kept}}


def _literal(record: logging.LogRecord) -> str:
    """Return the log message before its arguments, or only the logger if a library may have put values into it."""
    is_literal = record.name.partition(".")[0] in OURS or bool(record.args)
    return str(record.msg) if is_literal and isinstance(record.msg, str) else f"An error of {record.name}"
