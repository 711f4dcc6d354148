"""The pages of the device in addition to the mailbox, and of an attempt that ended."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from console.models import RecoveryAttempt
from console.recovery import attempts, devices, steps
from console.recovery.entrance import show, show_unreachable
from console.recovery.forms import DeviceCodeForm
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text

Step = RecoveryAttempt.Step


def show_device(
    request: HttpRequest,
    attempt: RecoveryAttempt,
    *,
    form: DeviceCodeForm | None = None,
    problem: Text = "",
    status: int = 200,
) -> HttpResponse:
    """Show the devices, or the form for the code of the chosen one."""
    organization, problems = attempt.organization, [problem] if problem else []
    if attempts.is_proof_over(attempt):
        return show(request, organization, "over", attempt=attempt)
    try:
        found = choices_of(attempt)
    except PingOneError:
        return show_unreachable(request, attempt)
    attempt.refresh_from_db(fields=["step", "stop"])
    if attempt.step != Step.DEVICE:
        return show_over(request, attempt)
    if device := next((one for one in found if one.id == attempt.device_id), None):
        context: dict[str, Any] = {"form": form or DeviceCodeForm(), "device": device}
        return show(request, organization, "device_code", attempt=attempt, problems=problems, status=status, **context)
    return show(request, organization, "device", attempt=attempt, devices=found, problems=problems, status=status)


def choices_of(attempt: RecoveryAttempt) -> list[devices.Choice]:
    account = steps.account_of(attempt)
    return devices.choices(attempt, account) if account else []


def show_over(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    """Show that an attempt has ended. Once the mailbox is proven, the page says if a device was missing."""
    if attempt.user_id and attempt.stop in {RecoveryAttempt.Stop.NEEDS_DEVICE, RecoveryAttempt.Stop.DEVICE_CODES}:
        too_many = attempt.stop == RecoveryAttempt.Stop.DEVICE_CODES
        return show(request, attempt.organization, "no_device", attempt=attempt, too_many=too_many)
    is_acting = attempt.step == Step.ACTING
    return show(request, attempt.organization, "over", attempt=attempt, is_acting=is_acting)
