"""Roles (role-based access control): what each lets a member do, with which demands, and which fields they may edit.

Built-in roles are code. An organization may override those of agents and auditors, and have roles of its own; both
are stored as JSON. Org admins may do everything: nobody can narrow them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from console.models import Membership
from console.rights.permissions import ACTIONS_OF, ALL_ACTIONS, OF_EVERYBODY, OF_PAGES, Permission
from pingone_integration.profiles import ATTRIBUTES, names_at, paths_of

TICKET, REASON, FRESH_SIGN_IN = DEMANDS = ("ticket", "reason", "fresh sign-in")  # of an action, by a role
CONTACTS = frozenset({"email", "primary_phone", "mobile_phone"})
CUSTOM = "custom"  # stands for all custom attributes
FIELDS = (*ATTRIBUTES, CUSTOM)

NO_DEMANDS: frozenset[str] = frozenset()
OVERRIDABLE = (Membership.Role.HELPDESK_AGENT, Membership.Role.AUDITOR)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a member may do: permissions of pages, the allowed actions with their demands, and the profile fields."""

    pages: frozenset[Permission] = OF_EVERYBODY
    actions: Mapping[str, frozenset[str]] = field(default_factory=dict)  # key to demands; absent: not allowed
    fields: frozenset[str] | None = None  # profile fields they may edit; None: all

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.pages | {
            permission for permission, keys in ACTIONS_OF.items() if not self.actions.keys().isdisjoint(keys)
        }

    def may(self, key: str) -> bool:
        return key in self.actions

    def demands(self, key: str) -> frozenset[str]:
        return self.actions.get(key, NO_DEMANDS)

    def may_edit(self, name: str) -> bool:
        """Return whether a profile field, by our name, is theirs to edit. What it is at PingOne counts."""
        if self.fields is None:
            return True
        written = (found for path in paths_of([name]) for found in names_at(path))
        return all((found if found in ATTRIBUTES else CUSTOM) in self.fields for found in written)

    def covers(self, other: "Rights") -> bool:
        """Return whether somebody with these rights may grant the others: nobody grants what they lack."""
        return (
            other.pages <= self.pages
            and all(self.may(key) and self.demands(key) <= demands for key, demands in other.actions.items())
            and (self.fields is None or (other.fields is not None and other.fields <= self.fields))
        )

    def within(self, other: "Rights") -> "Rights":
        """Return what both allow, with the demands of both."""
        limited = [rights.fields for rights in (self, other) if rights.fields is not None]
        shared = self.actions.keys() & other.actions.keys()
        return Rights(
            pages=self.pages & other.pages,
            actions={key: self.demands(key) | other.demands(key) for key in shared},
            fields=frozenset.intersection(*limited) if limited else None,
        )

    def stored(self) -> dict[str, Any]:
        """Return the rights as JSON, with the actions that there were to decide on."""
        return {
            "pages": sorted(self.pages),
            "actions": {key: sorted(self.actions[key]) for key in sorted(self.actions)},
            "fields": None if self.fields is None else sorted(self.fields),
            "known": sorted(ALL_ACTIONS),
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return stored rights. What this version does not know, such as an action that is gone, is left out."""
        return cls(
            pages=OF_EVERYBODY | {permission for permission in OF_PAGES if permission in stored["pages"]},
            actions={
                key: frozenset(DEMANDS).intersection(demands)
                for key, demands in stored["actions"].items()
                if key in ALL_ACTIONS
            },
            fields=None if stored["fields"] is None else frozenset(stored["fields"]),
        )


def _allowed(keys: Iterable[str], *, with_reason: Iterable[str] = ()) -> dict[str, frozenset[str]]:
    return dict.fromkeys(keys, NO_DEMANDS) | dict.fromkeys(with_reason, frozenset({REASON}))


BUILT_IN: dict[str, Rights] = {
    Membership.Role.ORG_ADMIN: Rights(pages=frozenset(OF_PAGES), actions=_allowed(ALL_ACTIONS)),
    Membership.Role.HELPDESK_AGENT: Rights(
        pages=OF_EVERYBODY | {Permission.SYNC_POPULATIONS, Permission.VIEW_AUDIT},
        actions=_allowed(
            (
                *("user.activate", "user.deactivate", "user.unlock", "user.lock"),
                *("password.send-recovery-code", "password.force-change", "password.unlock"),
                *("mfa.end-bypass", "device.unlock", "device.rename"),
                *("user.update", "user.verify-email"),
                *("group.add", "group.remove"),
                *("session.end", "sessions.end-all"),
            ),
            with_reason=("password.set-temporary", "password.replace", "mfa.bypass", "device.remove"),
        ),
        fields=frozenset(FIELDS) - CONTACTS,
    ),
    Membership.Role.AUDITOR: Rights(
        pages=OF_EVERYBODY | {Permission.EXPORT_USERS, Permission.VIEW_AUDIT, Permission.EXPORT_AUDIT}
    ),
}


def built_in(role: str, overrides: Mapping[str, Any]) -> Rights:
    """Return the rights of a built-in role, as the organization's `overrides` have it.

    An action that is newer than an override is decided by code.
    """
    ours = BUILT_IN[role]
    if role not in overrides or role not in OVERRIDABLE:
        return ours
    stored = overrides[role]
    newer = {key: demands for key, demands in ours.actions.items() if key not in stored["known"]}
    found = Rights.read(stored)
    return replace(found, actions={**found.actions, **newer})


def rights_of(membership: Membership) -> Rights:
    """Return the rights of a member. No query if the organization and the custom role have been read."""
    if membership.custom_role:
        return Rights.read(membership.custom_role.rights)
    return built_in(membership.role, membership.organization.role_overrides)
