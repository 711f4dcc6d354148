"""Populations as of a sync, without a call to PingOne."""

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from console.models import Organization
from pingone_integration.models import SyncedPopulation


def sync_populations(organization: Organization, names: Mapping[UUID, str]) -> None:
    """Store these populations of the managed environment, by ID."""
    connection = organization.connection
    assert connection.managed_environment_id
    SyncedPopulation.objects.bulk_create(
        SyncedPopulation(
            connection=connection,
            environment_id=connection.managed_environment_id,
            population_id=population_id,
            name=name,
            is_default=False,
            synced_at=timezone.now(),
        )
        for population_id, name in names.items()
    )
