"""Writing an email, and withdrawing it."""

import json
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from console.models import OutgoingEmail, Work

LONGEST_ADDRESS = 254  # characters


def write(*, to: str, subject: str, body: str, about: str, worth_for: timedelta, may_repeat: bool) -> OutgoingEmail:
    """Store an email for the worker. It is sent if the transaction around this commits.

    `about` names what it tells of, for `withdraw`. The worker gives up after `worth_for`, for example once a link in it
    has expired. `may_repeat`: a second copy harms nobody, if it stays unknown whether the mail server took the first.
    """
    email = OutgoingEmail(to=to, about=about, expires_at=timezone.now() + worth_for, may_repeat=may_repeat)
    email.sealed_text = email.seal("text", json.dumps([" ".join(subject.split()), body]))
    email.save(force_insert=True)
    return email


def withdraw(about: str) -> int:
    """Erase what has not been sent about something that is over. Return how many emails that were."""
    with transaction.atomic():
        return (
            OutgoingEmail.objects.unfinished()
            .filter(about=about)
            .update(state=Work.State.CANCELED, sealed_text="", lease_owner=None, lease_until=None)
        )


def is_address(text: str) -> bool:
    """Return whether the text is one email address, and nothing that a mail server could read as more."""
    if len(text) > LONGEST_ADDRESS or not text.isprintable() or any(one in text for one in ' ",;<>()\\'):
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def one_line(text: str, most: int = 200) -> str:
    """Make untrusted text one line, without characters that hide or reverse others."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:most]
