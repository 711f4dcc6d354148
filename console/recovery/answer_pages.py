"""The pages of PingOne's own code: its form, and the wait for what came of it."""

from django.http import HttpRequest, HttpResponse

from console.models import RecoveryAttempt
from console.recovery import attempts
from console.recovery.entrance import show
from console.recovery.forms import AnswerForm
from console.work import presence


def show_answer(request: HttpRequest, attempt: RecoveryAttempt, form: AnswerForm, *, status: int = 200) -> HttpResponse:
    """Show the form. After an answer that PingOne did not take, it says so without saying why: for a decoy as well."""
    return show(
        request,
        attempt.organization,
        "answer",
        attempt=attempt,
        form=form,
        is_over=attempts.is_code_over(attempt),
        was_refused=attempt.answered_at is not None and not form.is_bound,
        may_ask_again=attempt.asked_again < attempts.AGAIN_AT_MOST,
        worker_runs=presence.is_running(),
        status=status,
    )


def show_trying(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    return show(request, attempt.organization, "trying", attempt=attempt, worker_runs=presence.is_running())
