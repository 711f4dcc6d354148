"""The connection details of a sandbox, as plain data."""

from typing import Any

from pingone_integration.sandbox.models import Application
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.named import PEOPLE


def connection_details(url: str) -> dict[str, Any]:
    """Return the client, the environments and the people who can sign in. The sandbox listens at `url`.

    The client secret is the seeded secret: only the control page shows a rotated secret.
    """
    client = Application.objects.get(id=fixtures.CLIENT_ID)
    return {
        "url": url,
        "auth_url": url,
        "api_url": url,
        "client_id": client.client_id,
        "client_secret": fixtures.CLIENT_SECRET,
        "redirect_uris": client.redirect_uris,
        "service_client_id": str(fixtures.SERVICE_CLIENT_ID),
        "service_client_secret": fixtures.SERVICE_CLIENT_SECRET,
        "organization_id": str(fixtures.ORGANIZATION_ID),
        "environment_id": str(fixtures.ADMINISTRATORS_ENVIRONMENT_ID),
        "managed_environment_id": str(fixtures.MANAGED_ENVIRONMENT_ID),
        "second_environment_id": str(fixtures.SECOND_ENVIRONMENT_ID),
        "user_password": fixtures.USER_PASSWORD,
        "users": {person.username: str(person.id) for person in PEOPLE},
        "administrators": [
            {
                "id": str(administrator.id),
                "username": administrator.username,
                "password": administrator.password,
                "role": administrator.role,
                "about": administrator.about,
            }
            for administrator in fixtures.ADMINISTRATORS
        ],
    }
