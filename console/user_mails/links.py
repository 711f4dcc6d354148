"""The links "this was not me": single use, and known to the email alone."""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from console.models import NotMeLink, Organization
from console.outbox import emails
from console.user_mails.events import Event
from pingone_integration.users import User

VALID_FOR = timedelta(hours=72)


def not_me_url(organization: Organization, event: Event, user: User, *, sent_to: str, entry: UUID | None = None) -> str:
    """Make a link for one email, at the console's own address: never at the host of a request."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    NotMeLink.objects.create(
        organization=organization,
        token_hash=_hash(token),
        event=event.key,
        user_id=user.id,
        username=emails.one_line(user.username, 500),
        population_id=user.population_id,
        sent_to=sent_to,
        entry=entry,
        at=now,
        expires_at=now + VALID_FOR,
    )
    return f"{settings.PUBLIC_URL}{reverse('not-me', args=[token])}"


def link_of(token: str) -> NotMeLink | None:
    """Return the link, also if it was used, or None if nobody was sent it or it has expired."""
    valid = NotMeLink.objects.filter(expires_at__gt=timezone.now()).select_related("organization__connection")
    return valid.filter(token_hash=_hash(token)).first()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
