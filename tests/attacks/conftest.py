"""Fixtures of the stories of attacks."""

from tests.support.environment_fixtures import _agents_may_do_all_but_manage, environment
from tests.support.identity_provider import mapped, provider

__all__ = ["_agents_may_do_all_but_manage", "environment", "mapped", "provider"]
