"""The verdict as the head of a user's page shows it to one operator."""

from typing import Any

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.users.standing import Known, standing_of


def verdict_context(access: OrgAccess, known: Known) -> dict[str, Any]:
    """The standing, and the names of the actions that help and that this operator may take."""
    standing = standing_of(known)
    helping = [BY_KEY[key] for key in standing.helps]
    return {
        "standing": standing,
        "user_id": known.user.id,
        "helps": [action.name for action in helping if access.allows(action.permission)],
    }
