"""The limits of an action that depend on the operator: how long it may last, and whether it needs a reason.

`perform` checks them on every way in. The forms only tell them beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Acting, Permission
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one operator may do with an action."""

    longest: timedelta | None = None  # from now to the input `until`; None: without a limit
    within: Text = ""  # the same in words
    needs_reason: bool = False

    def problem_with(self, inputs: Mapping[str, Any], reason: str) -> Text:
        """Return why the action cannot run with these inputs and this reason, or "" if it can."""
        if self.longest and inputs["until"] > timezone.now() + self.longest:
            return self.within
        return _("Enter a reason.") if self.needs_reason and not reason.strip() else ""


NO_LIMITS = Limits()


def none(access: Acting) -> Limits:
    return NO_LIMITS


def of_lock(access: Acting) -> Limits:
    return Limits(longest=timedelta(days=366), within=_("Choose a time within a year from now."))


def of_bypass(access: Acting) -> Limits:
    """Return the limits of an MFA bypass. Operators who may not switch MFA off get a short one, with a reason."""
    if access.allows(Permission.SWITCH_MFA):
        return Limits(longest=timedelta(days=7), within=_("Choose a time within 7 days from now."))
    return Limits(longest=timedelta(hours=24), within=_("Choose a time within 24 hours from now."), needs_reason=True)
