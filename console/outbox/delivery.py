"""Delivery of the emails that wait, one by one.

A failure before an email is handed over, and an answer of the mail server that refuses it, are known: nothing was sent.
If a worker is killed or the mail server falls silent in between, the mail server may have taken it. Then the email is
sent again only if a second copy harms nobody, with the same Message-ID.
"""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTPDataError, SMTPNotSupportedError, SMTPRecipientsRefused, SMTPResponseException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models.functions import Now
from django.utils import timezone

from console.models import OutgoingEmail, Work
from pingone_integration.errors import SealBroken

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)  # longer than all steps with one mail server, each of EMAIL_TIMEOUT
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(minutes=15)


class MailServerDown(Exception):
    """The mail server cannot be reached: the other emails wait as well."""


def deliver_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, until nothing is, the mail server fails, or `stopping()`. Return the number taken."""
    mail_server = get_connection()
    taken = 0
    with suppress(MailServerDown):
        while not stopping() and (email := OutgoingEmail.objects.claim(LEASE)):
            taken += _deliver(mail_server, email)
    _close(mail_server)
    return taken


def _deliver(mail_server: BaseEmailBackend, email: OutgoingEmail) -> bool:
    """Return whether the mail server took it. Raises MailServerDown, with the email put back."""
    if email.handed_over_at and not email.may_repeat:
        return _give_up(email, "a worker was killed while it sent this", Work.State.UNKNOWN)
    if email.expires_at <= timezone.now():
        return _give_up(email, email.cause or "expired")
    try:
        message = _message(email)
        mail_server.open()
    except SealBroken:
        return _retry(email, "its text cannot be decrypted")
    except OSError as error:  # network errors, and all errors of smtplib
        _close(mail_server)
        _retry(email, _in_short(error))
        raise MailServerDown from error
    if not email.keep(LEASE, handed_over_at=Now()):
        return False  # withdrawn meanwhile, or another worker has it
    return _hand_over(mail_server, email, message)


def _hand_over(mail_server: BaseEmailBackend, email: OutgoingEmail, message: EmailMessage) -> bool:
    try:
        mail_server.send_messages([message])
    except (SMTPResponseException, SMTPRecipientsRefused, SMTPNotSupportedError, ValueError) as error:
        _close(mail_server)  # its state is unknown, and some servers hang up after a refusal
        return _give_up(email, _in_short(error)) if _is_final(error) else _retry(email, _in_short(error))
    except OSError as error:
        _close(mail_server)
        if not email.may_repeat:
            return _give_up(email, _in_short(error), Work.State.UNKNOWN)
        return _retry(email, _in_short(error))
    return email.end(Work.State.DONE, sealed_text="", cause="")


def _is_final(error: Exception) -> bool:
    """Return whether a later attempt would meet the same refusal of this address or text.

    A refused sender or sign-in is not: that is a setting of this server. Codes from 400 to 499 ask to try again.
    """
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= 500
    return not isinstance(error, SMTPResponseException)


def _retry(email: OutgoingEmail, cause: str) -> bool:
    delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(email.attempts - 1, 10))
    email.put_back(delay, cause=cause, handed_over_at=None)
    logger.error("Email about %s not sent, next attempt in %d s: %s", email.about, delay.total_seconds(), cause)
    return False


def _give_up(email: OutgoingEmail, cause: str, state: Work.State = Work.State.FAILED) -> bool:
    email.end(state, sealed_text="", cause=cause)
    logger.error("Email about %s given up, %s: %s", email.about, state.value, cause)
    return False


def _in_short(error: Exception) -> str:
    """Return the kind of failure with the mail server's code; its words may contain the address."""
    codes = [code for code, _ in error.recipients.values()] if isinstance(error, SMTPRecipientsRefused) else []
    codes = [error.smtp_code] if isinstance(error, SMTPResponseException) else codes
    return " ".join([type(error).__name__, *map(str, codes)])[:100]


def _message(email: OutgoingEmail) -> EmailMessage:
    """Build the email. Every attempt has the same Message-ID, by which mail systems drop a second copy."""
    subject, body = json.loads(email.unseal("text"))
    headers = {"Message-ID": f"<{email.pk}@{urlsplit(settings.PUBLIC_URL).hostname}>"}
    return EmailMessage(subject, body, None, [email.to], headers=headers)


def _close(mail_server: BaseEmailBackend) -> None:
    with suppress(OSError):
        mail_server.close()
