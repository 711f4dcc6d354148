"""The rules of recovery: those of a population, and what is the same for a whole organization."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from console.models import Organization, RecoveryPolicy, RecoverySettings
from console.models.recovery import EMAIL
from pingone_integration.users import User


def policy_for(organization: Organization, population_id: UUID | None) -> RecoveryPolicy | None:
    """Return the rules for users of this population, or None where recovery is off."""
    if population_id is None:
        return None
    return RecoveryPolicy.objects.filter(organization=organization, population_id=population_id, is_on=True).first()


def is_on_anywhere(organization: Organization) -> bool:
    """Tell whether any population has recovery. Otherwise /recover/<org>/ does not exist."""
    return RecoveryPolicy.objects.filter(organization=organization, is_on=True).exists()


def settings_of(organization: Organization) -> RecoverySettings:
    """Return what the pages tell every user: empty values where nothing is set."""
    found = RecoverySettings.objects.filter(organization=organization).first()
    return found or RecoverySettings(organization=organization)


def address_for_proof(policy: RecoveryPolicy, user: User) -> str:
    """Return the one address to which a code for this user may go, or "" if there is none that proves who they are."""
    if policy.proof_attribute != EMAIL:
        found = user.custom.get(policy.proof_attribute)
    else:
        found = user.email if user.email_verified is not False or policy.accepts_unverified else ""
    return found if isinstance(found, str) and _is_address(found) else ""


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
