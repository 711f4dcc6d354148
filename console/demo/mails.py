"""The mails of the demo's console, which land in a directory: their links are printed, so that one can follow them."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

_END = b"-" * 79 + b"\n"  # the line with which Django's file backend ends each mail


class Mails:
    """The mails in a directory that arrived since the start. Django may append a mail to the file of an earlier one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._told = {path: path.stat().st_size for path in directory.iterdir()}  # bytes

    def new(self) -> Iterator[str]:
        """Yield one text for each new mail: recipient, subject and links."""
        for path in sorted(self.directory.iterdir()):
            content = path.read_bytes()[self._told.get(path, 0) :]
            if content.endswith(_END):  # else nothing is new, or it is still being written
                self._told[path] = self._told.get(path, 0) + len(content)
                yield from (_text_of(mail) for mail in content.split(_END) if mail.strip())


def _text_of(content: bytes) -> str:
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(("plain",))
    links = re.findall(r"https?://\S+", body.get_content()) if body else []
    return "\n    ".join([f"Mail to {mail['to']}: {mail['subject']}", *links])
