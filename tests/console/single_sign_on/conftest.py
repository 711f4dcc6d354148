"""Fixtures of single sign-on: a provider, and Acme with groups that have roles."""

from tests.support.identity_provider import mapped, provider

__all__ = ["mapped", "provider"]
