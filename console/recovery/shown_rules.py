"""The password rules on the form for PingOne's own code: the same for everybody, so that they tell of nobody.

The worker reads them, and keeps them only if one policy holds wherever recovery is on.
"""

from console.models import Organization, RecoverySettings
from console.recovery.policy import settings_of
from pingone_integration import populations
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import MissingPermission
from pingone_integration.password_rules import only_rules, policy_of_all
from pingone_integration.population_sync import MOST


def read(organization: Organization, api: PingOneApi) -> None:
    """Read the rules, if the form is in use. Raises PingOneErrors, but not that the connection may not see them."""
    if not settings_of(organization).uses_pingone_code:
        return
    on = set(organization.recovery_policies.filter(is_on=True).values_list("population_id", flat=True))
    try:
        theirs = {one.id: one.password_policy_id for one in populations.all_of(api, most=MOST) if one.id in on}
        policy = policy_of_all(api, theirs.values()) if on == theirs.keys() else {}
    except MissingPermission:
        policy = {}
    RecoverySettings.objects.filter(organization=organization).update(password_policy=only_rules(policy) or None)
