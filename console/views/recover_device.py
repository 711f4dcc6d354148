"""The device in addition to the mailbox, as a step of recovery: choose one, then enter its code."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from console.models import RecoveryAttempt
from console.recovery import attempts, devices, steps
from console.recovery.device_pages import choices_of, show_device
from console.recovery.entrance import attempt_view, resume, show_unreachable
from console.recovery.forms import DeviceCodeForm, only_value
from pingone_integration.errors import PingOneError
from pingone_integration.values import identifier

Step = RecoveryAttempt.Step


@attempt_view
def recovery_device(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Let a device ask for its code; without `device`, choose another one."""
    if attempt.step != Step.DEVICE or attempts.is_proof_over(attempt):
        return resume(attempt)
    chosen = identifier(only_value(request.POST, "device"))
    if chosen is None:
        attempts.choose_device(attempt, None, None)
        return resume(attempt)
    try:
        found = next((one for one in choices_of(attempt) if one.id == chosen), None)
        if found is None or devices.ask(attempt, found):
            return resume(attempt)
    except PingOneError:
        return show_unreachable(request, attempt)
    told = _("This device cannot be asked for a code now. Choose another one, or call the helpdesk.")
    return show_device(request, attempt, problem=told, status=422)


@attempt_view
def recovery_device_code(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Check the code of the device that the row names."""
    form = DeviceCodeForm(request.POST)
    if attempt.step != Step.DEVICE or attempts.is_proof_over(attempt):
        return resume(attempt)
    if not form.is_valid():
        return show_device(request, attempt, form=form, status=422)
    try:
        if steps.account_of(attempt) is None or devices.check(attempt, form.cleaned_data["code"]):
            return resume(attempt)
    except PingOneError:
        return show_unreachable(request, attempt)
    form.add_error("code", _("This code is not right, or it is no longer valid."))
    return show_device(request, attempt, form=form, status=422)
