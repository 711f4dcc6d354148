"""Every path under `/v1` and its handlers. Any other path answers as PingOne's gateway does.

Device authentications are at the authorization host, without `/v1`.
"""

from uuid import UUID

from django.urls import path, re_path, register_converter

from pingone_integration.sandbox.api import (
    accounts,
    activities,
    device_authentications,
    devices,
    environments,
    groups,
    memberships,
    mfa,
    passwords,
    policies,
    populations,
    roles,
    schemas,
    sessions,
    users,
)
from pingone_integration.sandbox.api.endpoint import MediaTypes, Resource, gateway_refusal
from pingone_integration.sandbox.filters import uuid_of

JSON = "application/json"


class IdConverter:
    """An id in a path. An invalid id becomes the nil UUID."""

    regex = "[^/]+"

    def to_python(self, value: str) -> UUID:
        return uuid_of(value)

    def to_url(self, value: UUID) -> str:
        return str(value)


register_converter(IdConverter, "id")

ENVIRONMENT = "environments/<id:env>"
USER = f"{ENVIRONMENT}/users/<id:user_id>"
DEVICE = f"{USER}/devices/<id:device_id>"
GROUP = f"{ENVIRONMENT}/groups/<id:group_id>"
SCHEMA = f"{ENVIRONMENT}/schemas/<id:schema>"

RESOURCES = {
    "environments": Resource(GET=environments.list_environments),
    "environments/<id:environment_id>": Resource(GET=environments.read_environment),
    f"{ENVIRONMENT}/capabilities": Resource(GET=environments.read_capabilities),
    f"{ENVIRONMENT}/rateLimitIpConfigs": Resource(GET=environments.list_rate_limit_exceptions),
    "roles": Resource(GET=roles.list_built_in_roles),
    "roles/<id:role_id>": Resource(GET=roles.read_role),
    f"{ENVIRONMENT}/roles": Resource(GET=roles.list_roles),
    f"{ENVIRONMENT}/passwordPolicies": Resource(GET=policies.list_policies),
    f"{ENVIRONMENT}/passwordPolicies/<id:policy_id>": Resource(GET=policies.read_policy),
    f"{ENVIRONMENT}/schemas": Resource(GET=schemas.list_schemas),
    SCHEMA: Resource(GET=schemas.read_schema),
    f"{SCHEMA}/attributes": Resource(GET=schemas.list_attributes),
    f"{SCHEMA}/attributes/<id:attribute_id>": Resource(GET=schemas.read_attribute),
    f"{ENVIRONMENT}/activities": Resource(GET=activities.list_activities, POST=activities.search_activities),
    f"{ENVIRONMENT}/activities/<id:activity_id>": Resource(GET=activities.read_activity),
    f"{ENVIRONMENT}/populations": Resource(GET=populations.list_populations, POST=populations.create_population),
    f"{ENVIRONMENT}/populations/<id:population_id>": Resource(
        GET=populations.read_population,
        PUT=populations.replace_population,
        DELETE=populations.delete_population,
    ),
    f"{ENVIRONMENT}/users": Resource(
        GET=users.list_users,
        POST=MediaTypes({JSON: users.create_user, "user.import": users.import_user}),
    ),
    USER: Resource(
        GET=users.read_user,
        PATCH=users.patch_user,
        PUT=users.replace_user,
        DELETE=users.delete_user,
        POST=MediaTypes(
            {
                "account.lock": accounts.lock,
                "account.unlock": accounts.unlock,
                "user.sendVerificationCode": accounts.send_verification_code,
                "user.verify": accounts.verify,
            }
        ),
    ),
    f"{USER}/enabled": Resource(GET=accounts.read_enabled, PUT=accounts.set_enabled),
    f"{USER}/population": Resource(GET=accounts.read_population_of, PUT=accounts.move),
    f"{USER}/emailVerification": Resource(
        POST=MediaTypes(
            {
                "user.emailVerification.send": accounts.send_email_verification,
                "user.emailVerification.verify": accounts.verify_email,
            }
        )
    ),
    f"{USER}/password": Resource(
        GET=passwords.read_password,
        POST=MediaTypes(
            {
                "password.sendRecoveryCode": passwords.send_recovery_code,
                "password.recover": passwords.recover,
                "password.forceChange": passwords.force_change,
                "password.unlock": passwords.unlock,
                "password.check": passwords.check,
            }
        ),
        PUT=MediaTypes(
            {
                "password.reset": passwords.reset,
                "password.set": passwords.set_password,
                "password.setValue": passwords.set_value,
            }
        ),
    ),
    f"{USER}/mfaEnabled": Resource(GET=mfa.read_mfa_enabled, PUT=mfa.set_mfa_enabled),
    f"{USER}/bypassMFA": Resource(GET=mfa.read_bypass, PUT=mfa.set_bypass, DELETE=mfa.end_bypass),
    f"{USER}/devices": Resource(
        GET=devices.list_devices,
        POST=MediaTypes({"devices.reorder": devices.reorder}),
        DELETE=MediaTypes({"devices.order.remove": devices.drop_order}),
    ),
    DEVICE: Resource(
        GET=devices.read_device,
        DELETE=devices.delete_device,
        POST=MediaTypes(
            {
                "device.lock": devices.lock,
                "device.unlock": devices.unlock,
                "device.block": devices.block,
                "device.unblock": devices.unblock,
                "device.activate": devices.activate,
            }
        ),
    ),
    f"{DEVICE}/nickname": Resource(GET=devices.read_nickname, PUT=devices.set_nickname),
    f"{DEVICE}/logs": Resource(PUT=devices.ask_for_logs),
    f"{ENVIRONMENT}/sessions/<id:session_id>": Resource(GET=sessions.read_open_session),
    f"{USER}/sessions": Resource(GET=sessions.list_sessions),
    f"{USER}/sessions/<id:session_id>": Resource(GET=sessions.read_session, DELETE=sessions.delete_session),
    f"{USER}/roleAssignments": Resource(GET=roles.list_of_user, POST=roles.grant_to_user),
    f"{USER}/roleAssignments/<id:assignment_id>": Resource(DELETE=roles.revoke_from_user),
    f"{USER}/memberOfGroups": Resource(GET=memberships.list_memberships, POST=memberships.add),
    f"{USER}/memberOfGroups/<id:group_id>": Resource(GET=memberships.read_membership, DELETE=memberships.remove),
    f"{ENVIRONMENT}/groups": Resource(GET=groups.list_groups, POST=groups.create_group),
    GROUP: Resource(GET=groups.read_group, PUT=groups.replace_group, DELETE=groups.delete_group),
    f"{GROUP}/memberOfGroups": Resource(GET=groups.list_containers, POST=groups.nest),
    f"{GROUP}/memberOfGroups/<id:container_id>": Resource(GET=groups.read_container, DELETE=groups.unnest),
    f"{GROUP}/roleAssignments": Resource(GET=roles.list_of_group, POST=roles.grant_to_group),
    f"{GROUP}/roleAssignments/<id:assignment_id>": Resource(DELETE=roles.revoke_from_group),
}

AT_AUTHORIZATION_HOST = {
    "<id:env>/deviceAuthentications": Resource(POST=MediaTypes({JSON: device_authentications.begin})),
    "<id:env>/deviceAuthentications/<id:authentication_id>": Resource(
        POST=MediaTypes({"device.select": device_authentications.select, "otp.check": device_authentications.check})
    ),
}

urlpatterns = [
    *(path(route, resource) for route, resource in RESOURCES.items()),
    re_path(r".*", gateway_refusal),
]
