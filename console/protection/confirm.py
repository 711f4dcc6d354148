"""Who may act on a protected target, and what they have to show for it."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting
from console.actions.demands import Demand
from console.protection.why import Protection, Why
from pingone_integration.texts import Text

DEMANDS = frozenset({Demand.REASON, Demand.FRESH_SIGN_IN})

_ASK = _("{why} Ask an org admin.")
_NOBODY = _("{why} Someone else has to connect before this is possible.")
_CONFIRM = _("{why} You have to enter a reason and to have signed in within the last five minutes.")
_TRY_AGAIN = _("{why} Nothing was changed. Try again in a moment.")


def beforehand(access: Acting, found: Protection, *, is_remedy: bool = False) -> Text:
    """Return what the form of an action says of a protected user before it is sent."""
    return refusal(access, found, is_remedy=is_remedy) or format_lazy(_CONFIRM, why=found.sentence)


def refusal(access: Acting, found: Protection, *, is_remedy: bool = False) -> Text:
    """Return why this operator cannot do it at all, or "" if they can by meeting the DEMANDS."""
    if found.why is Why.UNDECIDED:
        return format_lazy(_TRY_AGAIN, why=found.sentence)
    if found.why is Why.CONNECTION and not is_remedy:
        return format_lazy(_NOBODY, why=found.sentence)
    return "" if access.is_org_admin else format_lazy(_ASK, why=found.sentence)
