"""Fixtures of single sign-on: a provider, and Acme with a group that has a role."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx

from console.models import MappedGroup, Organization
from tests.support.identity_provider import IdentityProvider, provider_in


@pytest.fixture
def provider(settings: Any) -> Iterator[IdentityProvider]:
    with respx.mock(assert_all_called=False) as router:
        yield provider_in(router, settings)


@pytest.fixture
def mapped(acme: Organization) -> Organization:
    """Let the provider's group Helpdesk be agents of Acme, and Admins its org admins."""
    MappedGroup.objects.create(organization=acme, group="Admins", role="org_admin")
    MappedGroup.objects.create(organization=acme, group="Helpdesk", role="helpdesk_agent")
    return acme
