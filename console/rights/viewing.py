"""The member as whom a browser session views an organization, if any."""

from django.http import HttpRequest

from console.models import Membership, Organization
from console.session_slot import SessionSlot


def begin(request: HttpRequest, membership: Membership) -> None:
    _slot(request).set({"organization": str(membership.organization_id), "membership": membership.pk})


def end(request: HttpRequest) -> None:
    _slot(request).pop()


def is_on(request: HttpRequest) -> bool:
    return bool(_slot(request).get())


def current(request: HttpRequest, organization: Organization) -> Membership | None:
    """Return the member as whom this organization is viewed, if they still are one. One query while it lasts."""
    kept = _slot(request).get()
    if not kept or kept["organization"] != str(organization.pk):
        return None
    members = Membership.objects.select_related("operator", "organization", "custom_role")
    found = members.filter(organization=organization, pk=kept["membership"], suspended_at=None).first()
    if found is None:
        end(request)
    return found


def _slot(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "viewing-as")
