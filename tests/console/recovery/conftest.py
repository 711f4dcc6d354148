"""Fixtures of recovery: Acme, where it is on for Staff, and a person who cannot sign in."""

from collections.abc import Iterator

import pytest

from console.models import Organization
from tests.support.recovering import PersonAtPages, RecoveryEnvironment, mocked_environment, switch_on


@pytest.fixture
def environment() -> Iterator[RecoveryEnvironment]:
    with mocked_environment() as small:
        yield small


@pytest.fixture
def person(acme: Organization, environment: RecoveryEnvironment) -> PersonAtPages:
    switch_on(acme)
    return PersonAtPages()
