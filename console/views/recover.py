"""Account recovery by users themselves, below /recover/<org>/. One address shows where somebody is on the way.

No operator, no session: a cookie of its own holds a random key, whose attempt says user, step and choice. The attempt
is found by the key within the URL's organization, and nowhere else.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from console.access import public_view
from console.models import Organization, RecoveryAttempt
from console.page.user_agents import browser_name
from console.recovery import attempts, codes, steps, throttle
from console.recovery.forms import CodeForm, PasswordForm, WhoForm, only_value
from console.recovery.policy import is_on_anywhere, settings_of
from console.source_address import source_address
from console.work import presence
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text, english

Step, Choice = RecoveryAttempt.Step, RecoveryAttempt.Choice
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Organization, P], HttpResponse]

_open = public_view(reason="people who cannot sign in have no account here")


def recovery_view(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Decorate a page of recovery. "No such organization" and "not switched on" are the same 404.

    A form is counted for the network that sends it.
    """

    @_open
    @wraps(view)
    def entered(request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        organization = Organization.objects.select_related("connection").filter(slug=org).first()
        if organization is None or not is_on_anywhere(organization):
            raise Http404("No such page.")
        if request.method == "POST" and not throttle.allows_form(throttle.network_of(source_address(request))):
            return _show(request, organization, "too_many", status=429)
        return view(request, organization, *args, **kwargs)

    return entered


def attempt_view(view: Callable[[HttpRequest, RecoveryAttempt], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Decorate a form of an attempt that has begun. Without an attempt, it leads to the beginning."""

    @recovery_view
    @require_POST
    @wraps(view)
    def entered(request: HttpRequest, organization: Organization) -> HttpResponse:
        attempt = _attempt_of(request, organization)
        return view(request, attempt) if attempt else redirect("recover", organization.slug)

    return entered


@recovery_view
@require_safe
def recover(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Show where this browser is on the way: it resumes there after a closed tab."""
    attempt = _attempt_of(request, organization)
    if attempt is None:
        return _show(request, organization, "who", form=WhoForm())
    match attempt.step:
        case Step.CODE:
            return _show_code(request, attempt, CodeForm())
        case Step.PROVEN:
            return _show_choice(request, attempt, PasswordForm())
        case Step.DONE:
            return _show_done(request, attempt)
    return _show(request, organization, "over", attempt=attempt, is_acting=attempt.step == Step.ACTING)


@recovery_view
@require_POST
def start_recovery(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Write an attempt, and call nobody. The answer is the same, whatever is true of the text."""
    form = WhoForm(request.POST)
    if not form.is_valid():
        return _show(request, organization, "who", form=form, status=422)
    address = source_address(request)
    if not throttle.allows_start(throttle.network_of(address)):
        return _show(request, organization, "too_many", status=429)
    _attempt, key = attempts.begin(
        organization,
        form.cleaned_data["who"] if only_value(request.POST, "who") is not None else "",
        source_address=address,
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
    if not form.is_valid() or attempt.step != Step.CODE:
        return _show_code(request, attempt, form, status=422) if attempt.step == Step.CODE else _resume(attempt)
    if codes.check(attempt, form.cleaned_data["code"]):
        steps.proven(attempt)
        return _resume(attempt)
    attempt.refresh_from_db()
    if attempt.step == Step.CODE and attempt.tries < attempts.TRIES:
        form.add_error("code", _("This code is not right, or it is no longer valid."))
    return _show_code(request, attempt, form, status=422)


@attempt_view
def send_recovery_code_again(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    attempts.ask_again(attempt)
    return _resume(attempt)


@attempt_view
def restart_recovery(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Begin anew, by another way. The code that is out keeps working where it was asked for, and that is here."""
    attempts.end(RecoveryAttempt.objects.filter(pk=attempt.pk), RecoveryAttempt.Stop.RESTARTED)
    response = _resume(attempt)
    response.delete_cookie(settings.RECOVERY_COOKIE_NAME, samesite="Lax")
    return response


@attempt_view
def recovery_choice(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Write the choice into the row. "Unlock only" is done at once, a new password has a form."""
    choice = only_value(request.POST, "choice") or ""
    if choice not in {*Choice.values, ""} or not attempts.choose(attempt, choice):
        return _resume(attempt)
    return _act(request, attempt, PasswordForm()) if choice == Choice.UNLOCK else _resume(attempt)


@attempt_view
def recovery_password(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Set the new password, if that is what the row says was chosen."""
    form = PasswordForm(request.POST)
    if attempt.step != Step.PROVEN or attempt.choice != Choice.PASSWORD:
        return _resume(attempt)
    if not form.is_valid():
        return _show_choice(request, attempt, form, status=422)
    return _act(request, attempt, form, form.cleaned_data["new_password"])


def _act(request: HttpRequest, attempt: RecoveryAttempt, form: PasswordForm, new_password: str = "") -> HttpResponse:
    organization = attempt.organization
    try:
        account = steps.account_of(attempt)
    except PingOneError:
        return _show_unreachable(request, attempt)
    if account is None:
        return _resume(attempt)
    failed = steps.act(attempt, account, source_address=source_address(request), new_password=new_password)
    if failed is None or not failed.problems:
        return _resume(attempt)
    for problem in failed.problems if new_password else ():
        form.add_error("new_password", str(problem))
    attempt.refresh_from_db()
    attempt.organization = organization
    problems = () if new_password else failed.problems
    return _show_choice(request, attempt, form, account=account, problems=problems, status=422)


def _attempt_of(request: HttpRequest, organization: Organization) -> RecoveryAttempt | None:
    attempt = attempts.current(organization, request.COOKIES.get(settings.RECOVERY_COOKIE_NAME, ""))
    if attempt:
        attempt.organization = organization
    return attempt


def _resume(attempt: RecoveryAttempt) -> HttpResponse:
    return redirect("recover", attempt.organization.slug)


def _show_code(request: HttpRequest, attempt: RecoveryAttempt, form: CodeForm, *, status: int = 200) -> HttpResponse:
    is_over = attempts.is_code_over(attempt)
    return _show(
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
        return _show(request, attempt.organization, "over", attempt=attempt)
    try:
        account = account or steps.account_of(attempt)
    except PingOneError:
        return _show_unreachable(request, attempt)
    if account is None:
        return _show(request, attempt.organization, "over", attempt=attempt)
    template = "password" if attempt.choice == Choice.PASSWORD else "choice"
    context: dict[str, Any] = {"attempt": attempt, "form": form, "account": account, "problems": problems}
    return _show(request, attempt.organization, template, status=status, **context)


def _show_done(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    done = [steps.DONE[key] for key in attempt.done if key in steps.DONE]
    left = [steps.LEFT[key] for key in attempt.left if key in steps.LEFT]
    return _show(request, attempt.organization, "done", attempt=attempt, done=done, left=left)


def _show_unreachable(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    return _show(request, attempt.organization, "unreachable", attempt=attempt, status=503)


def _show(
    request: HttpRequest, organization: Organization, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"organization": organization, "ours": settings_of(organization)}
    return render(request, f"console/recovery/{template}.html", context, status=status)
