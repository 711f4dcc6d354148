"""Checks of `manage.py check --deploy`: settings that work for one person on one machine, but not on a server."""

from typing import Any

from django.conf import settings
from django.core.checks import Warning as CheckWarning
from django.core.checks import register

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
