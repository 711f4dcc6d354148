"""Those of a batch of users who are in a group, for the preview of a job."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.users import User


@dataclass(frozen=True, kw_only=True)
class GroupMembers:
    """Those who are in the group, in whatever way."""

    api: PingOneApi
    group_id: UUID
    ids: frozenset[UUID]

    def has_directly(self, user: User) -> bool:
        if user.id not in self.ids:
            return False
        found = groups.membership(self.api, user.id, self.group_id)
        return bool(found and found.is_direct)
