"""The permissions: what the pages of an organization ask for, and the actions behind each."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text


class Permission(StrEnum):
    """A right that an operator has or lacks in an organization. The values appear in the audit log."""

    ENTER = "enter"  # for every member: home, the connection's state
    VIEW_USERS = "users.view"
    SYNC_POPULATIONS = "populations.sync"
    CREATE_USERS = "users.create"
    UPDATE_USERS = "users.update"
    ENABLE_USERS = "users.enable"
    UNLOCK_USERS = "users.unlock"
    LOCK_USERS = "users.lock"
    MOVE_USERS = "users.move"
    DELETE_USERS = "users.delete"
    RECOVER_PASSWORDS = "passwords.recover"
    SET_PASSWORDS = "passwords.set"
    CHANGE_GROUPS = "groups.change"
    EXPORT_USERS = "users.export"
    SWITCH_MFA = "mfa.switch"
    CHANGE_DEVICES = "mfa.devices"
    END_SESSIONS = "sessions.end"
    CALL_API = "api.call"
    RUN_JOBS = "jobs.run"
    VIEW_AUDIT = "audit.view"
    EXPORT_AUDIT = "audit.export"
    MANAGE_CONNECTION = "connection.manage"
    MANAGE_MEMBERS = "members.manage"
    MANAGE_POLICIES = "policies.manage"


PERMISSION_LABELS: dict[Permission, Text] = {  # after "permission to"
    Permission.ENTER: _("open the organization"),
    Permission.VIEW_USERS: _("see users"),
    Permission.SYNC_POPULATIONS: _("sync populations"),
    Permission.CREATE_USERS: _("create users"),
    Permission.UPDATE_USERS: _("change users' profiles"),
    Permission.ENABLE_USERS: _("activate and deactivate users"),
    Permission.UNLOCK_USERS: _("unlock users"),
    Permission.LOCK_USERS: _("lock users"),
    Permission.MOVE_USERS: _("move users to another population"),
    Permission.DELETE_USERS: _("delete users"),
    Permission.RECOVER_PASSWORDS: _("send recovery codes and force password changes"),
    Permission.SET_PASSWORDS: _("set temporary passwords and replace passwords"),
    Permission.CHANGE_GROUPS: _("change users' groups"),
    Permission.EXPORT_USERS: _("export lists of users"),
    Permission.SWITCH_MFA: _("switch MFA on and off"),
    Permission.CHANGE_DEVICES: _("change users' MFA devices"),
    Permission.END_SESSIONS: _("end users' sessions"),
    Permission.CALL_API: _("call any PingOne endpoint"),
    Permission.RUN_JOBS: _("run jobs on many users"),
    Permission.VIEW_AUDIT: _("see the audit log"),
    Permission.EXPORT_AUDIT: _("export the audit log"),
    Permission.MANAGE_CONNECTION: _("manage the connection to PingOne"),
    Permission.MANAGE_MEMBERS: _("manage members"),
    Permission.MANAGE_POLICIES: _("set policies"),
}

# The actions that come with a permission, by key: a role has the permission if it allows one of them. A permission
# without actions is one by itself. In the order of the catalogue, which a test compares.
ACTIONS_OF: dict[Permission, tuple[str, ...]] = {
    Permission.ENABLE_USERS: ("user.activate", "user.deactivate"),
    Permission.UNLOCK_USERS: ("user.unlock", "password.unlock"),
    Permission.LOCK_USERS: ("user.lock",),
    Permission.DELETE_USERS: ("user.delete",),
    Permission.RECOVER_PASSWORDS: ("password.send-recovery-code", "password.force-change"),
    Permission.SET_PASSWORDS: ("password.set-temporary", "password.replace"),
    Permission.SWITCH_MFA: ("mfa.enable", "mfa.disable"),
    Permission.CHANGE_DEVICES: ("mfa.bypass", "mfa.end-bypass", "device.remove", "device.unlock", "device.rename"),
    Permission.CREATE_USERS: ("user.create",),
    Permission.UPDATE_USERS: ("user.update", "user.verify-email"),
    Permission.MOVE_USERS: ("user.move",),
    Permission.CHANGE_GROUPS: ("group.add", "group.remove"),
    Permission.END_SESSIONS: ("session.end", "sessions.end-all"),
    Permission.CALL_API: ("api.call",),
}
ALL_ACTIONS = frozenset(key for keys in ACTIONS_OF.values() for key in keys)
OF_PAGES = tuple(permission for permission in Permission if permission not in ACTIONS_OF)
OF_EVERYBODY = frozenset({Permission.ENTER, Permission.VIEW_USERS})
# Nobody has these who sees only some populations, whatever their role says: each of them reaches all users.
OF_ALL_POPULATIONS = frozenset(
    {
        Permission.CALL_API,
        Permission.EXPORT_AUDIT,
        Permission.MANAGE_CONNECTION,
        Permission.MANAGE_MEMBERS,
        Permission.MANAGE_POLICIES,
    }
)
