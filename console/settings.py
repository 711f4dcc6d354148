"""Every setting of the console. Each environment variable is read once.

A missing or wrong required variable stops the start with an error that names it; .env.example lists all variables.
"""

import contextlib
import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.contrib.messages import constants as message_levels
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

from console.failures.error_tracker import check_sentry_dsn
from console.metrics.token import check_metrics_token
from console.operators.breached_passwords import check_breached_passwords
from console.server.audit_log import check_audit_log
from console.server.log_format import check_log_format
from console.server.secret_key import check_secret_key
from pingone_integration.calls.outgoing import check_ca_bundle, parse_proxy
from pingone_integration.connection.regions import parse_custom_hosts
from pingone_integration.openid_connect.configuration import check_issuer
from pingone_integration.sealing import check_keys

BASE_DIR = Path(__file__).resolve().parent.parent


class VariablesAndFiles(FileAwareMapping):  # type: ignore[misc]  # environ has no types
    """The environment; SECRET_KEY_FILE names a file with the value of SECRET_KEY, and so on."""

    def __getitem__(self, name: str) -> str:
        return str(super().__getitem__(name)).rstrip("\r\n")  # editors end a file with a line break


class Env(environ.Env):  # type: ignore[misc]
    ENVIRON = VariablesAndFiles(cache=False)


env = Env()
if (BASE_DIR / ".env").exists():  # development only: a server gets its environment from its service manager
    env.read_env(BASE_DIR / ".env")

# Settings of the server's administrator

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")  # a missing key is refused below, with the command to make one
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS", default=[])
PINGONE_CUSTOM_HOSTS = parse_custom_hosts(env.list("PINGONE_CUSTOM_HOSTS", default=[]))
PINGONE_RATE_SHARE = env.int("PINGONE_RATE_SHARE", default=35)  # percent
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=30)  # jobs with their rows, once they are over
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)  # from the sign-in on, however much it is used
OUTGOING_ADDRESSES = env.list("OUTGOING_ADDRESSES", default=[])
PINGONE_CA_BUNDLE = check_ca_bundle(env.str("PINGONE_CA_BUNDLE", default=""))
PINGONE_PROXY = parse_proxy(env.str("PINGONE_PROXY", default=""))
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'console.sqlite3'}")}
DATABASE_POOL = env.int("DATABASE_POOL", default=20)  # connections of each process to PostgreSQL
CACHES = {"default": env.cache_url("CACHE_URL", default="dbcache://console_cache")}
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache":
    CACHES["default"]["BACKEND"] = "console.server.cache.SharedCache"
TASK_BACKEND = env.str("TASK_BACKEND", default="django_tasks_db.DatabaseBackend")
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
LOG_PASSWORD_LINKS = env.bool("LOG_PASSWORD_LINKS", default=False)
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend" and not LOG_PASSWORD_LINKS:
    EMAIL_CONFIG["EMAIL_BACKEND"] = "console.outbox.log.EmailBackend"
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=2)  # processes
WEB_THREADS = env.int("WEB_THREADS", default=64)  # of each
AUDIT_LOG = check_audit_log(env.str("AUDIT_LOG", default="stdout"))
SECOND_FACTOR_DEMANDED = env.bool("SECOND_FACTOR_DEMANDED", default=True)  # where a role's policy has it
SECOND_FACTOR_RESET_HOURS = env.int("SECOND_FACTOR_RESET_HOURS", default=24)
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_CLIENT_AUTHENTICATION = env.str("OIDC_CLIENT_AUTHENTICATION", default="client_secret_basic")
OIDC_ISSUER = check_issuer(
    env.str("OIDC_ISSUER", default=""),  # "": operators have no other way in than the console's own
    client_id=OIDC_CLIENT_ID,
    client_secret=OIDC_CLIENT_SECRET,
    method=OIDC_CLIENT_AUTHENTICATION,
)
OIDC_NAME = env.str("OIDC_NAME", default="") or urlsplit(OIDC_ISSUER).hostname or ""
OIDC_SCOPES = env.str("OIDC_SCOPES", default="openid profile email")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_HOSTS = env.list("OIDC_HOSTS", default=[])  # besides the issuer's
OIDC_SECOND_FACTOR_ACR = env.list("OIDC_SECOND_FACTOR_ACR", default=[])
OIDC_SECOND_FACTOR_AMR = env.list("OIDC_SECOND_FACTOR_AMR", default=[])
OIDC_EMAILS_VERIFIED = env.bool("OIDC_EMAILS_VERIFIED", default=False)
OIDC_ONLY = env.bool("OIDC_ONLY", default=False)
BREACHED_PASSWORDS = check_breached_passwords(env.str("BREACHED_PASSWORDS", default=""))
METRICS_TOKEN = check_metrics_token(env.str("METRICS_TOKEN", default=""))
SENTRY_DSN = check_sentry_dsn(env.str("SENTRY_DSN", default=""))
LOG_FORMAT = check_log_format(env.str("LOG_FORMAT", default="plain"))

if OIDC_ONLY and not OIDC_ISSUER:
    raise ImproperlyConfigured("OIDC_ONLY needs OIDC_ISSUER: nobody could sign in")
check_secret_key(SECRET_KEY)
check_keys(CREDENTIAL_KEYS)
for _name, _addresses in (("TRUSTED_PROXIES", TRUSTED_PROXIES), ("OUTGOING_ADDRESSES", OUTGOING_ADDRESSES)):
    for _address in _addresses:
        try:
            ip_network(_address)
        except ValueError as error:
            raise ImproperlyConfigured(f"{_name} must list IP addresses or networks: {error}") from None
if JOBS_KEPT_DAYS < 1:
    raise ImproperlyConfigured("JOBS_KEPT_DAYS must be at least 1")
if SECOND_FACTOR_RESET_HOURS < 1:
    raise ImproperlyConfigured("SECOND_FACTOR_RESET_HOURS must be at least 1")
if not 1 <= SESSION_IDLE_MINUTES <= 30:
    raise ImproperlyConfigured("SESSION_IDLE_MINUTES must be a number of minutes from 1 to 30")
if not 1 <= SESSION_HOURS <= 12:
    raise ImproperlyConfigured("SESSION_HOURS must be a number of hours from 1 to 12")
if not 1 <= PINGONE_RATE_SHARE <= 100:
    raise ImproperlyConfigured("PINGONE_RATE_SHARE must be a percentage from 1 to 100")
if DATABASE_POOL < 0:
    raise ImproperlyConfigured("DATABASE_POOL must be a number of connections, or 0 for no pool")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in {"http", "https"} or not _public.hostname or _public.path:
    raise ImproperlyConfigured(
        "PUBLIC_URL must be a scheme and host without a path, for example https://console.example.com"
    )
SERVED_OVER_TLS = _public.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_public.hostname])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 5  # seconds for each step
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"console@{_public.hostname}")

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    with contextlib.suppress(OSError):  # SQLite itself tells of a file that it cannot use
        # Only the console may read names and addresses. SQLite's files beside it get the same mode.
        os.close(os.open(DATABASES["default"]["NAME"], os.O_CREAT, 0o600))
        os.chmod(DATABASES["default"]["NAME"], 0o600)  # noqa: PTH101 - a database of older versions
    DATABASES["default"].setdefault("CONN_MAX_AGE", 600)  # seconds; a new one costs a page a tenth of its time
    DATABASES["default"]["OPTIONS"] = {
        # A writer takes its lock at BEGIN: this wait honors the timeout, the upgrade of a read lock would not.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"] = {"CONN_HEALTH_CHECKS": True} | DATABASES["default"]
    if DATABASE_POOL and "CONN_MAX_AGE" not in DATABASES["default"]:
        # Threads that wait for PingOne have given theirs back: pingone_integration/calls/database.py
        DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
            "min_size": 0,
            "max_size": DATABASE_POOL,
            "timeout": 10,  # seconds
            "max_idle": 60,
        }

# Django components of the product

INSTALLED_APPS = [
    "console",
    "pingone_integration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "template_partials",
]
MIDDLEWARE = [
    "console.middleware.Transaction",  # first: every log line of a request has its ID
    "console.server.headers.SecurityHeaders",  # before anything that answers
    "console.middleware.HealthChecks",  # before the host: a load balancer knows neither the host name nor https
    "console.middleware.KnownHost",
    "django.middleware.security.SecurityMiddleware",
    "console.middleware.Compression",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "console.sessions.middleware.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.operators.page_limits.PageLimits",
    "console.middleware.Deadline",
    "console.sessions.middleware.Activity",
    "django_htmx.middleware.HtmxMiddleware",
    "console.middleware.PrivatePages",
    "console.user_mails.languages.UserLanguage",
    "console.middleware.ViewingAs",
    "console.middleware.ReaderTimeZone",
    "console.middleware.PeopleLookedAt",
    "console.middleware.Entering",
    "console.middleware.ConnectionStatus",
    "console.middleware.Failures",
]
# A task only wakes the worker: the work is in rows (console/models/work.py).
QUEUES = ["email", "recovery", "schedule", "plans", "rules", "jobs", "crawls"]
TASKS = {"default": {"BACKEND": TASK_BACKEND, "QUEUES": QUEUES}}
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "console.page.frame.layout",
                "console.tickets.ticket_of_page",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "template_partials.templatetags.partials",
                "console.templatetags.console",
            ],
        },
    }
]

FORM_RENDERER = "console.page.form_rendering.TablerRenderer"
MESSAGE_TAGS = {message_levels.ERROR: "danger"}  # Tabler's word

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

FILE_UPLOAD_HANDLERS = ["console.middleware.NoUploads"]

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
]  # of the pages for users alone: console/user_mails/languages.py
TIME_ZONE = "UTC"
USE_TZ = True

# Sign-in

AUTH_USER_MODEL = "console.Operator"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},  # console.operators.passwords.LEAST
    },
    {"NAME": "console.operators.passwords.CommonPassword"},
    {"NAME": "console.operators.passwords.OwnWords"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "console.operators.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # no one signs up: an org admin enters the address
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True  # no checkbox: a session lasts SESSION_COOKIE_AGE
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no email to people who are not operators
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # counted for all processes: console/operators/sign_in_limits.py
MFA_ADAPTER = "console.operators.accounts.MfaAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SERVED_OVER_TLS  # the demo on localhost
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
ACCOUNT_FORMS = {
    "login": "console.operators.sign_in_forms.LoginForm",
    "reset_password": "console.operators.sign_in_forms.ResetPasswordForm",
    "change_password": "console.operators.sign_in_forms.ChangePasswordForm",
    "reset_password_from_key": "console.operators.sign_in_forms.ResetPasswordKeyForm",
}
MFA_FORMS = {
    "activate_totp": "console.operators.authenticator_form.ActivateForm",
    "authenticate": "console.operators.sign_in_forms.AuthenticateForm",
    "edit_webauthn": "console.operators.sign_in_forms.EditPasskeyForm",
    "reauthenticate": "console.operators.sign_in_forms.ReauthenticateForm",
    "add_webauthn": "console.operators.passkey_forms.AddForm",
    "authenticate_webauthn": "console.operators.passkey_forms.AuthenticateForm",
    "login_webauthn": "console.operators.passkey_forms.LoginForm",
    "reauthenticate_webauthn": "console.operators.passkey_forms.ReauthenticateForm",
}
MFA_RECOVERY_CODES_SHOW_ONCE = True  # only hashes are kept
RECOVERY_CODE_ROUNDS = 210_000  # of PBKDF2 with SHA-512, as OWASP asks for passwords
MFA_TOTP_ISSUER = "PingOne console"
USERSESSIONS_TRACK_ACTIVITY = True  # by console.sessions.middleware.Activity
USERSESSIONS_ADAPTER = "console.operators.accounts.SessionsAdapter"

# Headers and cookies

# With this prefix, a browser takes a cookie from this host alone, over TLS: no server beside it can plant one.
_PREFIX = "__Host-" if SERVED_OVER_TLS else ""
SESSION_COOKIE_NAME = f"{_PREFIX}console_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SESSION_ENGINE = "console.sessions.store"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
CSRF_COOKIE_NAME = f"{_PREFIX}console_csrf"
CSRF_COOKIE_HTTPONLY = True  # htmx has the token from the page
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # names of people stay on the server
THEME_COOKIE_NAME = f"{_PREFIX}theme"
TIME_ZONE_COOKIE_NAME = f"{_PREFIX}timezone"
KNOWN_BROWSER_COOKIE_NAME = f"{_PREFIX}known_browser"
RECOVERY_COOKIE_NAME = f"{_PREFIX}recovery"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}user_language"  # until the browser is closed
LANGUAGE_COOKIE_SECURE = SERVED_OVER_TLS
LANGUAGE_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "console.failures.pages.csrf_failed"
SECURE_SSL_REDIRECT = SERVED_OVER_TLS
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
# Both bind other servers of the domain, and cannot be taken back for months.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # the two above are the administrator's decision
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

DEFAULT_EXCEPTION_REPORTER = "console.failures.exception_reports.ReportWithoutValues"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        "json": {"()": "console.server.log_format.JsonFormatter"},
        "line": {"format": "%(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "audit": {"()": "console.server.audit_log.handler", "destination": AUDIT_LOG, "formatter": "line"},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # httpx logs whole URLs at INFO, and a filter in a URL may contain a user's email address.
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},  # a line for each look at the rows
        "django_tasks_db": {"level": "ERROR"},
        "django.template": {"level": "INFO"},  # at DEBUG it logs all values of a page
        "console.audit": {"handlers": ["audit"], "propagate": False},  # only JSON lines, for a SIEM
    },
}
