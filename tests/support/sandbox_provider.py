"""The sandbox as the OpenID provider of operators: a web application, and a person in a group."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core.cache import cache

from tests.support.oauth import administrator, console
from tests.support.sandbox_server import Sandbox


@dataclass
class SandboxProvider:
    sandbox: Sandbox
    username: str
    user_id: UUID

    @property
    def password(self) -> str:
        return str(self.sandbox.details["user_password"])

    def add_to(self, name: str) -> UUID:
        """Put the person into a new group with this name."""
        group_id, now = uuid4(), "2026-05-18 10:00:31"
        self.sandbox.sql(
            """INSERT INTO sandbox_group (id, environment_id, name, description, external_id, custom_data, user_filter,
               source_type, created_at, updated_at) VALUES (?, ?, ?, '', '', '{}', '', '', ?, ?)""",
            *(group_id, UUID(self.sandbox.details["environment_id"]), name, now, now),
        )
        self.sandbox.sql(
            "INSERT INTO sandbox_groupmembership (group_id, user_id) VALUES (?, ?)", group_id, self.user_id
        )
        return group_id

    def remove_from(self, group_id: UUID) -> None:
        self.sandbox.sql("DELETE FROM sandbox_groupmembership WHERE group_id = ?", group_id)


def sandbox_provider(sandbox: Sandbox, settings: Any, public_url: str) -> SandboxProvider:
    """Set up this server, which people reach at `public_url`, for the sandbox."""
    cache.clear()
    application = console(
        sandbox,
        type="WEB_APP",
        admin_users_only=False,
        redirect_uris=[f"{public_url}/accounts/single-sign-on/callback/"],
        post_logout_redirect_uris=[f"{public_url}/accounts/login/"],
    )
    settings.PUBLIC_URL = public_url
    settings.OIDC_ISSUER, settings.OIDC_NAME = sandbox.issuer, "Acme login"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = application.client_id, application.client_secret
    username = administrator(sandbox, email_verified=True)
    (row,) = sandbox.sql("SELECT id FROM sandbox_user WHERE username_key = ?", username)
    return SandboxProvider(sandbox, username, UUID(row["id"]))
