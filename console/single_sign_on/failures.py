"""Why single sign-on let nobody in, in words, with the next step."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from pingone_integration.openid_connect.errors import Reason
from pingone_integration.texts import Text


@dataclass(frozen=True)
class Words:
    cause: Text
    next_step: Text
    status: int = 403


class Refused(Exception):
    """Single sign-on let nobody in. `key` names the reason in WORDS."""

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(detail or key)
        self.key = key


_ADMINISTRATOR = _("Ask whoever runs this server. The log of the server has the details.")
_AGAIN = _("Start again from the sign-in page.")

WORDS: dict[str, Words] = {
    Reason.UNREACHABLE: Words(
        _("The identity provider does not answer."),
        _("Try again in a moment. If it keeps happening, ask whoever runs this server."),
        502,
    ),
    Reason.WRONG_ADDRESSES: Words(
        _("The identity provider is not set up as this server expects it."), _ADMINISTRATOR, 502
    ),
    Reason.CLIENT_REFUSED: Words(
        _("The identity provider does not accept this server's client ID or secret."), _ADMINISTRATOR, 502
    ),
    Reason.CODE_REFUSED: Words(_("This sign-in was used already, or took too long."), _AGAIN),
    Reason.UNVERIFIED: Words(_("What the identity provider sent could not be verified."), _ADMINISTRATOR),
    Reason.GROUPS_ELSEWHERE: Words(
        _("You are in more groups than the identity provider can list for this console."),
        _("Ask whoever manages the identity provider to send only the groups that are assigned to this console."),
    ),
    "state": Words(
        _("This sign-in did not begin in this browser, was used already, or took longer than ten minutes."), _AGAIN
    ),
    "denied": Words(
        _("The identity provider did not let you in, or you canceled there."),
        _("Start again, or ask whoever manages your account at the identity provider."),
    ),
    "no-groups": Words(
        _("You signed in at the identity provider, but none of your groups there opens an organization here."),
        _("Ask an org admin to map one of your groups to a role, or to invite you."),
    ),
    "no-email": Words(
        _("The identity provider names no verified email address for you, and you have no account here yet."),
        _("Ask whoever manages your account at the identity provider to enter and verify your email address."),
    ),
    "email-taken": Words(
        _("There is an account with your email address already, and it is not linked to the identity provider."),
        _("Sign in the way you did so far. Then link your account under Your account, Single sign-on."),
    ),
    "other-person": Words(
        _("You signed in at the identity provider as somebody else than here."),
        _("Sign out there and here, then sign in again as one person."),
    ),
    "linked-elsewhere": Words(
        _("This person at the identity provider, or this account, is linked already."),
        _("Remove the other link first: each account is linked to one person."),
    ),
    "not-fresh": Words(
        _("The identity provider did not ask you to prove again that it is you."),
        _("Try again. If it keeps happening, ask whoever runs this server: the provider has to honor max_age."),
    ),
}
