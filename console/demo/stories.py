"""Five stories to begin with, each about a person whom the local PingOne always has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """A call at the helpdesk. It ends with an email if `mailed`."""

    username: str
    trouble: str
    button: str  # the console's name of the action that helps
    mailed: bool = False


STORIES = (
    Story("leo.locked", "is locked out", "Unlock account"),
    Story("paul.password", "mistyped the password five times", "Unlock password"),
    Story("mike.mustchange", "must change a password that they forgot", "Send recovery code", mailed=True),
    Story("dora.disabled", "is back from leave and deactivated", "Activate"),
    Story("bea.bypass", "has a new phone, but MFA is still bypassed", "End MFA bypass"),
)


RECOVERY = Story("paul.password", "is locked out", "")  # and needs no button


def told_of_recovery(*, console: str, outbox: str) -> str:
    """Return the story of a user who needs nobody."""
    page = f"{console}/recover/acme/"
    mail = f"The mail: {outbox}?to={RECOVERY.username}@acme.test"
    return f"{RECOVERY.username} {RECOVERY.trouble}: open {page} in a private window.\n    {mail}"


def told(story: Story, *, outbox: str) -> str:
    """Return the story in one line, or two with a mail; `outbox`: address of the mails that PingOne would send."""
    line = f"{story.username} {story.trouble}: search, open, {story.button}."
    return f"{line}\n    The mail: {outbox}?to={story.username}@acme.test" if story.mailed else line
