"""Whether a new user can choose their password by account recovery, or somebody has to give them one."""

from django.utils.translation import gettext_lazy as _

from console.models import Organization
from console.models.recovery import EMAIL
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for, settings_of
from pingone_integration.texts import Text
from pingone_integration.users import User

_OFF = _("Account recovery is off in their population.")
_DEVICE = _("Account recovery asks for an MFA device in their population, and they have none yet.")
_NO_ADDRESS = _("They have no address to which account recovery sends a code.")


def obstacle(organization: Organization, user: User) -> Text:
    """Return why a new user cannot choose their password by recovery, or "" if they can."""
    policy = policy_for(organization, user.population_id)
    if policy is None:
        return _OFF
    if policy.demands_device:
        return _DEVICE
    by_pingone = settings_of(organization).uses_pingone_code
    if not address_of(user, policy) or (by_pingone and policy.proof_attribute != EMAIL):
        return _NO_ADDRESS
    return ""
