"""What an operator who signs in would find: without anything to enter, nobody is signed in."""

from console.models import Invitation, Operator


def has_way_in(operator: Operator) -> bool:
    """Return whether an organization lets them in, or invites them: they accept an invitation signed in."""
    return (
        operator.entered_organizations.exists()
        or Invitation.objects.valid().filter(email__iexact=operator.email).exists()
    )
