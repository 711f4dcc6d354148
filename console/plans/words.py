"""The states of runs and steps in words."""

from django.utils.translation import gettext_lazy as _

from console.models import PlanRun, PlanRunStep
from pingone_integration.texts import Text

STATES: dict[str, Text] = {
    PlanRun.State.SCHEDULED: _("Scheduled"),
    PlanRun.State.RUNNING: _("Running"),
    PlanRun.State.WAITING: _("Waiting"),
    PlanRun.State.STOPPED: _("Stopped"),
    PlanRun.State.CANCELED: _("Canceled"),
    PlanRun.State.FINISHED: _("Finished"),
}
STOPS: dict[str, Text] = {
    PlanRun.Stop.FAILED: _("A step did not succeed."),
    PlanRun.Stop.NOT_FINISHED: _("Not finished: some access is left."),
    PlanRun.Stop.PERSON_CHANGED: _("They are no longer as the plan left them."),
    PlanRun.Stop.ACCESS: _("The operator who started it has left, or may no longer do this. An org admin decides."),
    PlanRun.Stop.LATE: _("Its time is past, and what it gives may not be wanted anymore."),
    PlanRun.Stop.BY_HAND: _("Someone has to do this step on the user's page."),
    PlanRun.Stop.UNKNOWN: _("It is unknown whether a step has happened. Look at the user first."),
    PlanRun.Stop.MISTAKE: _("The console failed."),
}
STEP_STATES: dict[str, Text] = {
    PlanRunStep.State.TO_COME: _("To come"),
    PlanRunStep.State.STARTED: _("Running"),
    PlanRunStep.State.DONE: _("Done"),
    PlanRunStep.State.NO_CHANGE: _("Was so already"),
    PlanRunStep.State.LEFT_OUT: _("Left out"),
    PlanRunStep.State.REFUSED: _("Refused"),
    PlanRunStep.State.FAILED: _("Failed"),
    PlanRunStep.State.UNKNOWN: _("Outcome unknown"),
}
