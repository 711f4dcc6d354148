"""Fixtures for the tests of the console's pages."""

import logging
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def audit_lines() -> Iterator[Callable[[], list[str]]]:
    """Return a function that returns the log lines for the SIEM so far."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("console.audit")
    logger.addHandler(handler)
    yield lambda: list(lines)
    logger.removeHandler(handler)
