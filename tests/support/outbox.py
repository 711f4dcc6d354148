"""The worker's step, in the test's process."""

from django.core import mail
from django.core.mail import EmailMessage

from console.outbox.delivery import deliver_due


def sent_emails() -> list[EmailMessage]:
    """Let the worker send what waits, and return all emails sent since the test began."""
    deliver_due()
    return mail.outbox
