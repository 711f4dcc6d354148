"""Settings of gunicorn. Many threads, because requests mostly wait for PingOne."""

from console import settings  # a missing setting stops the start here, before any worker starts

bind = settings.env.str("BIND", default="127.0.0.1:8000")
workers = settings.WEB_CONCURRENCY
worker_class = "gthread"
threads = settings.WEB_THREADS

# Seconds. Longer than a page's wait for PingOne (10 s) plus a change that starts at its end, so that a restart
# interrupts no request.
timeout = graceful_timeout = 30

forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
control_socket_disable = True

# %(U)s is the path without the query: queries contain search texts and the authorization code.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
