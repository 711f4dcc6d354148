"""A stored copy (cache) of the populations, so that lists, filters and decisions do not call PingOne each time."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from pingone_integration import populations
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import NoEnvironmentChosen, PingOneError
from pingone_integration.models import Connection, SyncedPopulation
from pingone_integration.values import Json, identifier, text

MOST = 10_000  # PingOne's own limit per environment
_LONGEST_NAME = 256  # of the columns
_COUNTABLE = range(2**31)
_KEPT = ("name", "description", "is_default", "user_count", "password_policy", "synced_at")


def sync(connection: Connection, api: PingOneApi) -> int:
    """Replace the stored populations by the populations that the connection sees now; return their number.

    It reads everything before it writes: a failure half-way leaves the last sync unchanged.
    Raises PingOneErrors.
    """
    environment_id = connection.managed_environment_id
    if environment_id is None:
        raise NoEnvironmentChosen
    found = {population.id: population for population in populations.all_of(api, most=MOST)}.values()  # each once
    policies = _policy_names(api) if any(population.password_policy_id for population in found) else {}
    now = timezone.now()
    rows = [
        SyncedPopulation(
            connection=connection,
            environment_id=environment_id,
            population_id=population.id,
            name=population.name[:_LONGEST_NAME],
            description=population.description,
            is_default=population.is_default,
            user_count=population.user_count if population.user_count in _COUNTABLE else None,
            password_policy=_policy_name(population.password_policy_id, policies)[:_LONGEST_NAME],
            synced_at=now,
        )
        for population in found
    ]
    with transaction.atomic():
        SyncedPopulation.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["connection", "environment_id", "population_id"],
            update_fields=_KEPT,
        )
        SyncedPopulation.objects.filter(connection=connection, synced_at__lt=now).delete()
    return len(rows)


def synced(connection: Connection) -> QuerySet[SyncedPopulation]:
    """Return the managed environment's populations: the default first, then by name."""
    if connection.managed_environment_id is None:
        return SyncedPopulation.objects.none()
    return SyncedPopulation.objects.filter(
        connection=connection, environment_id=connection.managed_environment_id
    ).order_by("-is_default", "name", "population_id")


def name_of(connection_id: UUID, population_id: UUID | None) -> str:
    """Return the population's name as of the last sync, or "" if it is unknown: it is not worth a call."""
    if population_id is None:
        return ""
    found = SyncedPopulation.objects.filter(connection=connection_id, population_id=population_id)
    return found.values_list("name", flat=True).first() or ""


def synced_at(connection: Connection) -> datetime | None:
    """Return the time of the last sync, or None if the managed environment has no synced populations."""
    last: datetime | None = synced(connection).aggregate(last=Max("synced_at"))["last"]
    return last


def _policy_names(api: PingOneApi) -> dict[UUID, str]:
    """Return no names if they cannot be read: they need another role than populations."""
    try:
        body = api.get("/passwordPolicies")
    except PingOneError:
        return {}
    return dict(items_of(body, "passwordPolicies", _policy))


def _policy(body: Json) -> tuple[UUID, str] | None:
    policy_id = identifier(body.get("id"))
    return (policy_id, text(body.get("name"))) if policy_id else None


def _policy_name(policy_id: UUID | None, names: dict[UUID, str]) -> str:
    return (names.get(policy_id) or str(policy_id)) if policy_id else ""
