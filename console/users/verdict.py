"""The verdict at the head of a user's page, for one operator."""

from dataclasses import replace
from typing import Any

from django.utils.text import format_lazy

from console.access import OrgAccess
from console.actions.buttons import Button, button, buttons
from console.actions.catalogue import BY_KEY, Action, Place
from console.users.standing import Known, standing_of
from pingone_integration.devices import Device


def verdict_context(access: OrgAccess, known: Known, *, is_closed: bool = False) -> dict[str, Any]:
    """Return the standing, and the buttons of the actions that help and that this operator may run.

    A recovery code also helps a user who can sign in and forgot the password; if there can be none, the page says why.
    `is_closed`: every action on this user would be refused, so none is offered.
    """
    standing = standing_of(known)
    if is_closed:
        return {"standing": standing, "user_id": known.user.id}
    obstacle = known.recovery_obstacle if access.may(BY_KEY["password.send-recovery-code"]) else None
    return {
        "standing": standing,
        "user_id": known.user.id,
        "helps": [found for key in standing.helps for found in _buttons(access, known, BY_KEY[key])],
        "recovery": [
            found
            for found in buttons(access, known.user.id, Place.SIGN_IN, known)
            if found.action.key not in standing.helps
        ],
        "no_recovery": obstacle.cause if obstacle else "",
    }


def _buttons(access: OrgAccess, known: Known, action: Action) -> list[Button]:
    """Return the action's button, or one for each device. Its label is the full name: here it is outside its panel."""
    user, action = known.user, replace(action, label=action.name)
    if not access.may(action):
        return []
    if action.place is Place.DEVICE:
        return [
            button(access, user.id, _named_after(action, device), device_id=device.id)
            for device in known.devices
            if action.offered_to(device)
        ]
    is_offered = action.place is not Place.ACCOUNT or action.offered_to(user)
    return [button(access, user.id, action)] if is_offered else []


def _named_after(action: Action, device: Device) -> Action:
    return replace(action, label=str(format_lazy("{action}: {device}", action=action.name, device=device.kind)))
