"""The next step after an error: PingOne's resolution, then who does it in the console and where."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration import errors
from pingone_integration.errors import PingOneError, UnlockFailure
from pingone_integration.texts import Text

# For exactly these classes, not their subclasses.
_NEXT_STEPS: dict[type[PingOneError], Text] = {
    errors.PingOneError: _("Send them the IDs shown with the error."),
    errors.NotConnected: _("An org admin can connect PingOne under Settings, PingOne."),
    errors.SettingsIncomplete: _("An org admin can enter them under Settings, PingOne."),
    errors.NoEnvironmentChosen: _("An org admin can choose it under Settings, PingOne."),
    errors.TokenRefreshFailure: _("An org admin can reconnect under Settings, PingOne."),
    errors.NoRefreshToken: _("An org admin can reconnect under Settings, PingOne."),
    errors.TokenRejected: _("An org admin can do this under Settings, PingOne."),
    errors.StateRejected: _("Open Settings, PingOne, and press Connect."),
    errors.CallsPaused: _("An org admin can check the connection before then."),
    errors.SealBroken: _(
        "Ask the person who runs this console to check its keys and database, or ask an org admin to enter the "
        "Client secret and connect again."
    ),
}
_AFTER_UNLOCKING: dict[UnlockFailure.Reason, Text] = {
    UnlockFailure.Reason.PASSWORD: _("Press Unlock password, next to the password status."),
    UnlockFailure.Reason.DEVICE: _("Press Unlock, next to the locked MFA device."),
}


def resolution_of(error: PingOneError | type[PingOneError]) -> Text:
    """Return the next step after an error, or after errors of a class in general."""
    next_step = _next_step(error)
    return format_lazy("{} {}", error.resolution, next_step) if next_step else error.resolution


def _next_step(error: PingOneError | type[PingOneError]) -> Text:
    if isinstance(error, UnlockFailure):
        return _AFTER_UNLOCKING.get(error.reason, "") if error.reason else ""
    return _NEXT_STEPS.get(error if isinstance(error, type) else type(error), "")
