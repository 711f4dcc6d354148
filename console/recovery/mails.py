"""The emails of recovery: each to one address on file, in the language of the page, without a secret but the code.

The code's email names the page and has no link to go on by. Its other link says "this was not me".
"""

from collections.abc import Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from console.models import RecoveryAttempt
from console.outbox import emails
from console.recovery.attempts import CODE_LASTS
from console.recovery.codes import code_of
from console.recovery.policy import settings_of
from console.user_mails.events import CODE_SENT
from console.user_mails.links import not_me_url
from pingone_integration.texts import Text
from pingone_integration.users import User

CODE_SUBJECT = _("Your code for {organization}")
USERNAMES_SUBJECT = _("Your usernames at {organization}")
ELSEWHERE_SUBJECT = _("Your password for {organization}")


def send_code(attempt: RecoveryAttempt, user: User, address: str) -> None:
    """Mail the code. "Send again" mails the same one."""
    _write(
        attempt,
        address,
        CODE_SUBJECT,
        "code",
        code=code_of(attempt),
        minutes=int(CODE_LASTS.total_seconds() // 60),
        username=_one_line(user.username),
        not_me_url=not_me_url(attempt.organization, CODE_SENT, user, sent_to=address),
    )


def send_usernames(attempt: RecoveryAttempt, address: str, usernames: Sequence[str]) -> None:
    """Mail the usernames of the users who share an address, so that they start again with theirs."""
    _write(attempt, address, USERNAMES_SUBJECT, "usernames", usernames=[*map(_one_line, usernames)])


def send_elsewhere(attempt: RecoveryAttempt, user: User, address: str) -> None:
    """Tell a user whose password is not in PingOne where it is."""
    _write(
        attempt,
        address,
        ELSEWHERE_SUBJECT,
        "elsewhere",
        username=_one_line(user.username),
        provider=_one_line(user.identity_provider),
    )


def _write(attempt: RecoveryAttempt, address: str, subject: Text, template: str, **context: object) -> None:
    written, body = text_of(attempt, subject, template, **context)
    emails.write(
        to=address,
        subject=written,
        body=body,
        about=f"recovery {attempt.pk}",
        worth_for=CODE_LASTS,
        may_repeat=True,
    )


def text_of(attempt: RecoveryAttempt, subject: Text, template: str, **context: object) -> tuple[str, str]:
    """Return the subject and the body of a mail, in the language of the attempt."""
    organization = attempt.organization
    name = _one_line(organization.name)
    with translation.override(attempt.language or settings.LANGUAGE_CODE):
        body = render_to_string(
            f"console/recovery/mails/{template}.txt",
            {
                "organization": name,
                "asked_at": attempt.asked_at,
                "browser": _one_line(attempt.browser),
                "network": attempt.source_address,
                "url": settings.PUBLIC_URL + reverse("recover", args=[organization.slug]),
                "ours": settings_of(organization),
                "reference": attempt.reference,
                **context,
            },
        )
        return str(subject).format(organization=name), body


def _one_line(text: str) -> str:
    """Make untrusted text one line, without characters that hide or reverse others."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:200]
