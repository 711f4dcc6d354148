"""gunicorn's worker, whose own errors have the security headers too: no code sees a request that cannot be read."""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from console.server.headers import ALWAYS


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        super().handle_error(req, _WithHeaders(client), addr, exc)


class _WithHeaders:
    """A socket that completes the head of the one answer that is sent through it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def sendall(self, answer: bytes) -> None:
        status, rest = answer.split(b"\r\n", 1)
        lines = (f"{name}: {value}" for name, value in ALWAYS.items())
        self._client.sendall(b"\r\n".join([status, *(line.encode() for line in lines), rest]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
