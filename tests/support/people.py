"""Functions that create operators and organizations for tests, without fixtures."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from console.access import enter_org
from console.models import GroupReading, Membership, Operator, Organization
from console.operators import invitations
from console.rights.roles import BUILT_IN, NO_DEMANDS
from pingone_integration.models import Connection

AUTH_URL = "https://auth.pingone.test"


API_URL = "https://api.pingone.test"


ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")


ADMINISTRATORS = UUID("9e8d7c6b-5a49-4838-a726-1504f3e2d1c0")  # the environment where administrators sign in


def connected(connection: Connection) -> Connection:
    """Put the connection into the state after Connect, with an access token that expires in an hour."""
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
    connection.licensed_calls = 1_000_000  # never counted in the database, because a test's transaction blocks threads
    connection.save()
    return connection


def lease_ages(connection: Connection, by: timedelta) -> None:
    """Age the lease by this time. Leases and pauses use the database's clock, which a test cannot set."""
    Connection.objects.filter(pk=connection.pk).update(lease_until=F("lease_until") - by)


# The rights of agents in an organization that is older than policies: it kept them at the upgrade.
EARLIER_RIGHTS = replace(
    BUILT_IN["helpdesk_agent"],
    actions=dict.fromkeys(BUILT_IN["helpdesk_agent"].actions, NO_DEMANDS),
    fields=None,
)


def make_organization(slug: str, name: str) -> Organization:
    """Create an organization in which agents have the rights from before policies."""
    return without_groups(
        Organization.objects.create(
            slug=slug,
            name=name,
            connection=connected(Connection()),
            role_overrides={"helpdesk_agent": EARLIER_RIGHTS.stored()},
        )
    )


def without_groups(organization: Organization) -> Organization:
    """Let the organization's groups have been read a moment ago: there were none, so each is asked when needed."""
    organization.connection.refresh_from_db()
    environment_id = organization.connection.managed_environment_id
    assert environment_id
    GroupReading.objects.create(
        organization=organization, environment_id=environment_id, read_at=timezone.now(), shows_roles=True
    )
    return organization


def make_operator(email: str, organization: Organization | None = None, role: str | None = None) -> Operator:
    operator = Operator.objects.create_user(email, "correct horse battery")
    if organization and role:
        Membership.objects.create(organization=organization, operator=operator, role=role)
    return operator


def invite(email: str, role: str = "helpdesk_agent", *, to: Organization | None = None) -> str:
    """Invite somebody, by default to an organization of nobody else's. Return the path of the link."""
    organization = to or make_organization("initech", "Initech")
    admin = organization.org_admins().first() or make_operator(
        f"admin@{organization.slug}.test", organization, Membership.Role.ORG_ADMIN
    )
    access = enter_org(admin, organization.slug)
    link = invitations.send(access, email, "", role, signed_in_at=timezone.now(), source_address="")
    return link.removeprefix(settings.PUBLIC_URL)
