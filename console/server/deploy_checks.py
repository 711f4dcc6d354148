"""Checks of `manage.py check --deploy`: settings that work for one person on one machine, but not on a server."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Warning as CheckWarning
from django.core.checks import register

from pingone_integration.calls.outgoing import is_here

LOCAL_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")
NOT_MAILED = ("console.EmailBackend", "dummy.EmailBackend", "outbox.log.EmailBackend")  # read by nobody but this server
NO_MAIL_SERVER = (*NOT_MAILED, "locmem.EmailBackend")


@register(deploy=True)
def local_cache(**_: Any) -> list[CheckWarning]:
    if settings.WEB_CONCURRENCY < 2 or not settings.CACHES["default"]["BACKEND"].endswith(LOCAL_CACHES):
        return []
    return [
        CheckWarning(
            f"{settings.WEB_CONCURRENCY} processes have a cache each: what one of them learns from PingOne, the others "
            "ask again.",
            hint="Leave CACHE_URL out: the default is a table of the database that all processes share.",
            id="console.W001",
        )
    ]


@register(deploy=True)
def no_mail_server(**_: Any) -> list[CheckWarning]:
    if not settings.EMAIL_BACKEND.endswith(NO_MAIL_SERVER):
        return []
    return [
        CheckWarning(
            "Emails go to the log, not to people: nobody can reset a password, and no org admin hears of a connection "
            "that ends.",
            hint="Set EMAIL_URL to your mail server, for example smtp+tls://user:password@mail.example.com:587.",
            id="console.W002",
        )
    ]


@register(deploy=True)
def unprotected_connections(**_: Any) -> list[CheckWarning]:
    """Name what is reached over the network without TLS, or without looking at the certificate."""
    return [
        CheckWarning(f"{told} crosses the network without TLS that is checked.", hint=hint, id="console.W003")
        for told, hint, is_protected in (
            (
                "The connection to the database",
                "End DATABASE_URL with ?sslmode=verify-full.",
                _database(),
            ),
            ("The connection to the mail server", "Use smtp+tls:// or smtp+ssl:// in EMAIL_URL.", _mail_server()),
            ("The connection to the cache", "Use rediss:// in CACHE_URL, or leave it out.", _cache()),
        )
        if not is_protected
    ]


def _database() -> bool:
    one = settings.DATABASES["default"]
    options = one.get("OPTIONS", {})
    is_far = not one["ENGINE"].endswith("sqlite3") and not _stays_here(options.get("host") or one.get("HOST", ""))
    return not is_far or options.get("sslmode") == "verify-full"


def _mail_server() -> bool:
    is_smtp = settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
    return not is_smtp or settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or _stays_here(settings.EMAIL_HOST)


def _cache() -> bool:
    found = settings.CACHES["default"].get("LOCATION", "")
    locations = [found] if isinstance(found, str) else found
    return all(_stays_here(urlsplit(one).hostname or "") for one in locations if one.startswith("redis://"))


def _stays_here(host: str) -> bool:
    """Return whether a host is this machine: by name, by address, or a Unix socket."""
    return not host or host.startswith("/") or is_here(host)
