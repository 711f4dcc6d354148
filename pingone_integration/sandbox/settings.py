"""Settings of the sandbox: no variable is required, no console setting is read, no value is secret."""

import os
from pathlib import Path

_DATABASE = Path(os.environ.get("SANDBOX_DATABASE", "var/sandbox.sqlite3")).resolve()

# The `{auth}` and `{api}` URL in replies; empty: the request's scheme and host.
SANDBOX_URL = os.environ.get("SANDBOX_URL", "").rstrip("/")

SECRET_KEY = "the-sandbox-holds-invented-people-only"  # noqa: S105 - signs cursors and sign-on sessions of a stand-in
ALLOWED_HOSTS = ["*"]
DEBUG = False
ROOT_URLCONF = "pingone_integration.sandbox.urls"
INSTALLED_APPS = ["pingone_integration.sandbox", "pingone_integration.sandbox.oauth"]
MIDDLEWARE = ["pingone_integration.sandbox.faults.middleware.faults", "django.middleware.csrf.CsrfViewMiddleware"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
# Cookies ignore the port: under the default name it would replace the console's on the same host.
CSRF_COOKIE_NAME = "sandbox_csrf"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _DATABASE,
        "CONN_MAX_AGE": None,  # one connection for each server thread
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536; PRAGMA mmap_size=4294967296"
            ),
        },
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False
# Fast on purpose: the passwords are invented and published, and every test signs in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django": {"handlers": ["console"], "level": "ERROR"},
        "django.request": {"level": "ERROR"},
    },
}
