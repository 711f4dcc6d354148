"""The matrix of policies: the actions by area, and each role of the organization with its rights and its members."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from console.access import PERMISSION_LABELS, OrgAccess, Permission
from console.actions import account, groups, mfa, passwords, profile, sessions
from console.actions.catalogue import ACTIONS
from console.actions.profile_forms import ProfileForm
from console.audit.api_requests import ACTION as CALL_API
from console.models import Membership, Organization, Role
from console.rights.permissions import OF_EVERYBODY, OF_PAGES
from console.rights.roles import CUSTOM, FRESH_SIGN_IN, OVERRIDABLE, REASON, TICKET, Rights, built_in
from pingone_integration.texts import Text

CALL_API_LABEL = _("Call API (requests that can change data)")
LABELS: dict[str, Text] = {action.key: action.name for action in ACTIONS} | {CALL_API: CALL_API_LABEL}
AREAS: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (_("Account"), tuple(action.key for action in account.ACTIONS)),
    (_("Password"), tuple(action.key for action in passwords.ACTIONS)),
    (_("MFA"), tuple(action.key for action in mfa.ACTIONS)),
    (_("Profile"), tuple(action.key for action in profile.ACTIONS)),
    (_("Groups"), tuple(action.key for action in groups.ACTIONS)),
    (_("Sessions"), tuple(action.key for action in sessions.ACTIONS)),
    (_("PingOne API"), (CALL_API,)),
)
DEMAND_LABELS: dict[str, Text] = {
    TICKET: _("Ticket"),
    REASON: _("Reason"),
    FRESH_SIGN_IN: _("Fresh sign-in"),
}
PAGE_RIGHTS: dict[Permission, Text] = {
    permission: PERMISSION_LABELS[permission] for permission in OF_PAGES if permission not in OF_EVERYBODY
}
FIELD_LABELS: dict[str, Text] = {
    **{
        name: ProfileForm.base_fields[name].label or name
        for _heading, names in ProfileForm.SECTIONS
        for name in names
        if name in ProfileForm.base_fields
    },
    "formatted_name": _("Formatted name"),
    "name_prefix": _("Prefix"),
    "name_suffix": _("Suffix"),
    "photo_url": _("Photo"),
    CUSTOM: _("Custom attributes"),
}


@dataclass(frozen=True, kw_only=True)
class RoleOnPage:
    """A role of the organization."""

    key: str
    name: Text
    base: str  # the built-in role that it stems from, or is
    rights: Rights
    members: tuple[str, ...] = ()  # names
    own: Role | None = None  # None: built in

    @property
    def may_be_edited(self) -> bool:
        return self.own is not None or self.key in OVERRIDABLE

    @property
    def fields(self) -> list[Text] | None:
        """Return the labels of the profile fields that the role may edit, None for all."""
        if self.rights.fields is None:
            return None
        return [label for name, label in FIELD_LABELS.items() if name in self.rights.fields]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one role may do with one action."""

    allowed: bool
    demands: tuple[Text, ...] = ()


def roles_of(organization: Organization) -> list[RoleOnPage]:
    """Return the built-in roles, then the organization's own by name. Two queries."""
    members: dict[str, list[str]] = {}
    of_organization = organization.memberships.select_related("operator", "custom_role").order_by("operator__email")
    for membership in of_organization.filter(operator__is_active=True, suspended_at=None):
        members.setdefault(membership.role_key, []).append(str(membership.operator))
    found = [
        RoleOnPage(
            key=role.value,
            name=role.label,
            base=role.value,
            rights=built_in(role, organization.role_overrides),
            members=tuple(members.get(role, ())),
        )
        for role in Membership.Role
    ]
    return found + [
        RoleOnPage(
            key=role.key,
            name=role.name,
            base=role.base,
            rights=Rights.read(role.rights),
            members=tuple(members.get(role.key, ())),
            own=role,
        )
        for role in organization.roles.all()
    ]


def role_of(organization: Organization, key: str) -> RoleOnPage | None:
    return next((role for role in roles_of(organization) if role.key == key), None)


def matrix(access: OrgAccess, roles: list[RoleOnPage]) -> Iterator[tuple[Text, list[tuple[Text, list[Cell]]]]]:
    """Yield each area with a row for each action: its label, and a cell for each role.

    A ticket is shown where the organization requires it of everybody, too.
    """
    required = access.org.required_tickets
    for area, keys in AREAS:
        yield (
            area,
            [(LABELS[key], [_cell(role.rights, key, is_required=key in required) for role in roles]) for key in keys],
        )


def _cell(rights: Rights, key: str, *, is_required: bool) -> Cell:
    if not rights.may(key):
        return Cell(allowed=False)
    demanded = rights.demands(key) | ({TICKET} if is_required else set())
    return Cell(allowed=True, demands=tuple(label for demand, label in DEMAND_LABELS.items() if demand in demanded))
