"""Settings of gunicorn. Many threads, because requests mostly wait for PingOne."""

import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from gunicorn.glogging import Logger

from console import settings  # a missing setting stops the start here, before any worker starts
from console.server.bind_address import check_bind_address

bind = settings.env.str("BIND", default="127.0.0.1:8000")
check_bind_address([bind], settings.TRUSTED_PROXIES)
workers = settings.WEB_CONCURRENCY
worker_class = "gthread"
threads = settings.WEB_THREADS

# Seconds. Longer than a page's wait for PingOne (10 s) plus a change that starts at its end, so that a restart
# interrupts no request.
timeout = graceful_timeout = 30

forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Check the address again: the command line may name another."""
    check_bind_address(server.cfg.bind, settings.TRUSTED_PROXIES)


# %(U)s is the path without the query: queries contain search texts and the authorization code.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'


class AccessLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The access log without secrets, one line for each request.

    A path is written percent-encoded: decoded, it may contain line breaks that look like further requests. A link to
    choose a password is a secret until it is used.
    """

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        sent = environ["RAW_URI"].partition("?")[0]  # PATH_INFO is missing after an internal error
        path = quote(unquote_to_bytes(sent), safe="/:@!$&'()*+,;=~")
        return atoms | {"U": PASSWORD_LINK.sub(r"\1(left-out)", path)}


PASSWORD_LINK = re.compile(r"^(/+accounts/+password/+reset/+key/+)[^/]+")
logger_class = AccessLog
