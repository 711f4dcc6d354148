"""Invitations to an organization: sent, sent again, withdrawn and accepted, each in the audit log.

An invitation grants what the org admin who sent it may grant when it is accepted: it is void once they lose that right,
or the role is gone. It is for the account with its address alone: a link that was passed on lets nobody else in under a
name that no org admin has seen.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission, enter_org
from console.audit import entries
from console.models import AuditEntry, Invitation, Membership, Operator, Organization, Role
from console.operators import members, org_admin_mail
from console.outbox import emails
from console.server.deploy_checks import NOT_MAILED

VALID_FOR = timedelta(hours=72)


class AlreadyMember(Exception):
    """An operator with this address is already a member."""


class AlreadyInvited(Exception):
    """There is an open invitation for this address: it can be sent again."""


class Void(Exception):
    """The invitation is used, withdrawn or expired, or nobody may grant it any longer."""


class OtherAccount(Exception):
    """The invitation is for another address than that of the account."""


def mails_links() -> bool:
    """Return whether there is a mail server. Without one, the org admin gets the link, to pass it on."""
    return not settings.EMAIL_BACKEND.endswith(NOT_MAILED)


def send(
    access: OrgAccess, email: str, name: str, role: str, *, signed_in_at: datetime | None, source_address: str
) -> str:
    """Invite a person by email. Return the link, for servers without mail.

    `role` is a key. Raises AlreadyMember, AlreadyInvited, BeyondOwnRights, NotFresh, Role.DoesNotExist.
    """
    access.require(Permission.MANAGE_MEMBERS)
    email, token = email.lower(), _new_token()
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=access.org.pk)
        members.role_columns(access, role)
        if Membership.objects.filter(organization=access.org, operator__email__iexact=email).exists():
            raise AlreadyMember(email)
        if access.org.invitations.open().filter(email__iexact=email).exists():
            raise AlreadyInvited(email)
        members.check_fresh_for(role, signed_in_at)
        now = timezone.now()
        invitation = Invitation.objects.create(
            organization=access.org,
            email=email,
            name=name,
            role=role,
            token_hash=_hashed(token),
            invited_by=access.operator,
            sent_at=now,
            expires_at=now + VALID_FOR,
        )
        _record(access, "invitation.sent", invitation, source_address, after={"role": role})
        return _mailed(invitation, token)


def send_again(access: OrgAccess, invitation: Invitation, *, signed_in_at: datetime | None, source_address: str) -> str:
    """Send a new link, valid for as long as the first: the old one is dead. Return it. Raises as `send`, and Void."""
    access.require(Permission.MANAGE_MEMBERS)
    token = _new_token()
    with transaction.atomic():
        invitation = _locked(access, invitation)
        members.role_columns(access, invitation.role)
        members.check_fresh_for(invitation.role, signed_in_at)
        emails.withdraw(_about(invitation))
        invitation.token_hash, invitation.invited_by = _hashed(token), access.operator
        invitation.sent_at = timezone.now()
        invitation.expires_at = invitation.sent_at + VALID_FOR
        invitation.save()
        _record(access, "invitation.sent-again", invitation, source_address, after={"role": invitation.role})
        return _mailed(invitation, token)


def withdraw(access: OrgAccess, invitation: Invitation, *, source_address: str) -> None:
    """Make the link worthless. Raises Void."""
    access.require(Permission.MANAGE_MEMBERS)
    with transaction.atomic():
        invitation = _locked(access, invitation)
        emails.withdraw(_about(invitation))
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        _record(access, "invitation.withdrawn", invitation, source_address, before={"role": invitation.role})


def find(token: str) -> Invitation | None:
    """Return the invitation of a link that would be accepted now. All others look alike: None."""
    sent = Invitation.objects.valid().select_related("organization", "invited_by")
    invitation = sent.filter(token_hash=_hashed(token)).first()
    try:
        return invitation if invitation and _grant_of(invitation) else None
    except Void:
        return None


def account_of(invitation: Invitation) -> Operator | None:
    return Operator.objects.filter(email__iexact=invitation.email).first()


def is_for(invitation: Invitation, operator: Operator) -> bool:
    return operator.email.lower() == invitation.email.lower()


def accept(token: str, operator: Operator, *, source_address: str) -> Membership:
    """Make the operator, who has signed in, a member. Raises Void, OtherAccount."""
    with transaction.atomic():
        invitation = _taken(token)
        if not is_for(invitation, operator):
            raise OtherAccount
        return _join(invitation, operator, source_address)


def accept_with_new_account(token: str, name: str, password: str, *, source_address: str) -> Operator:
    """Create the account of the invited person and make it a member. Raises Void, also if there is an account."""
    with transaction.atomic():
        invitation = _taken(token)
        try:
            with transaction.atomic():
                operator = Operator.objects.create_user(invitation.email, password, name=name)
        except IntegrityError:
            raise Void from None
        _join(invitation, operator, source_address)
        return operator


def _taken(token: str) -> Invitation:
    """Return the invitation, which nobody else can take until this transaction ends. Raises Void."""
    sent = Invitation.objects.valid().filter(token_hash=_hashed(token))
    if not sent.update(accepted_at=timezone.now()):  # one of several at once, on every database
        raise Void
    return Invitation.objects.select_related("organization", "invited_by").get(token_hash=_hashed(token))


def _join(invitation: Invitation, operator: Operator, source_address: str) -> Membership:
    columns = _grant_of(invitation)
    Operator.objects.select_for_update().get(pk=operator.pk)  # see members.check_account_is_theirs
    membership, is_new = Membership.objects.get_or_create(
        organization=invitation.organization, operator=operator, defaults=columns
    )
    if not is_new:
        raise Void
    emails.withdraw(_about(invitation))
    entries.record(
        invitation.organization,
        "membership.added",
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, id=operator.pk, name=operator.email),
        operator=operator,
        source_address=source_address,
        inputs={"invited_by": invitation.invited_by.email},
        after={"role": invitation.role},
    )
    if membership.is_org_admin:
        by = invitation.invited_by.email
        org_admin_mail.tell(invitation.organization, operator, "membership.added", by=by, is_now=True)
    return membership


def _grant_of(invitation: Invitation) -> dict[str, object]:
    """Return the columns of the membership, by the rights that the sender has now. Raises Void."""
    try:
        access = enter_org(invitation.invited_by, invitation.organization.slug)
        access.require(Permission.MANAGE_MEMBERS)
        return members.role_columns(access, invitation.role)
    except (Http404, PermissionDenied, members.BeyondOwnRights, Role.DoesNotExist):
        raise Void from None


def _locked(access: OrgAccess, invitation: Invitation) -> Invitation:
    found = Invitation.objects.open().select_for_update().filter(organization=access.org, pk=invitation.pk).first()
    if found is None:
        raise Void
    return found


def _mailed(invitation: Invitation, token: str) -> str:
    link = f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"
    if mails_links():
        context = {"invitation": invitation, "link": link, "hours": VALID_FOR // timedelta(hours=1)}
        subject = format_lazy(
            _("Invitation to {org} in the PingOne console"), org=emails.one_line(invitation.organization.name)
        )
        emails.write(
            to=invitation.email,
            subject=str(subject),
            body=render_to_string("console/email/invitation.txt", context),
            about=_about(invitation),
            worth_for=VALID_FOR,
            may_repeat=True,
        )
    return link


def _record(access: OrgAccess, event: str, invitation: Invitation, source_address: str, **values: object) -> None:
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, name=invitation.email),
        operator=access.operator,
        source_address=source_address,
        **values,  # type: ignore[arg-type]
    )


def _about(invitation: Invitation) -> str:
    return f"invitation {invitation.pk}"


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()
