"""Fixtures of tests of inactive users."""

from collections.abc import Iterator

import pytest
import respx

from tests.support.crawling import Populations
from tests.support.people import API_URL, ENVIRONMENT


@pytest.fixture
def environment() -> Iterator[Populations]:
    """Mock Acme's environment, with nobody in it yet."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = Populations()
        router.route().mock(side_effect=people)
        yield people
