"""Fixtures of tests of jobs."""

from collections.abc import Iterator

import pytest
import respx

from console.access import OrgAccess, enter_org
from console.jobs import one_row, runner
from console.models import Operator, Organization
from tests.support.many_people import ManyPeople
from tests.support.people import API_URL, ENVIRONMENT


@pytest.fixture
def environment() -> Iterator[ManyPeople]:
    """Mock Acme's environment, with nobody in it yet."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        many = ManyPeople()
        router.route().mock(side_effect=many)
        yield many


@pytest.fixture
def access(org_admin: Operator, acme: Organization) -> OrgAccess:
    return enter_org(org_admin, acme.slug)


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the waits of jobs pass at once."""
    slept: list[float] = []
    monkeypatch.setattr(one_row, "wait", slept.append)
    return slept


@pytest.fixture(autouse=True)
def _one_row_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run rows in the order of the list, so that a test can say what happens after which."""
    monkeypatch.setattr(runner, "AT_ONCE", 1)
