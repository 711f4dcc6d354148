"""`manage.py check --deploy`: settings that do not fit a server."""

from typing import Any

import pytest
from django.core.checks import run_checks
from environ import Env

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
    ("url", "expected"),
    [
        ("postgres://console:x@127.0.0.1:5432/console", set()),
        ("postgres:////var/run/postgresql/console", set()),
        ("postgres://console:x@/console?host=db.acme.test", {"console.W003"}),
        ("postgres://console:x@db.acme.test/console", {"console.W003"}),
        ("postgres://console:x@db.acme.test/console?sslmode=require", {"console.W003"}),
        ("postgres://console:x@db.acme.test/console?sslmode=verify-full", set()),
        ("postgres://console:x@localhost.acme.test/console", {"console.W003"}),
        ("sqlite:////srv/console.sqlite3", set()),
    ],
)
def test_database_beyond_this_machine_without_tls(
    settings: Any, monkeypatch: pytest.MonkeyPatch, url: str, expected: set[str]
) -> None:
    settings.EMAIL_BACKEND = f"{MAIL}.smtp.EmailBackend"
    monkeypatch.setitem(settings.DATABASES, "default", Env.db_url_config(url))

    assert found() == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://user:x@mail.acme.test:25", {"console.W003"}),
        ("smtp+tls://user:x@mail.acme.test:587", set()),
        ("smtp+ssl://user:x@mail.acme.test:465", set()),
        ("smtp://localhost:25", set()),
    ],
)
def test_mail_server_beyond_this_machine_without_tls(settings: Any, url: str, expected: set[str]) -> None:
    for name in ("EMAIL_USE_TLS", "EMAIL_USE_SSL"):
        setattr(settings, name, False)
    for name, value in Env.email_url_config(url).items():
        setattr(settings, name, value)

    assert found() == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache.acme.test:6379/1", {"console.W003"}),
        ("rediss://cache.acme.test:6379/1", set()),
        ("redis://127.0.0.1:6379/1", set()),
    ],
)
def test_cache_beyond_this_machine_without_tls(settings: Any, url: str, expected: set[str]) -> None:
    settings.EMAIL_BACKEND = f"{MAIL}.smtp.EmailBackend"
    settings.CACHES = {"default": {"BACKEND": f"{CACHE}.redis.RedisCache", "LOCATION": url}}

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
