"""Settings for the type checker only: the console and the sandbox in one site, which never run together."""

from pingone_integration.sandbox.settings import SANDBOX_URL as SANDBOX_URL  # noqa: PLC0414 - exported on purpose
from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as CONSOLE_APPS

INSTALLED_APPS = [*CONSOLE_APPS, "pingone_integration.sandbox", "pingone_integration.sandbox.oauth"]
