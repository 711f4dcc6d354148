"""A proxy to the sandbox that can delay or drop an answer after the sandbox has processed the request, and counts."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from django.db import connections

from tests.support.sandbox_server import Sandbox, new_browser


class AnswerLost(Exception):
    """Raised on the way back, so that the caller gets a closed connection instead of the answer."""


def lose_answer() -> None:
    raise AnswerLost


@dataclass
class Relay:
    """A running proxy. Callers use its URL as the sandbox's URL. `writes`: those that took effect, by what they say."""

    url: str
    writes: Counter[tuple[str, str, bytes]] = field(default_factory=Counter)  # method, path, body
    before_each: Callable[[], object] = lambda: None
    after_each: Callable[[], object] = lambda: None
    on_the_way_back: dict[str, Callable[[], object]] = field(default_factory=dict)  # by last path segment; runs once


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a caller that is gone; a failing hook is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def relay_to(sandbox: Sandbox) -> Iterator[Relay]:
    with new_browser() as upstream:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = [(name, value) for name, value in self.headers.items() if name != "Connection"]
                relay.before_each()
                reply = upstream.request(self.command, sandbox.url + self.path, headers=headers, content=body)
                if self.command != "GET" and reply.is_success:
                    relay.writes[self.command, self.path, body] += 1
                relay.after_each()
                try:
                    relay.on_the_way_back.pop(self.path.rpartition("/")[2], lambda: None)()
                except AnswerLost:
                    return
                finally:
                    connections.close_all()
                self.send_response(reply.status_code)
                for name, value in reply.headers.multi_items():
                    if name not in {"content-encoding", "content-length", "transfer-encoding", "connection"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - named by http.server

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Log nothing."""

        server = Server(("127.0.0.1", 0), Handler)
        relay = Relay(url=f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
