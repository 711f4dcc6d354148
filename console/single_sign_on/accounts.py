"""Whose account a person at the provider has: by issuer and subject, never by an email address.

An email address only names the account of somebody new, and only one that the provider verified. An account that is
there already is linked by its owner, from within a fresh session of it.
"""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from console.models import LinkedIdentity, Operator
from console.operators.on_record import record
from console.single_sign_on import roles
from console.single_sign_on.failures import Refused
from console.source_address import source_address
from pingone_integration.openid_connect.identity import Identity


def signed_in(request: HttpRequest, identity: Identity) -> Operator:
    """Return the operator, with the roles of today's groups. Creates one whom the groups let in. Raises Refused."""
    opened = roles.opened_by(identity.groups)
    with transaction.atomic():
        operator = account_of(identity)
        if operator is None:
            if not opened:
                raise Refused("no-groups")
            operator = _new_account(request, identity)
        roles.apply(operator, opened, source_address=source_address(request))
    return operator


def account_of(identity: Identity) -> Operator | None:
    linked = LinkedIdentity.objects.select_related("operator")
    found = linked.filter(issuer=identity.issuer, subject=identity.subject).first()
    return found.operator if found else None


def require_same(operator: Operator, identity: Identity) -> None:
    """Raise Refused unless the provider vouches for this operator."""
    if account_of(identity) != operator:
        raise Refused("other-person")


def link(request: HttpRequest, operator: Operator, identity: Identity) -> None:
    """Let the person at the provider sign in as this operator. Raises Refused."""
    try:
        with transaction.atomic():
            LinkedIdentity.objects.create(operator=operator, issuer=identity.issuer, subject=identity.subject)
    except IntegrityError:
        raise Refused("linked-elsewhere") from None
    record(request, operator, "operator.identity-linked", inputs={"issuer": identity.issuer})


def unlink(request: HttpRequest, operator: Operator) -> bool:
    """Take the link away. Return False if there was none, or if it is the only way in."""
    if not operator.has_usable_password():
        return False
    count, _kinds = LinkedIdentity.objects.filter(operator=operator).delete()
    if count:
        record(request, operator, "operator.identity-unlinked")
    return bool(count)


def _new_account(request: HttpRequest, identity: Identity) -> Operator:
    """Create an account without a password: it has no other way in. Raises Refused."""
    try:
        validate_email(identity.email)
    except ValidationError:
        raise Refused("no-email") from None
    if Operator.objects.filter(email__iexact=identity.email).exists():
        raise Refused("email-taken")
    operator = Operator.objects.create_user(identity.email, None, name=identity.name)
    link(request, operator, identity)
    return operator
