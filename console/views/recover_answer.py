"""PingOne's code and the new password in one form, for servers without mail: the worker relays them."""

from django.http import HttpRequest, HttpResponse

from console.models import RecoveryAttempt
from console.recovery import attempts
from console.recovery.answer_pages import show_answer
from console.recovery.entrance import attempt_view, resume
from console.recovery.forms import AnswerForm


@attempt_view
def recovery_answer(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Keep the answer for the worker. The page answers at once, and the same for everybody."""
    form = AnswerForm(request.POST)
    if not attempt.by_pingone or attempt.step != RecoveryAttempt.Step.CODE:
        return resume(attempt)
    if not form.is_valid():
        return show_answer(request, attempt, form, status=422)
    attempts.answer(attempt, form.cleaned_data["code"], form.cleaned_data["new_password"])
    return resume(attempt)
