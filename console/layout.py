"""What the frame around every page shows: organization, connection state, navigation."""

from typing import Any

from django.http import HttpRequest


def layout(request: HttpRequest) -> dict[str, Any]:
    """`org` and `access` on an organization's pages, nothing elsewhere."""
    access = getattr(request, "access", None)
    return {"access": access, "org": access.org} if access else {}
