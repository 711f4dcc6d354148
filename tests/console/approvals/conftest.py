"""Fixtures of tests of approvals."""

from tests.support.environment_fixtures import environment

__all__ = ["environment"]
