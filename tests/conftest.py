"""People, organizations and a PingOne of canned answers, for every test."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import respx
from django.db.models import F
from django.test import Client
from django.utils import timezone

from console.models import Membership, Operator, Organization
from pingone_integration.calls.api import http_client
from pingone_integration.models import Connection

AUTH_URL = "https://auth.pingone.test"
API_URL = "https://api.pingone.test"
ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
ADMINISTRATORS = UUID("9e8d7c6b-5a49-4838-a726-1504f3e2d1c0")  # the environment where administrators sign on


@pytest.fixture(autouse=True)
def _fresh_http_client() -> Iterator[None]:
    """No connection to a server of another test is kept."""
    yield
    if http_client.cache_info().currsize:
        http_client().close()
        http_client.cache_clear()


def connected(connection: Connection) -> Connection:
    """As after Connect: a stored grant that is good for an hour."""
    connection.client_id = "7c6b5a49-0000-4000-8000-000000000001"
    connection.auth_url = AUTH_URL
    connection.environment_id = ADMINISTRATORS
    connection.managed_environment_id = ENVIRONMENT
    connection.managed_environment_name = "Acme production"
    connection.sealed_client_secret = connection.seal("client_secret", "the-client-secret")
    connection.sealed_access_token = connection.seal("access_token", "the-access-token")
    connection.sealed_refresh_token = connection.seal("refresh_token", "the-refresh-token")
    connection.access_token_expires_at = timezone.now() + timedelta(hours=1)
    connection.state = Connection.State.CONNECTED
    connection.licensed_calls = 1_000_000  # never counted in the database, where a test's transaction keeps threads out
    connection.save()
    return connection


def lease_ages(connection: Connection, by: timedelta) -> None:
    """As so much later: leases and pauses go by the database's clock, which no test can set."""
    Connection.objects.filter(pk=connection.pk).update(lease_until=F("lease_until") - by)


def make_organization(slug: str, name: str) -> Organization:
    return Organization.objects.create(slug=slug, name=name, connection=connected(Connection()))


@pytest.fixture
def acme(db: None) -> Organization:
    """A connected organization; the people below belong to it."""
    return make_organization("acme", "Acme")


@pytest.fixture
def globex(db: None) -> Organization:
    """Another connected organization, that nobody of Acme belongs to."""
    return make_organization("globex", "Globex")


def make_operator(email: str, organization: Organization | None = None, role: str | None = None) -> Operator:
    operator = Operator.objects.create_user(email, "correct horse battery")
    if organization and role:
        Membership.objects.create(organization=organization, operator=operator, role=role)
    return operator


@pytest.fixture
def org_admin(acme: Organization) -> Operator:
    return make_operator("admin@acme.test", acme, Membership.Role.ORG_ADMIN)


@pytest.fixture
def helpdesk(acme: Organization) -> Operator:
    return make_operator("agent@acme.test", acme, Membership.Role.HELPDESK_AGENT)


@pytest.fixture
def auditor(acme: Organization) -> Operator:
    return make_operator("auditor@acme.test", acme, Membership.Role.AUDITOR)


@pytest.fixture
def stranger(globex: Organization) -> Operator:
    """An org admin, but of another organization."""
    return make_operator("admin@globex.test", globex, Membership.Role.ORG_ADMIN)


@pytest.fixture
def browser_of() -> Callable[[Operator], Client]:
    """A signed-in test client for an operator; it enforces CSRF no more than Django's default client."""

    def signed_in(operator: Operator) -> Client:
        client = Client()
        client.force_login(operator)
        return client

    return signed_in


@pytest.fixture
def pingone() -> Iterator[respx.MockRouter]:
    """Acme's environment in canned answers; a request without one fails the test, and so does an unused answer."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}") as router:
        yield router
