"""The verdict at the head of a user's page, for one operator."""

from typing import Any

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.users.standing import Known, standing_of


def verdict_context(access: OrgAccess, known: Known) -> dict[str, Any]:
    """Return the standing, and the names of the actions that help and that this operator may run."""
    standing = standing_of(known)
    helping = [BY_KEY[key] for key in standing.helps]
    return {
        "standing": standing,
        "user_id": known.user.id,
        "helps": [action.name for action in helping if access.allows(action.permission)],
    }
