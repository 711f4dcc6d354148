"""PingOne environments: visible to the administrator who connected, and the choice to manage."""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pingone_integration.calls import transaction_id
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.gate import AccessToken, Permit
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.connection.regions import REGIONS, api_url_for
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import StaleCursor, TokenRejected, Unavailable
from pingone_integration.models import Connection
from pingone_integration.texts import Text
from pingone_integration.values import identifier, text

PAGE_SIZE = 100
MOST_PAGES = 20  # PingOne allows 600 environments in an organization

_TYPES: dict[str, Text] = {"PRODUCTION": _("Production"), "SANDBOX": _("Sandbox")}
_REGION_NAMES = {region.code: region.name for region in REGIONS}


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The part of a PingOne environment that is used here."""

    id: UUID
    name: str
    type: str  # PRODUCTION or SANDBOX, in PingOne's words
    region: Text
    status: str  # ACTIVE or DELETE_PENDING

    @property
    def type_label(self) -> Text:
        """Return the type in words; a type that is not known here as PingOne spells it."""
        return _TYPES.get(self.type, self.type)

    @property
    def is_active(self) -> bool:
        return self.status != "DELETE_PENDING"


def visible(connection: Connection) -> tuple[Environment, ...]:
    """Return every environment in which the administrator who connected has any role.

    Source: PingOne API reference, Environments (read 2026-11).
    """
    api = api_above(connection)
    try:
        return _all(api)
    except StaleCursor:  # the access token was renewed between two pages
        return _all(api)


def visible_with(connection: Connection, access_token: str) -> tuple[Environment, ...]:
    """Return the same for a token that is not stored yet. Raises TokenRejected if PingOne refuses it."""
    tokens = _OneToken(connection, AccessToken(access_token, version=0))
    permit = Permit(connection.pk, tokens, tokens.token, is_trial=False)
    return _all(replace(api_above(connection), tokens=tokens, permit=permit))


@dataclass(frozen=True)
class _OneToken:
    """The TokenSource of a token that cannot be renewed."""

    connection: Connection
    token: AccessToken

    def row(self) -> Connection:
        return self.connection

    def current(self, row: Connection) -> AccessToken:
        return self.token

    def renewed(self, rejected: AccessToken) -> AccessToken:
        raise TokenRejected("the new access token is refused")


def read(connection: Connection, environment_id: UUID) -> Environment:
    """Read an environment. Raises NotFound if it does not exist or the administrator cannot see it."""
    found = environment_of(api_above(connection).get(f"/environments/{environment_id}"))
    if found is None:
        raise Unavailable("an environment without an id")
    return found


def environment_of(body: dict[str, Any]) -> Environment | None:
    """Return the environment, or None if it has no readable ID."""
    environment_id = identifier(body.get("id"))
    if environment_id is None:
        return None
    region = text(body.get("region"))
    return Environment(
        id=environment_id,
        name=text(body.get("name")) or str(environment_id),
        type=text(body.get("type")),
        region=_REGION_NAMES.get(region, region),
        status=text(body.get("status")),
    )


def _all(api: PingOneApi) -> tuple[Environment, ...]:
    def read(cursor: str | None) -> Page[Environment]:
        return api.get_page("/environments", "environments", environment_of, query={"limit": PAGE_SIZE}, cursor=cursor)

    return tuple(environment for page in islice(pages_of(read), MOST_PAGES) for environment in page.items)


def api_above(connection: Connection) -> PingOneApi:
    """Return the API above the environments. Raises InvalidApiUrl."""
    return PingOneApi(
        base_url=f"{api_url_for(connection.auth_url)}/v1",
        connection_id=connection.pk,
        tokens=StoredTokens(connection.pk),
        transaction_id=transaction_id.current_or_new(),
    )


def choose(connection: Connection, environment: Environment | None) -> None:
    """Store the environment to manage; None clears the choice."""
    connection.managed_environment_id = environment.id if environment else None
    connection.managed_environment_name = environment.name[:256] if environment else ""
    connection.rate_share = None  # read again: each environment has its own allowed IPs
    connection.save(update_fields=["managed_environment_id", "managed_environment_name", "rate_share"])
