"""`manage.py check --deploy`: settings that do not fit a server."""

from typing import Any

import pytest
from django.core.checks import run_checks

MAIL = "django.core.mail.backends"
CACHE = "django.core.cache.backends"


def found() -> set[str]:
    ours = (str(check.id) for check in run_checks(include_deployment_checks=True))
    return {number for number in ours if number.startswith("console.")}


@pytest.mark.parametrize(
    ("backend", "processes", "expected"),
    [
        (f"{CACHE}.locmem.LocMemCache", 2, {"console.W001"}),
        (f"{CACHE}.dummy.DummyCache", 2, {"console.W001"}),
        (f"{CACHE}.locmem.LocMemCache", 1, set()),
        ("console.server.cache.SharedCache", 2, set()),
        (f"{CACHE}.redis.RedisCache", 2, set()),
    ],
)
def test_local_cache_of_several_processes(settings: Any, backend: str, processes: int, expected: set[str]) -> None:
    settings.EMAIL_BACKEND = f"{MAIL}.smtp.EmailBackend"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://localhost:1"}}
    settings.WEB_CONCURRENCY = processes

    assert found() == expected


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("console.outbox.log.EmailBackend", {"console.W002"}),
        (f"{MAIL}.console.EmailBackend", {"console.W002"}),
        (f"{MAIL}.dummy.EmailBackend", {"console.W002"}),
        (f"{MAIL}.smtp.EmailBackend", set()),
        (f"{MAIL}.filebased.EmailBackend", set()),
    ],
)
def test_emails_that_reach_nobody(settings: Any, backend: str, expected: set[str]) -> None:
    settings.EMAIL_BACKEND = backend

    assert found() == expected
