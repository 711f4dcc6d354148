"""Why an attempt stopped, in words for operators. The person at the pages is never told."""

from typing import TypeAlias

from django.utils.translation import gettext_lazy as _

from console.models import RecoveryAttempt
from pingone_integration.texts import Text

Stop: TypeAlias = RecoveryAttempt.Stop

WORDS: dict[str, Text] = {
    Stop.INVALID: _("What they typed cannot be a username or email address."),
    Stop.TOO_MANY_ASKED: _("They asked too often within an hour."),
    Stop.LATE: _("PingOne was too busy to look them up in time."),
    Stop.UNREACHABLE: _("PingOne did not answer."),
    Stop.UNKNOWN: _("No user has this username or email address."),
    Stop.SEVERAL: _("Several users have this email address. Their usernames were sent to it."),
    Stop.OFF: _("Recovery is off in their population."),
    Stop.LOCK_DOWN: _("The organization was locked down."),
    Stop.DISABLED: _("The user is deactivated."),
    Stop.ELSEWHERE: _("Their password is managed outside PingOne. They were told by email."),
    Stop.PROTECTED: _("The user is protected."),
    Stop.NO_ADDRESS: _("The user has no email address that can be used."),
    Stop.UNVERIFIED: _("Their email address is not verified."),
    Stop.NEW_CONTACT: _("Their contacts changed lately."),
    Stop.LOCKED: _("PingOne sends them no code: their password or account is locked."),
    Stop.NEEDS_DEVICE: _("Recovery needs one of their MFA devices as well, and none of them can be used for it."),
    Stop.DEVICE_CODES: _("They entered too many wrong codes of a device within a day."),
    Stop.TOO_MANY_MAILS: _("They were sent too many emails."),
    Stop.TOO_OFTEN: _("They recovered too often without signing in."),
    Stop.CHANGED: _("Their email address, population, status or password changed meanwhile."),
    Stop.NOT_ME: _("They said that it was not them."),
    Stop.SUPERSEDED: _("Another code of theirs was used."),
    Stop.RESTARTED: _("They started again."),
}
