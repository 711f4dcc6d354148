"""Users themselves as who acts: an access that holds one proven user, and nothing else of the organization."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied

from console.access import THEMSELF, Actor, Permission
from console.models import Membership, Organization, RecoveryAttempt
from console.rights.roles import NO_DEMANDS, Rights
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.users import User

ACTIONS = ("password.set-own", "password.unlock", "user.unlock", "sessions.end-all")
_RIGHTS = Rights(pages=frozenset(), actions=dict.fromkeys(ACTIONS, NO_DEMANDS))


@dataclass(frozen=True)
class ThemselfAccess:
    """Proof that a user read the code of this attempt. It reaches no other user, and only while the attempt acts."""

    attempt: RecoveryAttempt
    viewing_as: Membership | None = field(default=None, init=False)
    actor: Actor = field(default=THEMSELF, init=False)
    rights: Rights = field(default=_RIGHTS, init=False)
    is_narrowed: bool = field(default=False, init=False)  # by `require_to`, before anything is read
    is_org_admin: bool = field(default=False, init=False)

    @property
    def org(self) -> Organization:
        return self.attempt.organization

    @property
    def user_id(self) -> UUID | None:
        return self.attempt.user_id

    @property
    def actions(self) -> tuple[str, ...]:
        return ACTIONS

    def again(self) -> "ThemselfAccess":
        """Return the access as the row has it now. Raises PermissionDenied once the attempt does not act any more."""
        rows = RecoveryAttempt.objects.select_related("organization__connection")
        acting = rows.filter(pk=self.attempt.pk, step=RecoveryAttempt.Step.ACTING, user_id__isnull=False).first()
        if acting is None:
            raise PermissionDenied("the attempt is over")
        return ThemselfAccess(acting)

    def require_to(self, operation: Any) -> None:
        """Raise PermissionDenied unless it is one of its actions, on the proven user and nobody else."""
        is_own = self.user_id is not None and operation.affected.user == self.user_id
        if operation.key not in self.actions or not is_own or operation.affected.groups:
            raise PermissionDenied(operation)

    def allows(self, permission: Permission) -> bool:
        return False

    def may_edit(self, name: str) -> bool:
        return False

    def sees(self, user: User) -> bool:
        return user.id == self.user_id

    def sees_population(self, population_id: UUID | None) -> bool:
        return False

    def pingone(self, transaction_id: UUID | None = None) -> PingOneApi:
        return open_api(self.org.connection, transaction_id=transaction_id)


class RelayAccess(ThemselfAccess):
    """Permission to relay one answer to PingOne for the user who was sent its code: nothing is proven before."""

    @property
    def user_id(self) -> UUID | None:
        return self.attempt.candidate

    @property
    def actions(self) -> tuple[str, ...]:
        return ("password.recover-own",)

    def again(self) -> "RelayAccess":
        rows = RecoveryAttempt.objects.select_related("organization__connection")
        waiting = rows.filter(pk=self.attempt.pk, by_pingone=True, step=RecoveryAttempt.Step.CODE, code_sent=True)
        found = waiting.exclude(sealed_answer="").first()
        if found is None:
            raise PermissionDenied("no answer waits")
        return RelayAccess(found)
