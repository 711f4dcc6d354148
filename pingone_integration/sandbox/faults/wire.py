"""Faults below HTTP: connections that end without an answer, and slow answers.

Gunicorn passes the connection as `gunicorn.socket`. It takes a ConnectionResetError in the middle of an answer for a
disconnect by the client: it writes nothing, closes the connection, and logs nothing.
"""

import errno
import os
import select
import socket
import struct
from collections.abc import Callable, Iterator
from time import monotonic
from typing import NoReturn

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

NO_ANSWER = 444  # in the access log only
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds
LOOK_AGAIN_S = 0.25


def reset(request: HttpRequest) -> HttpResponseBase:
    """End the connection with a TCP reset."""
    return _no_answer(request, _reset)


def close(request: HttpRequest) -> HttpResponseBase:
    """Close the connection normally, but without an answer."""
    return _no_answer(request, lambda _: None)


def _no_answer(request: HttpRequest, end: Callable[[socket.socket], None]) -> HttpResponseBase:
    def interrupt(connection: socket.socket) -> NoReturn:
        end(connection)
        raise ConnectionResetError(errno.ECONNRESET, "broken off on purpose")

    return StreamingHttpResponse(map(interrupt, [_connection(request)]), status=NO_ANSWER)


def _reset(connection: socket.socket) -> None:
    """Reset the connection, and leave gunicorn another socket under its number: gunicorn counts closed sockets."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    with socket.socket() as other:
        os.dup2(other.fileno(), connection.fileno())


def wait(request: HttpRequest, seconds: float, *, while_: Callable[[], bool]) -> None:
    """Wait until the time is up, `while_` is false, or the client has gone. The body must have been read."""
    poll = select.poll()
    poll.register(_connection(request), select.POLLIN)
    ends_at = monotonic() + seconds
    while (remaining := ends_at - monotonic()) > 0 and while_():
        if poll.poll(min(remaining, LOOK_AGAIN_S) * 1000):
            return


def trickle(body: bytes, pieces: int, pause: Callable[[], None]) -> Iterator[bytes]:
    """Yield the headers at once, then the body in pieces with a pause before each."""
    yield b""
    size = max(1, -(-len(body) // pieces))
    for start in range(0, len(body), size):
        pause()
        yield body[start : start + size]


def _connection(request: HttpRequest) -> socket.socket:
    connection: socket.socket = request.META["gunicorn.socket"]
    return connection
