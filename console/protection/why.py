"""Why a target is protected: a sum type, with its sentence."""

from dataclasses import dataclass
from enum import Enum

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text


class Why(Enum):
    """The reasons, the one that closes the most first. `user` and `group` are names."""

    CONNECTION = _("The connection to PingOne has the rights of {user}.")
    ROLE = _("{user} is a PingOne administrator.")
    ROLE_BY_GROUP = _("{user} is a PingOne administrator through the group {group}.")
    OPERATOR = _("{user} is an operator of this organization.")
    MARK = _("{user} is marked as protected.")
    MARK_OF_GROUP = _("{user} is in the group {group}, which is marked as protected.")
    GROUP_GIVES_ROLES = _("The group {group} gives PingOne administrator roles.")
    GROUP_MARK = _("The group {group} is marked as protected.")
    JOINS = _("This can make {user} a PingOne administrator, because the group {group} takes members by these values.")
    GIVES_ROLES = _("This changes who is a PingOne administrator.")
    ANYONE = _("This can change any user, administrators as well.")
    NEW_CONTACT = _("An operator changed the contacts of {user} here less than {hours} hours ago.")
    ROLES_NOT_SHOWN = _(
        "The connection may not read administrator roles, so the console cannot tell who is an administrator."
    )
    UNDECIDED = _("The console could not find out whether this is about a PingOne administrator.")


@dataclass(frozen=True, kw_only=True)
class Protection:
    """A reason to treat a target as protected."""

    why: Why
    user: str = ""
    group: str = ""
    hours: int = 0

    @property
    def sentence(self) -> Text:
        user = self.user or _("this user")
        group = self.group or _("with an unknown name")
        return format_lazy(self.why.value, user=user, group=group, hours=self.hours)


class Undecided(Exception):
    """A read of PingOne failed, or there is too much to read."""


class RolesNotShown(Exception):
    """The connection may not read role assignments at all."""
