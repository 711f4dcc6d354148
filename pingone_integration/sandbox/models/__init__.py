"""The stored state of a PingOne organization."""

from pingone_integration.sandbox.models.access import Role, RoleAssignment
from pingone_integration.sandbox.models.applications import Application
from pingone_integration.sandbox.models.device_authentications import DeviceAuthentication
from pingone_integration.sandbox.models.environments import (
    Environment,
    PasswordPolicy,
    Population,
    SchemaAttribute,
)
from pingone_integration.sandbox.models.faults import Fault, WorldChange
from pingone_integration.sandbox.models.groups import Group, GroupMembership, GroupNesting
from pingone_integration.sandbox.models.records import Activity, Mail
from pingone_integration.sandbox.models.users import Device, Session, User

__all__ = [
    "Activity",
    "Application",
    "Device",
    "DeviceAuthentication",
    "Environment",
    "Fault",
    "Group",
    "GroupMembership",
    "GroupNesting",
    "Mail",
    "PasswordPolicy",
    "Population",
    "Role",
    "RoleAssignment",
    "SchemaAttribute",
    "Session",
    "User",
    "WorldChange",
]
