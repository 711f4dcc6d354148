"""The ticket that an operator works on: set once, it goes with every action until it is changed."""

from console.access import ConsoleRequest


def ticket_in_hand(request: ConsoleRequest) -> str:
    """Of this organization, in this browser session; empty when there is none."""
    return str(request.session.get(_key(request), ""))


def take_in_hand(request: ConsoleRequest, ticket: str) -> None:
    request.session[_key(request)] = ticket


def _key(request: ConsoleRequest) -> str:
    return f"ticket-{request.access.org.pk}"
