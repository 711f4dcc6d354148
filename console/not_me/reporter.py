"""Whoever opened the link of an email as who acts: they lock their own account, end its sessions, and nothing else."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied

from console.access import THEMSELF, Actor, Permission
from console.actions.catalogue import BY_KEY
from console.models import Membership, NotMeReport, Organization, Work
from console.perform.user_operation import UserOperation
from console.rights.roles import NO_DEMANDS, Rights
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.users import User

LOCK, END_SESSIONS = BY_KEY["user.lock"], BY_KEY["sessions.end-all"]
_RIGHTS = Rights(pages=frozenset(), actions=dict.fromkeys((LOCK.key, END_SESSIONS.key), NO_DEMANDS))


@dataclass(frozen=True)
class ReporterAccess:
    """Proof that somebody read the email of this report. It reaches no other user, and only while the report is dealt
    with."""

    report: NotMeReport
    viewing_as: Membership | None = field(default=None, init=False)
    actor: Actor = field(default=THEMSELF, init=False)
    rights: Rights = field(default=_RIGHTS, init=False)
    is_narrowed: bool = field(default=False, init=False)  # by `require_to`, before anything is read
    is_org_admin: bool = field(default=False, init=False)

    @property
    def org(self) -> Organization:
        return self.report.organization

    def again(self) -> "ReporterAccess":
        """Return the access as the row has it now. Raises PermissionDenied once the report is over."""
        rows = NotMeReport.objects.select_related("organization__connection", "link")
        running = rows.filter(pk=self.report.pk, state=Work.State.RUNNING, lease_owner=self.report.lease_owner).first()
        if running is None:
            raise PermissionDenied("the report is over")
        return ReporterAccess(running)

    def require_to(self, operation: Any) -> None:
        """Raise PermissionDenied unless it locks the account of the link, or ends its sessions."""
        if operation.key not in self.rights.actions or operation.affected.user != self.report.link.user_id:
            raise PermissionDenied(operation)

    def allows(self, permission: Permission) -> bool:
        return False

    def may_edit(self, name: str) -> bool:
        return False

    def sees(self, user: User) -> bool:
        return user.id == self.report.link.user_id

    def sees_population(self, population_id: UUID | None) -> bool:
        return False

    def pingone(self, transaction_id: UUID | None = None) -> PingOneApi:
        return open_api(self.org.connection, transaction_id=transaction_id)


@dataclass(frozen=True, kw_only=True)
class OwnOperation(UserOperation):
    """An action of a user on their own account, who has no ticket to name."""

    @property
    def asks_for_ticket(self) -> bool:
        return False
