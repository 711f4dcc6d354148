"""Device authentication: PingOne checks a one-time passcode of one of a user's MFA devices, without a sign-in.

Source: PingOne MFA API reference, MFA Authentication > MFA Device Authentications (read 2026-11). Unconfirmed, and so
read in every form: whether the first call minds the device that it names, and how success is spelled.
"""

from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import InvalidValue, NotFound, RefusedByState, Unavailable
from pingone_integration.values import Json, identifier, json_object, text

_PATH = "/deviceAuthentications"
_SELECT = "application/vnd.pingidentity.device.select+json"
_CHECK = "application/vnd.pingidentity.otp.check+json"
_SUCCESS = frozenset({"COMPLETED", "COMPLETE", "SUCCESS", "SUCCEEDED"})


def begin(api: PingOneApi, user_id: UUID, device_id: UUID) -> UUID:
    """Ask for a passcode of this device, which gets one unless it makes its own. Return the ID of the authentication.

    `api` is that of the authentication host. Raises RefusedByState if PingOne asks for anything else.
    """
    body = api.post(_PATH, {"user": {"id": str(user_id)}, "selectedDevice": {"id": str(device_id)}})
    authentication = identifier(body.get("id"))
    if authentication is None:
        raise Unavailable("a device authentication without an id", outcome_known=False)
    if _asks_for(body, device_id):
        return authentication
    body = api.post(f"{_PATH}/{authentication}", {"device": {"id": str(device_id)}}, media_type=_SELECT)
    if not _asks_for(body, device_id, is_selected=True):
        raise RefusedByState(f"PingOne asks for {text(body.get('status')) or 'nothing'}, or for another device")
    return authentication


def check(api: PingOneApi, authentication: UUID, passcode: str) -> bool:
    """Return whether the passcode is right. A wrong one counts at PingOne, which locks a device after some.

    False also if the authentication is over. Anything that is no clear success is none.
    """
    try:
        body = api.post(f"{_PATH}/{authentication}", {"otp": passcode}, media_type=_CHECK)
    except (InvalidValue, NotFound, RefusedByState):
        return False
    return text(body.get("status")).upper() in _SUCCESS


def _asks_for(body: Json, device_id: UUID, *, is_selected: bool = False) -> bool:
    """Return whether PingOne waits for a passcode of this device. Without its name, only after it was selected."""
    selected = json_object(body.get("selectedDevice")).get("id")
    is_this = identifier(selected) == device_id if selected else is_selected
    return is_this and body.get("status") == "OTP_REQUIRED"
