"""The HTTP server: one worker with many threads that keeps connections open, as PingOne does."""

from collections.abc import Callable
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

THREADS = 48


class SandboxServer(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
    """A server that runs until SIGTERM or SIGINT. `on_ready` gets the URL once the socket accepts connections."""

    def __init__(self, host: str, port: int, on_ready: Callable[[str], None], *, quiet: bool) -> None:
        self.host, self.port, self.on_ready, self.quiet = host, port, on_ready, quiet
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"{self.host}:{self.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 75,
            "graceful_timeout": 2,
            "control_socket_disable": True,
            "limit_request_line": 8190,  # above PingOne's own limit, which the API enforces
            "accesslog": None if self.quiet else "-",
            "loglevel": "warning",
            "when_ready": self._announce,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()

    def _announce(self, arbiter: Arbiter) -> None:
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        self.on_ready(f"http://{host}:{port}")
