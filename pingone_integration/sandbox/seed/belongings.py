"""The invented users' groups, MFA devices, sessions and past audit events."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from pingone_integration.sandbox.models import Activity, Device, GroupMembership, Session, User
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.groups import group_id
from pingone_integration.sandbox.seed.named import FAR_AHEAD, JOINED, LAST_SEEN, MARA

DETAILED = 2_000  # this many invented users with MFA get a device and a session

MEMBERSHIPS = (
    ("mara.lind", "Field engineers"),
    ("mara.lind", "VPN"),
    ("mara.lind", "<b>Bold</b> {{ 7*7 }} group"),
    ("leo.locked", "Platform engineers"),
    ("pia.partner", "Partner portal"),
    ("emil.external", "From the directory"),
    ("archie.archived", "Service desk"),
)
# type, columns of the model, members of this type
DEVICES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("EMAIL", {"nickname": "Work mail"}, {"email": "mara.lind@acme.test", "testMode": False}),
    ("SMS", {"status": "ACTIVATION_REQUIRED", "otp": "123456"}, {"phone": "+46701234567", "testMode": False}),
    ("VOICE", {"blocked": True}, {"phone": "+4646123456", "testMode": False}),
    ("TOTP", {"nickname": "Authenticator <i>app</i>", "locked": True, "unlock_at": FAR_AHEAD}, {}),
    (
        "MOBILE",
        {},
        {
            "application": {"id": str(uuid5(fixtures.NAMESPACE, "mobile-application"))},
            "os": {"type": "IOS", "version": "19.1"},
            "model": {"name": "iPhone", "marketingName": "iPhone 17"},
            "pushSandbox": False,
            "rooted": False,
        },
    ),
    ("FIDO2", {}, {"displayName": "Passkey", "rp": {"id": "acme.test", "name": "Acme"}}),
    ("WHATSAPP", {}, {"phone": "+46701234567"}),
    ("OATH_TOKEN", {}, {"serialNumber": "OT-4711"}),
)
BROWSERS = (
    ({"name": "Firefox", "version": "145"}, {"name": "Linux"}, {"type": "Desktop"}),
    ({"name": "Safari", "version": "26"}, {"name": "iOS"}, {"type": "Mobile"}),
)


def write_belongings() -> None:
    users = {user.username: user for user in User.objects.filter(username_key__in=[name for name, _ in MEMBERSHIPS])}
    GroupMembership.objects.bulk_create(
        GroupMembership(user=users[username], group_id=group_id(name)) for username, name in MEMBERSHIPS
    )
    _write_maras()
    invented = User.objects.filter(environment_id=fixtures.MANAGED_ENVIRONMENT_ID, mfa_enabled=True)
    others = list(invented.exclude(id=MARA).order_by("id").values_list("id", flat=True)[:DETAILED])
    Device.objects.bulk_create(_device(user_id, number) for number, user_id in enumerate(others))
    Session.objects.bulk_create(_session(user_id, number) for number, user_id in enumerate(others))


def _write_maras() -> None:
    Device.objects.bulk_create(_device(MARA, number) for number in range(len(DEVICES)))
    Session.objects.bulk_create(_session(MARA, number) for number in range(3))
    Activity.objects.bulk_create(
        _activity(number, action, description)
        for number, (action, description) in enumerate(
            (
                ("USER.CREATED", "User created"),
                ("USER.LOCKED", "User locked"),
                ("USER.UNLOCKED", "User unlocked"),
                ("USER.UPDATED", "User updated"),
            )
        )
    )


def _device(user_id: UUID, number: int) -> Device:
    kind, columns, details = DEVICES[number % len(DEVICES)]
    return Device(
        id=uuid5(user_id, f"device:{number}"),
        user_id=user_id,
        type=kind,
        details=details,
        created_at=JOINED + timedelta(minutes=number),
        updated_at=JOINED + timedelta(minutes=number),
        **columns,
    )


def _session(user_id: UUID, number: int) -> Session:
    browser, system, device = BROWSERS[number % len(BROWSERS)]
    began = LAST_SEEN - timedelta(days=number % 28)
    place = {"at": _iso(began), "remoteIp": "203.0.113.24", "city": "lund", "state": "skane", "country": "sweden"}
    return Session(
        id=uuid5(user_id, f"session:{number}"),
        user_id=user_id,
        created_at=began,
        active_at=began + timedelta(minutes=21),
        details={
            "locations": [place],
            "lastSignOn": {"at": _iso(began), "remoteIp": "203.0.113.24"},
            "browser": browser,
            "operatingSystem": system,
            "device": device,
        },
    )


def _activity(number: int, action: str, description: str) -> Activity:
    at = LAST_SEEN - timedelta(days=30 - number)
    activity_id = uuid5(MARA, f"activity:{number}")
    ada = fixtures.ADMINISTRATORS[0]
    environment = {"id": str(fixtures.MANAGED_ENVIRONMENT_ID)}
    return Activity(
        id=activity_id,
        environment_id=fixtures.MANAGED_ENVIRONMENT_ID,
        recorded_at=at,
        action_type=action,
        actor_user_id=ada.id,
        actor_user_name=ada.username,
        actor_client_id=fixtures.CLIENT_ID,
        resource_id=MARA,
        resource_type="USER",
        population_id=fixtures.STAFF_POPULATION_ID,
        document={
            "id": str(activity_id),
            "recordedAt": _iso(at),
            "createdAt": _iso(at),
            "actors": {
                "client": {"id": str(fixtures.CLIENT_ID), "name": "Admin console", "type": "CLIENT"},
                "user": {"id": str(ada.id), "name": ada.username, "type": "USER"},
            },
            "action": {"type": action, "description": description},
            "resources": [{"type": "USER", "id": str(MARA), "name": "mara.lind", "environment": environment}],
            "result": {"status": "SUCCESS", "description": description},
        },
    )


def _iso(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z")
