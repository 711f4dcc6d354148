"""The address on file that proves who a user is."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from console.models import RecoveryPolicy
from console.models.recovery import EMAIL
from pingone_integration.users import User


def address_of(user: User, policy: RecoveryPolicy) -> str:
    """Return the one address on file that proves who somebody is, "" without one."""
    found = user.email if policy.proof_attribute == EMAIL else user.custom.get(policy.proof_attribute)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) and is_address(found) else ""


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
