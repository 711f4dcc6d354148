"""Fixtures of tests of rules."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import respx

from pingone_integration.calls import rate_limit
from tests.support.crawling import Populations
from tests.support.people import API_URL, ENVIRONMENT


@pytest.fixture
def environment() -> Iterator[Populations]:
    """Mock Acme's environment, with nobody in it yet."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = Populations()
        router.route().mock(side_effect=people)
        yield people


@pytest.fixture(autouse=True)
def _no_shared_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count no background calls in the database: the threads of a read would wait for the test's transaction."""
    monkeypatch.setattr(rate_limit, "in_background", lambda *_percent: nullcontext())
