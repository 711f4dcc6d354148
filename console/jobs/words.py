"""What pages, files and commands say of jobs and their rows."""

from django.utils.translation import gettext_lazy as _

from console.models import Job, JobRow
from pingone_integration.texts import Text

STATES: dict[str, Text] = {
    Job.State.DRAFT: _("Being stored"),
    Job.State.READING: _("Preview is being made"),
    Job.State.PREVIEWED: _("Preview"),
    Job.State.RUNNING: _("Running"),
    Job.State.PAUSED: _("Paused"),
    Job.State.WAITING: _("Waiting for approval"),
    Job.State.CANCELED: _("Canceled"),
    Job.State.FINISHED: _("Finished"),
}
PAUSES: dict[str, Text] = {
    Job.Pause.ASKED: _("An operator paused it."),
    Job.Pause.FIRST_ROWS: _("The first rows were tried. Look at them, then resume."),
    Job.Pause.CONNECTION: _("PingOne does not accept the connection anymore. Connect again, then resume."),
    Job.Pause.UNREACHABLE: _("PingOne does not answer. Resume once it does."),
    Job.Pause.FORBIDDEN: _("PingOne refused several rows in a row for want of the same permission."),
    Job.Pause.FAILURES: _("Many rows in a row failed for the same reason."),
    Job.Pause.ACCESS: _(
        "The operator who started it may not do this anymore. They can resume it if they get the right again. "
        "Otherwise, cancel it."
    ),
    Job.Pause.LIMIT: _("The operator's rows of a day are used up."),
    Job.Pause.DEMAND: _("A policy demands more than was met at the start. Resume to meet it."),
    Job.Pause.MISTAKE: _("The console failed. Its log tells more."),
}
PAUSES_OF_PREVIEWS: dict[str, Text] = {  # which the worker takes up again by itself
    Job.Pause.CONNECTION: _("PingOne does not accept the connection anymore. It goes on once somebody connects again."),
    Job.Pause.UNREACHABLE: _("PingOne does not answer. The console tries again every half minute."),
}
VERDICTS: dict[str, Text] = {
    JobRow.Verdict.CREATE: _("Create"),
    JobRow.Verdict.CHANGE: _("Change"),
    JobRow.Verdict.NO_CHANGE: _("No change"),
    JobRow.Verdict.SAME_PERSON: _("Perhaps the same person"),
    JobRow.Verdict.CONFLICT: _("Conflict"),
    JobRow.Verdict.DUPLICATE: _("Duplicate"),
    JobRow.Verdict.NOT_FOUND: _("Not found"),
    JobRow.Verdict.AMBIGUOUS: _("Ambiguous"),
    JobRow.Verdict.NOT_ALLOWED: _("Not allowed"),
    JobRow.Verdict.PROTECTED: _("Protected"),
    JobRow.Verdict.INVALID: _("Invalid"),
}
DECISIONS: dict[str, Text] = {
    "": _("Not decided"),
    JobRow.Decision.CREATE: _("Create a user"),
    JobRow.Decision.LEAVE_OUT: _("Leave out"),
}
OUTCOMES: dict[str, Text] = {
    JobRow.State.NOT_REACHED: _("Not reached"),
    JobRow.State.STARTED: _("Started"),
    JobRow.State.DONE: _("Done"),
    JobRow.State.NO_CHANGE: _("No change"),
    JobRow.State.CONFLICT: _("Changed since the preview"),
    JobRow.State.REFUSED: _("Refused"),
    JobRow.State.FAILED: _("Failed"),
    JobRow.State.UNKNOWN: _("Outcome unknown"),
}
SOURCES: dict[str, Text] = {
    Job.Source.FILE: _("File {label}"),
    Job.Source.SELECTION: _("Users ticked in a list"),
    Job.Source.SEARCH: _("Search: {label}"),
    Job.Source.GROUP: _("Members of {label}"),
    Job.Source.POPULATION: _("Users in {label}"),
    Job.Source.INACTIVE: _("Inactive users: {label}"),
    Job.Source.UNDO: _("Undo of a job"),
}
