"""The states of rules and of their effects in words."""

from django.utils.translation import gettext_lazy as _

from console.models import Rule, Work
from pingone_integration.texts import Text

STATES: dict[str, Text] = {Rule.State.OFF: _("Off"), Rule.State.ON: _("On"), Rule.State.STOPPED: _("Stopped")}
STOPS: dict[str, Text] = {
    Rule.Stop.ACCESS: _("The org admin with whose rights it acts has left, or may no longer do this."),
    Rule.Stop.BRAKE: _("It would pass the brake on mass change."),
    Rule.Stop.DEMAND: _("A policy demands more than was met when it was switched on."),
    Rule.Stop.MISTAKE: _("The console failed."),
}
EFFECT_STATES: dict[str, Text] = {
    Work.State.WAITING: _("To come"),
    Work.State.RUNNING: _("Running"),
    Work.State.DONE: _("Done"),
    Work.State.FAILED: _("Failed"),
    Work.State.UNKNOWN: _("Outcome unknown"),
    Work.State.CANCELED: _("Left out"),
}
