"""The mails of the demo's console, which land in a directory: printed with their links, and put into the mailboxes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

_END = b"-" * 79 + b"\n"  # the line with which Django's file backend ends each mail


class Mails:
    """The mails in a directory that arrived since the start. Django may append a mail to the file of an earlier one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._told = {path: path.stat().st_size for path in directory.iterdir()}  # bytes

    def new(self) -> "Iterator[ConsoleMail]":
        """Yield each new mail."""
        for path in sorted(self.directory.iterdir()):
            content = path.read_bytes()[self._told.get(path, 0) :]
            if content.endswith(_END):  # else nothing is new, or it is still being written
                self._told[path] = self._told.get(path, 0) + len(content)
                yield from (_mail_of(mail) for mail in content.split(_END) if mail.strip())


@dataclass(frozen=True, kw_only=True)
class ConsoleMail:
    to: str
    subject: str
    body: str

    def __str__(self) -> str:
        links = re.findall(r"https?://\S+", self.body)
        return "\n    ".join([f"Mail to {self.to}: {self.subject}", *links])


def deliver(mail: ConsoleMail, outbox: str) -> bool:
    """Put a mail into the mailboxes of the local PingOne. Return whether it is there."""
    body = json.dumps({"to": mail.to, "subject": mail.subject, "body": mail.body}).encode()
    request = Request(outbox, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - the demo's own
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=5) as response:
            return bool(response.status == 201)
    except OSError:
        return False


def _mail_of(content: bytes) -> ConsoleMail:
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(("plain",))
    return ConsoleMail(to=str(mail["to"]), subject=str(mail["subject"]), body=body.get_content() if body else "")
