"""Emails in the log, for a server without a mail server."""

import re
from copy import copy

from django.core.mail import EmailMessage
from django.core.mail.backends import console

SECRET_LINK = re.compile(r"(/password/reset/key/|/not-me/|/invitations/|/second-factor-reset/)[^/\s]+")


class EmailBackend(console.EmailBackend):
    """Django's, without the secrets of links, for example to choose a password: a reader of the log could use them."""

    def write_message(self, message: EmailMessage) -> None:
        shown = copy(message)
        shown.body = SECRET_LINK.sub(r"\1(left-out)", str(message.body))
        super().write_message(shown)
