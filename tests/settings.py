"""The console's settings for tests, with defaults for every required environment variable."""

import os
import secrets

from cryptography.fernet import Fernet

# Generated for each run, because a key in this file would be public.
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("CREDENTIAL_KEYS", Fernet.generate_key().decode())
os.environ.setdefault("PUBLIC_URL", "http://localhost")
os.environ.setdefault("ALLOWED_HOSTS", "localhost,testserver,127.0.0.1")
os.environ.setdefault("PINGONE_CUSTOM_HOSTS", "https://auth.pingone.test=https://api.pingone.test")
os.environ.setdefault("SECOND_FACTOR_DEMANDED", "False")  # thousands of tests sign in: its own tests switch it on
os.environ.setdefault("WEB_CONCURRENCY", "1")  # one process: no rate-limit window to share with others
os.environ.setdefault("CACHE_URL", "locmemcache://")  # no query for what a test has not stored
os.environ.setdefault("DATABASE_URL", "sqlite:///var/tests.sqlite3")

from console.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RECOVERY_CODE_ROUNDS = 10
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LANGUAGES = [*LANGUAGES, ("en-xa", "Pseudo-locale")]  # noqa: F405 - to see which text of a page is not marked
STORAGES = {  # no collectstatic before a test
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]  # noqa: F405 - nothing collected to serve
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, as in production: threads that share an in-memory database get "table is locked", whatever the timeout.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "var" / "test_console.sqlite3"}  # noqa: F405
