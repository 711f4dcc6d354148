"""The organization itself: environments, populations, applications, roles and administrators."""

from datetime import UTC, datetime
from uuid import uuid5

from django.contrib.auth.hashers import make_password
from django.db import transaction

from pingone_integration.sandbox.models import (
    Application,
    Environment,
    PasswordPolicy,
    Population,
    Role,
    RoleAssignment,
    User,
)
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.roles import BUILT_IN_ROLES
from pingone_integration.sandbox.seed.schema import seed_schema

FOUNDED = datetime(2025, 5, 20, 10, tzinfo=UTC)

ENVIRONMENTS = (
    (fixtures.ADMINISTRATORS_ENVIRONMENT_ID, "Administrators", "PRODUCTION", Environment.Kind.ADMINISTRATORS),
    (fixtures.MANAGED_ENVIRONMENT_ID, "Acme production", "PRODUCTION", Environment.Kind.MANAGED),
    (fixtures.SECOND_ENVIRONMENT_ID, "Acme test", "SANDBOX", Environment.Kind.MANAGED),
)
POPULATIONS = (
    (fixtures.ADMINISTRATORS_POPULATION_ID, fixtures.ADMINISTRATORS_ENVIRONMENT_ID, "Administrators", True),
    (fixtures.STAFF_POPULATION_ID, fixtures.MANAGED_ENVIRONMENT_ID, "Staff", True),
    (fixtures.PARTNERS_POPULATION_ID, fixtures.MANAGED_ENVIRONMENT_ID, "Partners", False),
    (fixtures.CUSTOMERS_POPULATION_ID, fixtures.MANAGED_ENVIRONMENT_ID, "Customers", False),
    (fixtures.SECOND_POPULATION_ID, fixtures.SECOND_ENVIRONMENT_ID, "Testers", True),
)
STANDARD_POLICY = {
    "excludesCommonlyUsed": True,
    "excludesProfileData": True,
    "length": {"min": 8, "max": 255},
    "lockout": {"failureCount": 5, "durationSeconds": 900},
    "minCharacters": {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ": 1,
        "abcdefghijklmnopqrstuvwxyz": 1,
        "0123456789": 1,
        "~!@#$%^&*()-_=+[]{}|;:,.<>/?": 1,
    },
    "minUniqueCharacters": 5,
    "maxAgeDays": 182,
}


@transaction.atomic
def seed_organization() -> None:
    """Create the organization, unless an environment exists."""
    if Environment.objects.exists():
        return
    for environment_id, name, kind_of_use, kind in ENVIRONMENTS:
        environment = Environment.objects.create(
            id=environment_id,
            organization_id=fixtures.ORGANIZATION_ID,
            license_id=uuid5(fixtures.NAMESPACE, "license"),
            name=name,
            type=kind_of_use,
            kind=kind,
            created_at=FOUNDED,
            updated_at=FOUNDED,
        )
        PasswordPolicy.objects.create(
            id=uuid5(fixtures.NAMESPACE, f"password-policy:{environment_id}"),
            environment=environment,
            name="Standard",
            default=True,
            definition=STANDARD_POLICY,
            created_at=FOUNDED,
            updated_at=FOUNDED,
        )
        seed_schema(environment_id)
    for population_id, environment_id, name, is_default in POPULATIONS:
        Population.objects.create(
            id=population_id,
            environment_id=environment_id,
            name=name,
            default=is_default,
            password_policy=PasswordPolicy.objects.get(environment_id=environment_id),
            created_at=FOUNDED,
            updated_at=FOUNDED,
        )
    _seed_applications()
    _seed_administrators()


def _seed_applications() -> None:
    Application.objects.create(
        id=fixtures.CLIENT_ID,
        environment_id=fixtures.ADMINISTRATORS_ENVIRONMENT_ID,
        name="Admin console",
        client_secret=fixtures.CLIENT_SECRET,
        grant_types=["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
        response_types=["CODE"],
        scopes=["openid", "profile", "email"],
        redirect_uris=list(fixtures.REDIRECT_URIS),
        pkce_enforcement=Application.Pkce.S256_REQUIRED,
        admin_users_only=True,
    )
    Application.objects.create(
        id=fixtures.SERVICE_CLIENT_ID,
        environment_id=fixtures.ADMINISTRATORS_ENVIRONMENT_ID,
        name="Nightly job",
        client_secret=fixtures.SERVICE_CLIENT_SECRET,
        grant_types=["CLIENT_CREDENTIALS"],
    )


def _seed_administrators() -> None:
    roles = {
        role.name: Role.objects.create(
            id=role.id,
            name=role.name,
            description=role.description,
            applicable_to=list(role.applicable_to),
            permissions=list(role.permissions),
        )
        for role in BUILT_IN_ROLES
    }
    environments = set(Environment.objects.values_list("id", flat=True))
    for administrator in fixtures.ADMINISTRATORS:
        user = User.objects.create(
            id=administrator.id,
            environment_id=fixtures.ADMINISTRATORS_ENVIRONMENT_ID,
            population_id=fixtures.ADMINISTRATORS_POPULATION_ID,
            profile={
                "username": administrator.username,
                "email": f"{administrator.username}@acme.test",
                "name": {"given": administrator.given, "family": administrator.family},
            },
            email_verified=True,
            password=make_password(administrator.password),
            password_status=User.PasswordStatus.OK,
            password_changed_at=FOUNDED,
            created_at=FOUNDED,
            updated_at=FOUNDED,
        )
        if administrator.role:
            RoleAssignment.objects.create(
                id=uuid5(fixtures.NAMESPACE, f"assignment:{administrator.username}"),
                role=roles[administrator.role],
                user=user,
                scope_type="ENVIRONMENT" if administrator.scope_id in environments else "POPULATION",
                scope_id=administrator.scope_id,
            )
    RoleAssignment.objects.create(
        id=uuid5(fixtures.NAMESPACE, "assignment:service"),
        role=roles["Identity Data Admin"],
        application_id=fixtures.SERVICE_CLIENT_ID,
        scope_type="ENVIRONMENT",
        scope_id=fixtures.MANAGED_ENVIRONMENT_ID,
    )
