"""Fixtures of the table of who may do what."""

from tests.support.environment_fixtures import environment

__all__ = ["environment"]
