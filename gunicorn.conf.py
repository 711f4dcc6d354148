"""Settings of gunicorn. Many threads, because requests mostly wait for PingOne."""

from typing import Any

from console import settings  # a missing setting stops the start here, before any worker starts
from console.server.access_log import ACCESS_LOG_FORMAT, AccessLog
from console.server.bind_address import check_bind_address

bind = settings.env.str("BIND", default="127.0.0.1:8000")
check_bind_address([bind], settings.TRUSTED_PROXIES)
workers = settings.WEB_CONCURRENCY
worker_class = "console.server.gunicorn_worker.Worker"
threads = settings.WEB_THREADS

# Seconds. Longer than a page's wait for PingOne (10 s) plus a change that starts at its end, so that a restart
# interrupts no request.
timeout = graceful_timeout = 30

forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Check the address again: the command line may name another."""
    check_bind_address(server.cfg.bind, settings.TRUSTED_PROXIES)


accesslog = "-"
access_log_format = ACCESS_LOG_FORMAT
AccessLog.log_format = settings.LOG_FORMAT
logger_class = AccessLog
