"""A proxy to the sandbox that can delay or drop an answer after the sandbox has processed the request."""

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
    """A running proxy. Callers use its URL as the sandbox's URL."""

    url: str
    on_the_way_back: dict[str, Callable[[], object]] = field(default_factory=dict)  # by last path segment; runs once


@contextmanager
def relay_to(sandbox: Sandbox) -> Iterator[Relay]:
    with new_browser() as upstream:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = [(name, value) for name, value in self.headers.items() if name != "Connection"]
                reply = upstream.request(self.command, sandbox.url + self.path, headers=headers, content=body)
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

            do_POST = do_GET  # noqa: N815 - named by http.server

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        relay = Relay(url=f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
