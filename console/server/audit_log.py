"""The stream of the audit log's JSON lines: standard output, which no other log uses, or a file for a log shipper."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

LOGGER = "console.audit"
STREAMS = ("stdout", "stderr")
MODE = 0o640  # people's names: for the console, and a log shipper in its group


def check_audit_log(destination: str) -> str:
    """Raise ImproperlyConfigured unless it is a name of STREAMS, or the absolute path of a file that can be written."""
    if destination in STREAMS:
        return destination
    if not Path(destination).is_absolute():
        raise ImproperlyConfigured(f"AUDIT_LOG must be one of {', '.join(STREAMS)}, or the absolute path of a file")
    try:
        AuditFile(destination).close()
    except OSError as error:
        raise ImproperlyConfigured(f"AUDIT_LOG cannot be written: {error}") from None
    return destination


def handler(destination: str) -> logging.Handler:
    if destination in STREAMS:
        return logging.StreamHandler(getattr(sys, destination))
    return AuditFile(destination)


@contextmanager
def away_from_results() -> Iterator[None]:
    """Write the lines to standard error instead of standard output, where a command prints its results."""
    handlers = logging.getLogger(LOGGER).handlers
    mixed = [one for one in handlers if isinstance(one, logging.StreamHandler) and one.stream is sys.stdout]
    for one in mixed:
        one.setStream(sys.stderr)
    try:
        yield
    finally:
        for one in mixed:
            one.setStream(sys.stdout)


class AuditFile(WatchedFileHandler):
    """A file that all processes append to, and that may be moved away at any moment."""

    def __init__(self, path: str) -> None:
        super().__init__(path, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=partial(os.open, mode=MODE))
