"""A small SMTP server in a thread of the test, which can act at any command."""

import re
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

TAKEN = "250 taken"


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every email. `before_answer` and `after_answer` are called with the answer at each step of a client."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.taken: list[str] = []  # the Message-ID of each copy
        self.before_answer: Callable[[str], None] = lambda _: None
        self.after_answer: Callable[[str], None] = lambda _: None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        try:
            self._talk()
        except OSError:  # the client was killed
            return

    def _talk(self) -> None:
        self._answer("220 ready")
        while line := self.rfile.readline():
            command = line[:4].upper().strip()
            if command == b"DATA":
                self._answer("354 go on")
                text = self._text()
                if text is None:
                    return
                self.server.taken += re.findall(r"(?m)^Message-ID: (\S+)", text)
                self._answer(TAKEN)
            elif command == b"QUIT":
                self._answer("221 bye")
                return
            else:
                self._answer("250 ok")

    def _text(self) -> str | None:
        """Return the email, or None if the client went away before its end."""
        lines: list[bytes] = []
        while line := self.rfile.readline():
            if line == b".\r\n":
                return b"".join(lines).decode()
            lines.append(line)
        return None

    def _answer(self, text: str) -> None:
        self.server.before_answer(text)
        self.wfile.write(f"{text}\r\n".encode())
        self.server.after_answer(text)


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
