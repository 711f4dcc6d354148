"""The actions that a page offers to an operator, with the data of their buttons."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.urls import reverse

from console.access import OrgAccess
from console.actions.catalogue import ACTIONS, BY_KEY, Action, Place
from console.rights.roles import TICKET
from pingone_integration.devices import Device
from pingone_integration.groups import GroupMembership
from pingone_integration.passwords import PasswordState
from pingone_integration.sessions import Session


@dataclass(frozen=True, kw_only=True)
class Button:
    """One action, offered in one place."""

    action: Action
    url: str
    is_immediate: bool = True  # acts at once: no form in between
    needs_ticket: bool = False
    ticket_example: str = ""
    inputs: dict[str, str] = field(default_factory=dict)  # inputs that the place sets, such as the device
    submission: UUID = field(default_factory=uuid4)

    @property
    def query(self) -> str:
        """Return the inputs as a query string, for a link to the action's form."""
        return f"?{urlencode(self.inputs)}" if self.inputs else ""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A line of a panel, and its buttons."""

    item: Any
    buttons: list[Button]


_AT = {  # a panel's items: their place, and the form field and the attribute of their ID
    Device: (Place.DEVICE, "device_id", "id"),
    GroupMembership: (Place.GROUP, "group_id", "group_id"),
    Session: (Place.SESSION, "session_id", "id"),
}
# Not groups: a user joins several at once, on a separate page.
_OF_PANEL = {"sessions": Place.SESSIONS, "devices": Place.MFA}


def button(access: OrgAccess, user_id: UUID, action: Action, **inputs: UUID) -> Button:
    required = access.org.required_tickets
    return Button(
        action=action,
        needs_ticket=action.key in required or TICKET in access.rights.demands(action.key),
        is_immediate=action.is_immediate and not action.limits_for(access).needs_reason,
        ticket_example=required.get(action.key, ""),
        url=reverse("user-action", args=[access.org.slug, user_id, action.key]),
        inputs={name: str(value) for name, value in inputs.items()},
    )


def buttons(access: OrgAccess, user_id: UUID, place: Place, target: Any, **inputs: UUID) -> list[Button]:
    """Return the buttons that this operator may use and that make sense for `target`.

    `target` is the object of the place, see Place. Remedies come first, risky actions last.
    """
    return [
        button(access, user_id, action, **inputs)
        for action in sorted(ACTIONS, key=lambda action: (not action.is_remedy, action.is_risky))
        if action.place is place and access.may(action) and action.offered_to(target)
    ]


def offers(access: OrgAccess, user_id: UUID, items: Iterable[Any]) -> list[Offer]:
    """Return each line of a panel with its buttons."""
    found = []
    for item in items:
        place, name, attribute = _AT[type(item)]
        found.append(
            Offer(item=item, buttons=buttons(access, user_id, place, item, **{name: getattr(item, attribute)}))
        )
    return found


def panel_offers(
    access: OrgAccess, user_id: UUID, key: str, content: Any, *, is_closed: bool = False
) -> dict[str, Any]:
    """Return a panel's context beside its content: `offers` for each line, `buttons` for the whole panel.

    `is_closed`: every action on this user would be refused, so none is offered.
    """
    if is_closed:
        lines = () if isinstance(content, PasswordState) else getattr(content, "items", content)
        return {"offers": [Offer(item=item, buttons=[]) for item in lines]}
    if isinstance(content, PasswordState):
        return {"buttons": buttons(access, user_id, Place.PASSWORD, content)}
    items = list(getattr(content, "items", content))
    whole = buttons(access, user_id, _OF_PANEL[key], content) if key in _OF_PANEL else []
    joins = key == "groups" and access.may(BY_KEY["group.add"])
    join_url = reverse("user-groups", args=[access.org.slug, user_id]) if joins else ""
    return {"offers": offers(access, user_id, items), "buttons": whole, "join_url": join_url}
