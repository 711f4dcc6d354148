"""A tiny proxy that tunnels (CONNECT). It resolves names by itself: every host is on this machine."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


@dataclass
class ConnectProxy:
    """A running proxy."""

    port: int
    refusal: str = ""  # the end of the status line, e.g. "407 Proxy Authentication Required"; empty: tunnels open
    asked: list[str] = field(default_factory=list)  # request lines
    headers: list[str] = field(default_factory=list)  # of all requests


@contextmanager
def connect_proxy() -> Iterator[ConnectProxy]:
    class Handler(StreamRequestHandler):
        rbufsize = 0  # bytes after the headers belong to the tunnel

        def handle(self) -> None:
            line = self.rfile.readline().decode().strip()
            if not line:
                return
            running.asked.append(line)
            while header := self.rfile.readline().decode().strip():
                running.headers.append(header)
            if running.refusal:
                self.wfile.write(f"HTTP/1.1 {running.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            port = int(line.split()[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = Thread(target=_pour, args=(upstream, self.connection))
                back.start()
                _pour(self.connection, upstream)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        running = ConnectProxy(server.server_address[1])
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until the source ends, then end the target."""
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
