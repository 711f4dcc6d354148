"""The rules of recovery: those of a population, and what is the same for a whole organization."""

from uuid import UUID

from console.models import Organization, RecoveryPolicy, RecoverySettings


def policy_for(organization: Organization, population_id: UUID | None) -> RecoveryPolicy | None:
    """Return the rules for users of this population, or None where recovery is off."""
    if population_id is None:
        return None
    return RecoveryPolicy.objects.filter(organization=organization, population_id=population_id, is_on=True).first()


def settings_of(organization: Organization) -> RecoverySettings:
    """Return what the pages tell every user: empty values where nothing is set."""
    try:
        return organization.recovery_settings
    except RecoverySettings.DoesNotExist:
        return RecoverySettings(organization=organization)
