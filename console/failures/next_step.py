"""The next step after an error: PingOne's resolution, then who does it in the console and where."""

from pingone_integration import errors
from pingone_integration.errors import PingOneError, UnlockFailure

# For exactly these classes, not their subclasses.
_NEXT_STEPS: dict[type[PingOneError], str] = {
    errors.PingOneError: "Send them the ids that are shown with it.",
    errors.NotConnected: "An org admin connects it under Settings, PingOne.",
    errors.SettingsIncomplete: "An org admin fills them in under Settings, PingOne.",
    errors.NoEnvironmentChosen: "An org admin chooses it under Settings, PingOne.",
    errors.TokenRefreshFailure: "An org admin connects again under Settings, PingOne.",
    errors.NoRefreshToken: "An org admin connects again under Settings, PingOne.",
    errors.TokenRejected: "An org admin does this under Settings, PingOne.",
    errors.StateRejected: "Open Settings, PingOne, and press Connect.",
    errors.CallsPaused: "An org admin can check the connection before.",
    errors.SealBroken: (
        "Whoever runs this server has keys and database in hand; or an org admin enters the secret and connects again."
    ),
}
_AFTER_UNLOCKING: dict[UnlockFailure.Reason, str] = {
    UnlockFailure.Reason.PASSWORD: "Press Unlock password, beside the state of the password.",
    UnlockFailure.Reason.DEVICE: "Press Unlock, beside the locked MFA device.",
}


def resolution_of(error: PingOneError | type[PingOneError]) -> str:
    """Return the next step after an error, or after errors of a class in general."""
    return f"{error.resolution} {_next_step(error)}".strip()


def _next_step(error: PingOneError | type[PingOneError]) -> str:
    if isinstance(error, UnlockFailure):
        return _AFTER_UNLOCKING.get(error.reason, "") if error.reason else ""
    return _NEXT_STEPS.get(error if isinstance(error, type) else type(error), "")
