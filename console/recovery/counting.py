"""Counting the users who have no usable address. PingOne has no filter for it: the worker reads the population."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from console.models import Organization, RecoveryPolicy
from console.recovery.rules import stop_by_address
from pingone_integration import users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.users import User

GOOD_FOR = timedelta(days=7)
PAGE_SIZE = 200


def due(organization: Organization) -> QuerySet[RecoveryPolicy]:
    """Return the populations that were never counted, or not lately: where recovery is on, or somebody asked."""
    is_old = Q(is_on=True, counted_at__lt=timezone.now() - GOOD_FOR)
    return RecoveryPolicy.objects.filter(Q(counted_at=None) | is_old, organization=organization)


def count(policy: RecoveryPolicy, api: PingOneApi) -> int:
    """Read the population and store how many of its active users have no usable address. Raises PingOneErrors."""
    total = without = 0

    def read(cursor: str | None) -> Page[User]:
        only = f'population.id eq "{policy.population_id}"'
        return users.search(api, filter=only, limit=PAGE_SIZE, cursor=cursor)

    for page in pages_of(read):
        active = [user for user in page.items if user.enabled and not user.has_external_identity_provider]
        total += len(active)
        without += sum(stop_by_address(policy, user) is not None for user in active)
    # Only if the address is still the one that was counted.
    RecoveryPolicy.objects.filter(
        pk=policy.pk, proof_attribute=policy.proof_attribute, accepts_unverified=policy.accepts_unverified
    ).update(users_counted=total, without_address=without, counted_at=timezone.now())
    return total
