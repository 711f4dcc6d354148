"""Fixtures of tests of plans."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import respx
from django.utils import timezone

from console.plans.dates import When
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.plan_people import PlanPeople


@pytest.fixture
def environment() -> Iterator[PlanPeople]:
    """Mock Acme's environment, with Kim in it."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = PlanPeople()
        router.route().mock(side_effect=people)
        yield people


@pytest.fixture
def tomorrow() -> When:
    at = timezone.now() + timedelta(days=1)
    return When(local=f"{at:%Y-%m-%dT%H:%M}", zone="UTC", at=at)
