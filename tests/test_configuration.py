"""A server's settings: all are documented, and an invalid setting stops the start."""

import ast
import contextlib
import os
import re
import runpy
import secrets
import sqlite3
import stat
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import environ
import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from gunicorn.config import Config

from console.server.bind_address import check_bind_address
from console.server.secret_key import check_secret_key
from pingone_integration.sealing import check_keys
from tests.support.private_ca import make_private_ca

ROOT = Path(__file__).resolve().parent.parent
READERS = ["console/settings.py", "gunicorn.conf.py"]

WORKING = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "PUBLIC_URL": "https://console.acme.test",
}


def variables_read() -> set[str]:
    """Return the first argument of every `env.<type>("NAME", ...)`."""
    return {
        node.args[0].value
        for path in READERS
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and "env" in {getattr(node.func.value, "id", None), getattr(node.func.value, "attr", None)}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_env_example_names_exactly_the_settings() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert len(named) == len(set(named))
    assert set(named) == variables_read()


def test_readme_table_names_exactly_the_settings() -> None:
    named = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert len(named) == len(set(named))
    assert set(named) == variables_read()


def start(**environment: str | None) -> subprocess.CompletedProcess[str]:
    """Load the configuration and the application as gunicorn does, without serving. Ignore a local .env file."""
    ignore_dotenv = "import environ; environ.Env.read_env = lambda *args, **options: None"
    serve = "from gunicorn.app.wsgiapp import run; run()"
    kept = {name: value for name in ("PATH", "HOME") if (value := os.environ.get(name)) is not None}
    given = {name: value for name, value in {**WORKING, **environment}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", f"{ignore_dotenv}; {serve}", "--check-config", "console.wsgi"],
        cwd=ROOT,
        env=kept | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def load(monkeypatch: pytest.MonkeyPatch, **environment: str | None) -> dict[str, Any]:
    """Run console/settings.py in this process, which takes a hundredth of the time of a start. Return the settings."""
    monkeypatch.setattr(environ.Env, "read_env", lambda *_, **__: None)
    for name in variables_read():
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    for name, value in {**WORKING, **environment}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "console" / "settings.py"))


def test_three_settings_are_enough_to_start() -> None:
    started = start()

    assert started.returncode == 0, started.stderr


def test_invalid_setting_stops_the_start() -> None:
    refused = start(PUBLIC_URL="console.acme.test")

    assert refused.returncode != 0
    assert "PUBLIC_URL" in refused.stderr.splitlines()[-1]


def test_command_without_a_setting_names_it_and_nothing_else() -> None:
    """Without a .env file, a newcomer's first command ends in one line, not in a traceback."""
    refused = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"],
        env={**WORKING, "PUBLIC_URL": "console.acme.test"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert refused.returncode != 0
    assert refused.stderr.startswith("The console cannot start.")
    assert "PUBLIC_URL" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "changeme"),
        ("CREDENTIAL_KEYS", None),
        ("CREDENTIAL_KEYS", ""),
        ("CREDENTIAL_KEYS", "changeme"),
        pytest.param("CREDENTIAL_KEYS", WORKING["CREDENTIAL_KEYS"] + ",changeme", id="a good key and another"),
        ("PUBLIC_URL", None),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "console.acme.test"),
        ("PUBLIC_URL", "https://console.acme.test/app"),
        ("PINGONE_CUSTOM_HOSTS", "login.acme.test"),
        ("TRUSTED_PROXIES", "proxy"),
        ("OUTGOING_ADDRESSES", "203.0.113.7,the NAT"),
        ("PINGONE_RATE_SHARE", "0"),
        ("PINGONE_RATE_SHARE", "101"),
        ("PINGONE_RATE_SHARE", "-35"),
        ("DATABASE_POOL", "-1"),
        ("PINGONE_PROXY", "proxy.acme.test:3128"),
        ("PINGONE_PROXY", "socks5://proxy.acme.test:1080"),
        ("PINGONE_PROXY", "http://"),
        ("PINGONE_PROXY", "http://user:changeme@"),
        ("PINGONE_PROXY", "http://proxy.acme.test:99999"),
        ("PINGONE_PROXY", "http://proxy.acme.test:changeme"),
        ("PINGONE_PROXY", "http://proxy.acme.test:0"),
        ("PINGONE_PROXY", "http://proxy.acme.test:3128/path"),
        ("PINGONE_PROXY", "http://proxy.acme.test:3128?x=1"),
        ("PINGONE_PROXY", "http://proxy acme:3128"),
        ("PINGONE_PROXY", "http://[::1:3128"),
        ("PINGONE_CA_BUNDLE", "no/such/file.pem"),
        ("PINGONE_CA_BUNDLE", "console"),
        ("PINGONE_CA_BUNDLE", "README.md"),
        ("METRICS_TOKEN", "changeme"),
        ("METRICS_TOKEN", "changeme changeme changeme changeme changeme"),
        ("METRICS_TOKEN", "changeme\u00e9changemechangemechangemechangeme"),
        ("SENTRY_DSN", "sentry"),
        ("SENTRY_DSN", "https://sentry.acme.test/1"),
        ("SENTRY_DSN", "https://changeme@sentry.acme.test/"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FORMAT", ""),
        ("SECOND_FACTOR_RESET_HOURS", "0"),
        ("AUDIT_LOG", "audit.log"),
        ("AUDIT_LOG", "/no/such/folder/audit.log"),
        ("AUDIT_LOG", "/"),
        ("AUDIT_LOG", ""),
    ],
)
def test_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    with pytest.raises((ImproperlyConfigured, ValueError), match=name) as refused:
        load(monkeypatch, **{name: value})

    assert "changeme" not in str(refused.value)


SECRETS = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgres://console:secret@db/console",
    "EMAIL_URL": "smtp+tls://console:secret@mail.acme.test:587",
    "CACHE_URL": "redis://console:secret@cache:6379/0",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRETS[name]}\n")

    from_file = load(monkeypatch, **{name: None, f"{name}_FILE": str(file)})

    assert plain(from_file) == plain(load(monkeypatch, **{name: SECRETS[name], f"{name}_FILE": None}))
    assert plain(from_file) != plain(load(monkeypatch, **{f"{name}_FILE": None}))


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    names = ("SECRET_KEY", "CREDENTIAL_KEYS", "DATABASES", "CACHES", "EMAIL_HOST_PASSWORD")
    return {name: settings.get(name) for name in names}


def test_file_of_a_secret_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")

    with pytest.raises(OSError, match="missing"):
        load(monkeypatch, SECRET_KEY=None, SECRET_KEY_FILE=missing)


def test_each_process_has_a_pool_of_postgresql_connections_unless_the_url_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def pool(url: str, **more: str) -> Any:
        database = load(monkeypatch, DATABASE_URL=url, **more)["DATABASES"]["default"]
        return database.get("OPTIONS", {}).get("pool", {}).get("max_size")

    url = SECRETS["DATABASE_URL"]
    assert pool(url) == 20
    assert pool(f"{url}?sslmode=verify-full", DATABASE_POOL="5") == 5
    assert pool(url, DATABASE_POOL="0") is None
    assert pool(f"{url}?conn_max_age=0") is None
    assert pool(f"sqlite:///{tmp_path / 'console.sqlite3'}") is None


def test_threads_keep_their_connection_to_sqlite_unless_the_url_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'console.sqlite3'}"
    assert load(monkeypatch, DATABASE_URL=url)["DATABASES"]["default"]["CONN_MAX_AGE"] == 600
    assert load(monkeypatch, DATABASE_URL=f"{url}?conn_max_age=0")["DATABASES"]["default"]["CONN_MAX_AGE"] == 0


def test_second_factor_is_demanded_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch)["SECOND_FACTOR_DEMANDED"] is True


def test_defaults_share_the_cache_and_keep_links_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert settings["CACHES"]["default"]["BACKEND"] == "console.server.cache.SharedCache"
    assert settings["CACHES"]["default"]["LOCATION"] == "console_cache"
    assert settings["EMAIL_BACKEND"] == "console.outbox.log.EmailBackend"

    asked = load(monkeypatch, LOG_PASSWORD_LINKS="True", CACHE_URL="locmemcache://")
    assert asked["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
    assert asked["CACHES"]["default"]["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache"
    assert load(monkeypatch, EMAIL_URL=SECRETS["EMAIL_URL"])["EMAIL_BACKEND"].endswith("smtp.EmailBackend")


@pytest.mark.parametrize("mode", [None, 0o644])
def test_only_the_console_may_read_its_sqlite_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int | None
) -> None:
    file = tmp_path / "console.sqlite3"
    if mode:
        file.touch(mode=mode)

    load(monkeypatch, DATABASE_URL=f"sqlite:///{file}")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_sqlite_gives_the_files_beside_it_the_same_mode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "console.sqlite3"
    load(monkeypatch, DATABASE_URL=f"sqlite:///{file}")

    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript("PRAGMA journal_mode=WAL; CREATE TABLE person (name TEXT);")

        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["console.sqlite3", "console.sqlite3-wal", "console.sqlite3-shm"], 0o600)


def test_hsts_binds_other_servers_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, asked = load(monkeypatch), load(monkeypatch, HSTS_INCLUDE_SUBDOMAINS="True", HSTS_PRELOAD="True")

    assert plain["SECURE_HSTS_SECONDS"] == asked["SECURE_HSTS_SECONDS"] == 31_536_000
    assert not plain["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert not plain["SECURE_HSTS_PRELOAD"]
    assert asked["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert asked["SECURE_HSTS_PRELOAD"]


@pytest.mark.parametrize(
    "value", ["http://proxy.acme.test:3128", "https://proxy.acme.test", "http://user:p%40ss@10.0.0.7:3128/", ""]
)
def test_usable_proxy_is_accepted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    load(monkeypatch, PINGONE_PROXY=value)


def test_bundle_needs_a_certificate_of_a_ca(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ca = make_private_ca(tmp_path)

    load(monkeypatch, PINGONE_CA_BUNDLE=str(ca.bundle))
    with pytest.raises(ImproperlyConfigured, match="has no certificate of a CA"):
        load(monkeypatch, PINGONE_CA_BUNDLE=str(ca.server))


MAKES_A_SECRET_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
MAKES_A_CREDENTIAL_KEY = (
    'python3 -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"'
)
EXAMPLES = [
    ("SECRET_KEY", "only-for-tests-" + "x" * 50),
    ("SECRET_KEY", "only-for-make-lint-0123456789-0123456789-0123456789"),
    ("SECRET_KEY", "django-insecure-" + get_random_secret_key()),
    ("SECRET_KEY", "your-secret-key-here-must-be-at-least-50-characters"),
    ("SECRET_KEY", "change_me_" + secrets.token_urlsafe(40)),
    ("SECRET_KEY", "0123456789" * 6),
    ("SECRET_KEY", "x" * 80),
    ("CREDENTIAL_KEYS", "b25seS1mb3ItbWFrZS1saW50LTAxMjM0NTY3ODkwMTI="),  # "only-for-make-lint-0123456789012"
    ("CREDENTIAL_KEYS", urlsafe_b64encode(b"the thirty-two bytes of a phrase").decode()),
    ("CREDENTIAL_KEYS", urlsafe_b64encode(bytes(32)).decode()),
    ("CREDENTIAL_KEYS", urlsafe_b64encode(bytes(range(8)) * 4).decode()),
]


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [
        ("SECRET_KEY", None, MAKES_A_SECRET_KEY),
        ("SECRET_KEY", "too-short", MAKES_A_SECRET_KEY),
        ("SECRET_KEY", EXAMPLES[0][1], MAKES_A_SECRET_KEY),
        ("CREDENTIAL_KEYS", None, MAKES_A_CREDENTIAL_KEY),
        ("CREDENTIAL_KEYS", WORKING["CREDENTIAL_KEYS"][:40], MAKES_A_CREDENTIAL_KEY),
        ("CREDENTIAL_KEYS", EXAMPLES[-4][1], MAKES_A_CREDENTIAL_KEY),
    ],
    ids=["no secret", "short secret", "example secret", "no key", "short key", "example key"],
)
def test_weak_key_is_refused_with_the_command_that_makes_a_key(name: str, value: str | None, command: str) -> None:
    refused = start(**{name: value})

    assert refused.returncode != 0
    last_line = refused.stderr.splitlines()[-1]
    assert name in last_line
    assert last_line.endswith(f"Make one: {command}")
    assert not value or value not in refused.stderr


def check(name: str, value: str) -> None:
    if name == "SECRET_KEY":
        check_secret_key(value)
    else:
        check_keys([value])


@pytest.mark.parametrize(("name", "value"), EXAMPLES, ids=range(len(EXAMPLES)))  # the values are random
def test_example_key_is_refused(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name}.* is an example or made up, not random"):
        check(name, value)


@pytest.mark.parametrize(
    "make", [lambda: secrets.token_urlsafe(50), get_random_secret_key, lambda: secrets.token_hex(25)]
)
def test_random_secret_key_is_accepted(make: Callable[[], str]) -> None:
    for _ in range(1000):
        check_secret_key(make())


def test_random_credential_key_is_accepted() -> None:
    check_keys([Fernet.generate_key().decode() for _ in range(1000)])


def test_commands_in_env_example_make_accepted_keys() -> None:
    commands = re.findall(r'python3 -c "(.+)"$', (ROOT / ".env.example").read_text(), re.MULTILINE)
    secret_key, credential_key = (
        subprocess.run(
            [sys.executable, "-c", command], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
        for command in commands
    )

    check_secret_key(secret_key)
    check_keys([credential_key])
    assert [f'python3 -c "{command}"' for command in commands] == [MAKES_A_SECRET_KEY, MAKES_A_CREDENTIAL_KEY]


OPEN = ["0.0.0.0:8000", "[::]:8000", "192.0.2.7:8000", "console.acme.test:8000", ":8000"]
LOCAL = ["127.0.0.1:8000", "[::1]:8000", "localhost:8000", "127.0.0.2:80", "unix:/run/console.sock", "fd://3"]


@pytest.mark.parametrize("address", OPEN)
def test_address_that_others_reach_needs_a_trusted_proxy(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES") as refused:
        check_bind_address(["127.0.0.1:8000", address], [])

    assert address in str(refused.value)
    check_bind_address([address], ["172.18.0.0/16"])


@pytest.mark.parametrize("address", LOCAL)
def test_address_of_this_machine_needs_no_proxy(address: str) -> None:
    check_bind_address([address], [])


def test_gunicorn_checks_its_address_from_the_setting_and_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    on_the_command_line = Config()
    on_the_command_line.set("bind", ["127.0.0.1:8000", "0.0.0.0:8000"])
    with pytest.raises(ImproperlyConfigured, match=r"0\.0\.0\.0:8000"):
        config["on_starting"](SimpleNamespace(cfg=on_the_command_line))

    monkeypatch.setenv("BIND", "0.0.0.0:8000")
    with pytest.raises(ImproperlyConfigured, match=r"0\.0\.0\.0:8000"):
        runpy.run_path(str(ROOT / "gunicorn.conf.py"))


def test_sentrys_client_is_needed_with_a_dsn_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sentry_sdk"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    assert load(monkeypatch)["SENTRY_DSN"] == ""
    with pytest.raises(ImproperlyConfigured, match=r"SENTRY_DSN .* make install-sentry"):
        load(monkeypatch, SENTRY_DSN="https://key@sentry.acme.test/1")


def test_cookies_are_bound_to_the_host_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    over_tls, over_http = load(monkeypatch), load(monkeypatch, PUBLIC_URL="http://localhost")
    names = [name for name in over_tls if name.endswith("_COOKIE_NAME")]

    assert len(names) >= 6
    for name in names:
        assert over_tls[name].startswith("__Host-")
        assert over_tls[name] == f"__Host-{over_http[name]}"
    assert not [name for name in over_tls if name.endswith(("_COOKIE_DOMAIN", "_COOKIE_PATH"))]  # it must have neither
    script = (ROOT / "static/console/console.js").read_text()
    for name in ("THEME_COOKIE_NAME", "TIME_ZONE_COOKIE_NAME"):
        assert f'remember("{over_http[name]}"' in script


@pytest.mark.parametrize(
    ("name", "value"),
    [("SESSION_IDLE_MINUTES", "31"), ("SESSION_IDLE_MINUTES", "0"), ("SESSION_HOURS", "13"), ("SESSION_HOURS", "0")],
)
def test_sessions_can_only_be_shorter(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        load(monkeypatch, **{name: value})
