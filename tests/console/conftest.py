"""What several tests of the console's pages use."""

import logging
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def audit_lines() -> Iterator[Callable[[], list[str]]]:
    """What went to the process log for the SIEM so far."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("console.audit")
    logger.addHandler(handler)
    yield lambda: list(lines)
    logger.removeHandler(handler)
