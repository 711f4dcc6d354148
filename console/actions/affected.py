"""The users and groups that an operation acts on, and how: what guards judge, whatever the way in."""

from dataclasses import dataclass
from uuid import UUID

from console.user_mails.events import Event


@dataclass(frozen=True, kw_only=True)
class Affected:
    """What an operation can change. The values are known without a call to PingOne."""

    user: UUID | None = None
    groups: frozenset[UUID] = frozenset()  # that a user or group joins or leaves, or that change themselves
    attributes: frozenset[str] = frozenset()  # of users, by PingOne's paths: they get a value or lose it
    contacts: bool = False  # whether an email address or phone number changes
    gives_roles: bool = False  # assigns or takes administrator roles
    anyone: bool = False  # may change any user: what it does is not known well enough
    needs_roles: bool = True  # False: harmless, even if PingOne does not show who is an administrator
    is_remedy: bool = False  # only removes an obstacle to sign-in
    recovers_by_email: bool = False
    tells: Event | None = None  # what the user is told afterwards, by email
    amounts_to: frozenset[str] = frozenset()  # of a call of any endpoint: the catalogue's actions that it may be

    @property
    def changes_groups(self) -> bool:
        """Return whether groups themselves can change: their roles, nestings or filters, not only their members."""
        return self.anyone or (self.user is None and bool(self.groups))

    @property
    def is_nothing(self) -> bool:
        changes = self.user or self.groups or self.attributes or self.gives_roles
        return not (changes or self.anyone)


NOTHING = Affected()
CONTACTS = frozenset({"email", "primaryPhone", "mobilePhone"})
