"""The person of a run as PingOne shows them: what a run compares, and what Bring back needs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from console.audit.entries import storable
from console.models import PlanRun
from console.plans import own_password
from console.plans.ahead import is_given_password
from console.plans.definition import Condition
from console.plans.manager import named_manager
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.groups import GroupMembership
from pingone_integration.users import User

Json = dict[str, Any]

RECENTLY = timedelta(days=30)


def as_left(user: User) -> Json:
    """Return what a step after a wait compares."""
    return dict(
        storable(
            {"enabled": user.enabled, "population_id": user.population_id, "last_sign_on_at": user.last_sign_on_at}
        )
    )


def direct_groups(api: PingOneApi, user_id: UUID) -> list[GroupMembership]:
    """Return the memberships that can be ended here. Memberships by a rule stay."""
    return [one for one in groups.all_memberships(api, user_id, whole=True) if one.is_direct]


def before_run(api: PingOneApi, user: User) -> Json:
    """Return what Bring back restores."""
    return dict(
        storable(
            {
                "enabled": user.enabled,
                "population_id": user.population_id,
                "population_name": user.population_name,
                "groups": [
                    {"id": one.group_id, "name": one.name, "population_id": one.population_id}
                    for one in direct_groups(api, user.id)
                ],
            }
        )
    )


def meets(condition: Condition | None, user: User, run: PlanRun, number: int) -> bool:
    """Return whether a step runs for this person as just read."""
    match condition:
        case None:
            return True
        case Condition.ASKED | Condition.WAS_ACTIVE:
            return bool(run.choices.get(str(number)))
        case Condition.MFA_ON:
            return user.mfa_enabled is True
        case Condition.ACTIVE:
            return user.enabled is True
        case Condition.DEACTIVATED:
            return user.enabled is False
        case Condition.HAS_EMAIL:
            return bool(user.email)
        case Condition.HAS_PHONE:
            return bool(user.mobile_phone or user.primary_phone)
        case Condition.HAS_MANAGER:
            return bool(named_manager(run.organization, user))
        case Condition.NEVER_SIGNED_IN:
            return user.has_signed_on is False
        case Condition.OWN_PASSWORD:
            return not user.has_external_identity_provider
        case Condition.CHOOSES_PASSWORD:
            return not _has_to_be_given_a_password(user, run)
        case Condition.GIVEN_PASSWORD:
            return _has_to_be_given_a_password(user, run)


def _has_to_be_given_a_password(user: User, run: PlanRun) -> bool:
    return is_given_password(run.choices) or bool(own_password.obstacle(run.organization, user))


def is_recent(moment: Any) -> bool:
    """Return whether this was lately. What PingOne does not date counts as recent: it is about a stolen account."""
    return moment is None or moment > timezone.now() - RECENTLY
