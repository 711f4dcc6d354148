"""Fixtures of tests on protected accounts: a small environment, and agents with more rights than by default."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import respx

from console.rights.permissions import ACTIONS_OF, Permission
from console.rights.roles import NO_DEMANDS
from tests.support import people
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.small_environment import SmallEnvironment

MORE = frozenset(
    {
        Permission.CREATE_USERS,
        Permission.MOVE_USERS,
        Permission.DELETE_USERS,
        Permission.SWITCH_MFA,
        Permission.CALL_API,
    }
)


@pytest.fixture
def environment() -> Iterator[SmallEnvironment]:
    """Mock Acme's environment with Ada, who is nobody special, and the group Engineers."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        small = SmallEnvironment()
        router.route().mock(side_effect=small)
        yield small


@pytest.fixture(autouse=True)
def _agents_may_do_all_but_manage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give agents every right on users, Call API too, so that only the protection stops them."""
    keys = [key for permission in MORE for key in ACTIONS_OF[permission]]
    actions = {**people.EARLIER_RIGHTS.actions, **dict.fromkeys(keys, NO_DEMANDS)}
    monkeypatch.setattr(people, "EARLIER_RIGHTS", replace(people.EARLIER_RIGHTS, actions=actions))
