"""Built-in administrator roles and their permissions, as far as the sandbox checks them.

Source: PingOne API reference, Platform > Roles (read 2026-11).
"""

from dataclasses import dataclass
from uuid import UUID, uuid5

from pingone_integration.sandbox.seed.fixtures import NAMESPACE

ESSENTIAL = (
    "orgmgt:read:environment",
    "orgmgt:read:organization",
    "orgmgt:read:deployment",
    "licensing:read:license",
)
READ_DIRECTORY = (
    "dir:read:user",
    "dir:read:userPassword",
    "dir:read:population",
    "dir:read:group",
    "dir:read:groupMembership",
    "dir:read:schema",
    "dir:read:passwordPolicy",
    "dir:read:session",
    "devices:read:device",
    "permissions:read:userRoleAssignments",
    "permissions:read:groupRoleAssignments",
    "permissions:read:role",
)
CHANGE_USERS = (
    "dir:create:user",
    "dir:update:user",
    "dir:delete:user",
    "dir:import:user",
    "dir:verify:user",
    "dir:invite:user",
)
MANAGE_ACCOUNTS = (
    "dir:lock:user",
    "dir:unlock:user",
    "dir:set:userPassword",
    "dir:reset:userPassword",
    "dir:recover:userPassword",
    "dir:forceChange:userPassword",
    "dir:unlock:userPassword",
    "dir:validate:userPassword",
    "dir:delete:session",
    "devices:update:device",
    "devices:delete:device",
    "devices:create:device",
    "mfa:update:userMfa",
)
CHANGE_GROUPS = (
    "dir:create:group",
    "dir:update:group",
    "dir:delete:group",
    "dir:create:groupMembership",
    "dir:delete:groupMembership",
)
CHANGE_POPULATIONS = ("dir:create:population", "dir:update:population", "dir:delete:population")
GRANT_ROLES = (
    "permissions:update:userRoleAssignments",
    "permissions:create:groupRoleAssignments",
    "permissions:delete:groupRoleAssignments",
)
READ_AUDIT = ("audit_reporting:read:activity",)


@dataclass(frozen=True, kw_only=True)
class BuiltInRole:
    name: str
    description: str
    applicable_to: tuple[str, ...]
    permissions: tuple[str, ...]

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE, f"role:{self.name}")


BUILT_IN_ROLES = (
    BuiltInRole(
        name="Organization Admin",
        description="Manages environments and administrators.",
        applicable_to=("ORGANIZATION",),
        permissions=(*ESSENTIAL, *GRANT_ROLES, "permissions:read:role", "permissions:read:userRoleAssignments"),
    ),
    BuiltInRole(
        name="Environment Admin",
        description="Manages everything of an environment but the data of its users.",
        applicable_to=("ORGANIZATION", "ENVIRONMENT"),
        permissions=(
            *ESSENTIAL,
            *CHANGE_POPULATIONS,
            *GRANT_ROLES,
            *READ_AUDIT,
            "dir:read:population",
            "dir:read:group",
            "dir:read:schema",
            "dir:read:passwordPolicy",
            "permissions:read:role",
            "permissions:read:userRoleAssignments",
            "permissions:read:groupRoleAssignments",
        ),
    ),
    BuiltInRole(
        name="Identity Data Admin",
        description="Manages users, their groups, passwords, devices and sessions.",
        applicable_to=("ENVIRONMENT", "POPULATION"),
        permissions=(
            *ESSENTIAL,
            *READ_DIRECTORY,
            *CHANGE_USERS,
            *MANAGE_ACCOUNTS,
            *CHANGE_GROUPS,
            *CHANGE_POPULATIONS,
            *GRANT_ROLES,
            *READ_AUDIT,
        ),
    ),
    BuiltInRole(
        name="Identity Data Read Only",
        description="Reads users, groups and populations.",
        applicable_to=("ENVIRONMENT", "POPULATION"),
        permissions=(*ESSENTIAL, *READ_DIRECTORY),
    ),
    BuiltInRole(
        name="Help Desk Admin",
        description="Helps users back in: locks, passwords, devices and sessions.",
        applicable_to=("ENVIRONMENT", "POPULATION"),
        permissions=(*ESSENTIAL, *READ_DIRECTORY, *MANAGE_ACCOUNTS),
    ),
    BuiltInRole(
        name="Client Application Developer",
        description="Manages applications.",
        applicable_to=("ORGANIZATION", "ENVIRONMENT"),
        permissions=(*ESSENTIAL, "dir:read:group", "permissions:read:role"),
    ),
    BuiltInRole(
        name="Configuration Read Only",
        description="Reads the configuration of an environment.",
        applicable_to=("ORGANIZATION", "ENVIRONMENT"),
        permissions=(*ESSENTIAL, *READ_AUDIT, "dir:read:passwordPolicy", "dir:read:schema", "permissions:read:role"),
    ),
)
