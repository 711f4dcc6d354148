"""Fixtures of recovery: Acme, where it is on for Staff, and a person who cannot sign in."""

from collections.abc import Iterator

import pytest
import respx

from console.models import Organization
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.recovering import PersonAtPages, RecoveryEnvironment, switch_on


@pytest.fixture
def environment() -> Iterator[RecoveryEnvironment]:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        small = RecoveryEnvironment()
        router.route().mock(side_effect=small)
        yield small


@pytest.fixture
def person(acme: Organization, environment: RecoveryEnvironment) -> PersonAtPages:
    switch_on(acme)
    return PersonAtPages()
