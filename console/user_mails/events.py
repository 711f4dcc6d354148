"""The events that users are told of. Variants of one have its key, and say more exactly what happened."""

from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a user's account."""

    key: str  # stored: never renamed, never reused
    label: Text  # in the settings
    happened: Text  # in the email: subject and first sentence
    needs_former: bool = False  # a first password replaces none: nobody is told of it
    only_alerts: bool = False  # "this was not me" locks nothing: somebody tried, and nothing was changed


PASSWORD_RESET = Event(
    key="password-reset",
    label=_("Password reset"),
    happened=_("Your password was changed"),
)
UNLOCKED = Event(
    key="unlocked",
    label=_("Unlock by the user"),
    happened=_("Your account was unlocked"),
)
DEVICE_REMOVED = Event(
    key="device-removed",
    label=_("MFA device removed"),
    happened=_("A device for signing in was removed from your account"),
)
MFA_CHANGED = Event(
    key="mfa-changed",
    label=_("MFA switched or bypassed"),
    happened=_("The second step of your sign-in was changed"),
)
CONTACT_CHANGED = Event(
    key="contact-changed",
    label=_("Email address or phone number changed"),
    happened=_("Your email address or phone number was changed"),
)
CODE_SENT = Event(
    key="code-sent",
    label=_("Recovery code sent"),
    happened=_("Someone asked for a code to recover your account"),
    only_alerts=True,
)

PASSWORD_CHANGE_FORCED = replace(
    PASSWORD_RESET, happened=_("You have to choose a new password the next time you sign in")
)
PASSWORD_REPLACED = replace(
    PASSWORD_RESET, happened=_("Your password was replaced, and the old one no longer works"), needs_former=True
)
MFA_ON = replace(MFA_CHANGED, happened=_("The second step of your sign-in was switched on"))
MFA_OFF = replace(MFA_CHANGED, happened=_("The second step of your sign-in was switched off"))
MFA_BYPASSED = replace(MFA_CHANGED, happened=_("The second step of your sign-in is skipped for a while"))
BYPASS_ENDED = replace(MFA_CHANGED, happened=_("The second step of your sign-in is asked for again"))
DEVICE_ADDED = replace(MFA_CHANGED, happened=_("A device for signing in was added to your account"))

EVENTS = (PASSWORD_RESET, UNLOCKED, DEVICE_REMOVED, MFA_CHANGED, CONTACT_CHANGED, CODE_SENT)
BY_KEY = {event.key: event for event in EVENTS}
