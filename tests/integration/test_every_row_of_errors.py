"""Each kind of failure, caused for real at the sandbox: page, notice, audit entry and commands tell the same of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from pingone_integration import connections
from pingone_integration.models import Connection
from tests.sandbox_server import Sandbox

HTMX = {"HX-Request": "true", "HX-Target": "action"}
CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens there


@dataclass(frozen=True)
class World:
    """What a row breaks: the local PingOne, the connection to it, or the user who is acted on."""

    sandbox: Sandbox
    connection: Connection
    user_id: UUID
    settings: Any

    def expire(self) -> None:
        """As an hour later: the next call renews the access token first."""
        Connection.objects.filter(pk=self.connection.pk).update(access_token_expires_at=timezone.now())


@dataclass(frozen=True, kw_only=True)
class Row:
    """A kind of failure, and how PingOne is brought to cause it."""

    kind: str
    broken: Callable[[World], object]
    action: str = "user.deactivate"
    inputs: dict[str, str] = field(default_factory=dict)
    check: str = ""  # of the connection, that finds it as well; empty: it is about one user or one moment
    outcome: str = "failed"


def wrong_region(world: World) -> None:
    world.settings.PINGONE_CUSTOM_HOSTS = {world.sandbox.url: CLOSED}


def unlisted_host(world: World) -> None:
    world.settings.PINGONE_CUSTOM_HOSTS = {}


def rotated_secret(world: World) -> None:
    world.sandbox.change("rotate-secret")
    world.expire()


def revoked_grant(world: World) -> None:
    world.sandbox.change("revoke-grants")
    world.expire()


def deleted_user(world: World) -> None:
    connections.open_api(world.connection).delete(f"/users/{world.user_id}")


ROWS = {
    "connection failure": Row(kind="connection-failure", broken=wrong_region, check="api"),
    "authentication error": Row(kind="authentication-error", broken=rotated_secret, check="credentials"),
    "token refresh failure": Row(kind="token-refresh-failure", broken=revoked_grant, check="refresh"),
    "invalid API URL": Row(kind="invalid-api-url", broken=unlisted_host, check="auth-url"),
    "missing permission": Row(
        kind="missing-permission",
        broken=lambda world: world.sandbox.change("remove-role", administrator="ada.admin"),
        check="read-users",
    ),
    "target not found": Row(kind="target-not-found", broken=deleted_user),
    "duplicate": Row(
        kind="duplicate", broken=lambda world: None, action="user.update", inputs={"username": "ada.berg"}
    ),
    "invalid value": Row(
        kind="invalid-value", broken=lambda world: None, action="user.update", inputs={"locale": "no such locale"}
    ),
    "unlock failure": Row(
        kind="unlock-failure", broken=lambda world: world.sandbox.change("no-unlock"), action="user.unlock"
    ),
    "rate limited": Row(
        kind="rate-limited", broken=lambda world: world.sandbox.fault("429", retry_after="30"), check="read-users"
    ),
    "unavailable": Row(kind="unavailable", broken=lambda world: world.sandbox.fault("503"), check="api"),
    "answer lost after the write": Row(
        kind="unavailable",
        broken=lambda world: world.sandbox.fault("answer-lost", methods="PUT"),
        outcome="unknown",
    ),
}
