"""Account recovery by users themselves, below /recover/<org>/. One address shows where somebody is on the way."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from console.models import Organization, RecoveryAttempt
from console.page.user_agents import browser_name
from console.recovery import attempts, codes, steps
from console.recovery.answer_pages import show_answer, show_trying
from console.recovery.device_pages import show_device, show_over
from console.recovery.entrance import (
    attempt_of,
    attempt_view,
    beginning_view,
    recovery_view,
    resume,
    show,
    show_unreachable,
)
from console.recovery.forms import AnswerForm, CodeForm, PasswordForm, WhoForm, only_value
from console.source_address import source_address
from console.work import presence
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text, english

Step, Choice = RecoveryAttempt.Step, RecoveryAttempt.Choice


@recovery_view
@require_safe
def recover(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Show where this browser is on the way: it resumes there after a closed tab."""
    attempt = attempt_of(request, organization)
    if attempt is None:
        return show(request, organization, "who", form=WhoForm())
    if attempts.is_trying(attempt):
        return show_trying(request, attempt)
    match attempt.step:
        case Step.CODE if attempt.by_pingone:
            return show_answer(request, attempt, AnswerForm())
        case Step.CODE:
            return _show_code(request, attempt, CodeForm())
        case Step.DEVICE:
            return show_device(request, attempt)
        case Step.PROVEN:
            return _show_choice(request, attempt, PasswordForm())
        case Step.DONE:
            return _show_done(request, attempt)
    return show_over(request, attempt)


@beginning_view
def start_recovery(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Write an attempt, and call nobody. The answer is the same, whatever is true of the text."""
    form = WhoForm(request.POST)
    if not form.is_valid():
        return show(request, organization, "who", form=form, status=422)
    _attempt, key = attempts.begin(
        organization,
        form.cleaned_data["who"] if only_value(request.POST, "who") is not None else "",
        source_address=source_address(request),
        browser=english(browser_name(request.headers.get("User-Agent", ""))),
        language=get_language() or "",
    )
    response = redirect("recover", organization.slug)
    response.set_cookie(
        settings.RECOVERY_COOKIE_NAME,
        key,
        max_age=int(attempts.LIVES_FOR.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SERVED_OVER_TLS,
    )
    return response


@attempt_view
def recovery_code(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Check the code. PingOne is not asked: no wrong code can lock anybody's password."""
    form = CodeForm(request.POST)
    if attempt.by_pingone:
        return resume(attempt)
    if not form.is_valid() or attempt.step != Step.CODE:
        return _show_code(request, attempt, form, status=422) if attempt.step == Step.CODE else resume(attempt)
    if codes.check(attempt, form.cleaned_data["code"]):
        steps.proven(attempt)
        return resume(attempt)
    attempt.refresh_from_db()
    if attempt.step == Step.CODE and attempt.tries < attempts.TRIES:
        form.add_error("code", _("This code is not right, or it is no longer valid."))
    return _show_code(request, attempt, form, status=422)


@attempt_view
def send_recovery_code_again(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    attempts.ask_again(attempt)
    return resume(attempt)


@attempt_view
def restart_recovery(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Begin anew, by another way. The code that is out keeps working where it was asked for, and that is here."""
    attempts.end(RecoveryAttempt.objects.filter(pk=attempt.pk), RecoveryAttempt.Stop.RESTARTED)
    response = resume(attempt)
    response.delete_cookie(settings.RECOVERY_COOKIE_NAME, samesite="Lax")
    return response


@attempt_view
def recovery_choice(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Write the choice into the row. "Unlock only" is done at once, a new password has a form."""
    choice = only_value(request.POST, "choice") or ""
    if choice not in {*Choice.values, ""} or not attempts.choose(attempt, choice):
        return resume(attempt)
    return _act(request, attempt, PasswordForm()) if choice == Choice.UNLOCK else resume(attempt)


@attempt_view
def recovery_password(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Set the new password, if that is what the row says was chosen."""
    form = PasswordForm(request.POST)
    if attempt.step != Step.PROVEN or attempt.choice != Choice.PASSWORD:
        return resume(attempt)
    if not form.is_valid():
        return _show_choice(request, attempt, form, status=422)
    return _act(request, attempt, form, form.cleaned_data["new_password"])


def _act(request: HttpRequest, attempt: RecoveryAttempt, form: PasswordForm, new_password: str = "") -> HttpResponse:
    organization = attempt.organization
    try:
        account = steps.account_of(attempt)
    except PingOneError:
        return show_unreachable(request, attempt)
    if account is None:
        return resume(attempt)
    failed = steps.act(attempt, account, source_address=source_address(request), new_password=new_password)
    if failed is None or not failed.problems:
        return resume(attempt)
    for problem in failed.problems if new_password else ():
        form.add_error("new_password", str(problem))
    attempt.refresh_from_db()
    attempt.organization = organization
    problems = () if new_password else failed.problems
    return _show_choice(request, attempt, form, account=account, problems=problems, status=422)


def _show_code(request: HttpRequest, attempt: RecoveryAttempt, form: CodeForm, *, status: int = 200) -> HttpResponse:
    is_over = attempts.is_code_over(attempt)
    return show(
        request,
        attempt.organization,
        "code",
        attempt=attempt,
        form=form,
        is_over=is_over,
        may_ask_again=attempt.asked_again < attempts.AGAIN_AT_MOST,
        worker_runs=presence.is_running(),
        status=status,
    )


def _show_choice(
    request: HttpRequest,
    attempt: RecoveryAttempt,
    form: PasswordForm,
    *,
    account: steps.Account | None = None,
    problems: Iterable[Text] = (),
    status: int = 200,
) -> HttpResponse:
    if attempts.is_proof_over(attempt):
        return show(request, attempt.organization, "over", attempt=attempt)
    try:
        account = account or steps.account_of(attempt)
    except PingOneError:
        return show_unreachable(request, attempt)
    if account is None:
        return show(request, attempt.organization, "over", attempt=attempt)
    template = "password" if attempt.choice == Choice.PASSWORD else "choice"
    context: dict[str, Any] = {"attempt": attempt, "form": form, "account": account, "problems": problems}
    return show(request, attempt.organization, template, status=status, **context)


def _show_done(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    done = [steps.DONE[key] for key in attempt.done if key in steps.DONE]
    left = [steps.LEFT[key] for key in attempt.left if key in steps.LEFT]
    return show(request, attempt.organization, "done", attempt=attempt, done=done, left=left)
