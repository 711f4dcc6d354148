"""How gunicorn serves the console: threads, because the work is mostly waiting for PingOne."""

from console import settings  # a missing setting stops the start here, before any worker

bind = settings.env.str("BIND", default="127.0.0.1:8000")
workers = settings.WEB_CONCURRENCY
worker_class = "gthread"
threads = settings.WEB_THREADS

# Longer than a page waits for PingOne (10 s) and one change that began at its end, so that a restart cuts nobody off.
timeout = graceful_timeout = 30

forwarded_allow_ips = ",".join(settings.TRUSTED_PROXIES)
control_socket_disable = True

# %(U)s is the path alone: query strings hold what people search for, and the authorization code.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
