"""An organization's connection to a sandbox, from the org admin's input to the administrator's approval."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from pingone_integration.connection import authorization
from pingone_integration.models import Connection
from tests.support.sandbox_server import Sandbox, sign_on

BOUND_TO = "digest of a session"


def enter(sandbox: Sandbox) -> Connection:
    """Create a connection in the state before Connect."""
    connection = Connection(
        client_id=sandbox.details["client_id"],
        auth_url=sandbox.details["auth_url"],
        environment_id=UUID(sandbox.details["environment_id"]),
    )
    connection.sealed_client_secret = connection.seal("client_secret", sandbox.details["client_secret"])
    connection.save(force_insert=True)
    return connection


def connect(connection: Connection, sandbox: Sandbox, username: str = "ada.admin") -> Connection:
    """Start the authorization, sign in at the sandbox, approve, and finish the authorization."""
    redirect_uri = sandbox.details["redirect_uris"][0]
    there = authorization.begin(connection, redirect_uri=redirect_uri, bound_to=BOUND_TO)
    return authorization.finish(**answer(sign_on(there, username)), redirect_uri=redirect_uri, bound_to=BOUND_TO)


def answer(address: str) -> dict[str, str]:
    """Return the parameters of PingOne's redirect, e.g. `code` and `state`."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
