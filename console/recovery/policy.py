"""The rules of recovery: those of a population, and what is the same for a whole organization."""

from uuid import UUID

from console.models import Organization, RecoveryPolicy, RecoverySettings

# Raw, because strangers send these forms as fast as they like: to write the two queries takes the ORM four times as
# long as to run them, and that time is taken from the pages of agents.
_ORGANIZATION = """
    SELECT * FROM console_organization
    WHERE slug = %s AND id IN (SELECT organization_id FROM console_recoverypolicy WHERE is_on)
"""
_SETTINGS = """
    SELECT * FROM console_recoverysettings
    WHERE organization_id = (SELECT id FROM console_organization WHERE slug = %s)
"""


def policy_for(organization: Organization, population_id: UUID | None) -> RecoveryPolicy | None:
    """Return the rules for users of this population, or None where recovery is off."""
    if population_id is None:
        return None
    return RecoveryPolicy.objects.filter(organization=organization, population_id=population_id, is_on=True).first()


def organization_at(slug: str) -> Organization | None:
    """Return the organization if recovery is on for one of its populations."""
    return next(iter(Organization.objects.raw(_ORGANIZATION, [slug])), None)


def settings_of(organization: Organization) -> RecoverySettings:
    """Return what the pages tell every user: empty values where nothing is set."""
    found = next(iter(RecoverySettings.objects.raw(_SETTINGS, [organization.slug])), None)
    return found or RecoverySettings(organization=organization)
