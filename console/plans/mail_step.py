"""The email of a plan's step: written and on record in one transaction with the step, so that it goes out once."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import PlanRun, PlanRunStep
from console.outbox import emails
from console.plans.definition import MANAGER, PERSON, MailStep
from console.plans.manager import NoManager, manager_of
from console.plans.placeholders import filled_in
from console.plans.record import record
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text, english
from pingone_integration.users import User

_WORTH_FOR = timedelta(days=3)
_NO_ADDRESS = _("There is no email address.")

State = PlanRunStep.State


def write_mail(run: PlanRun, row: PlanRunStep, step: MailStep, user: User, api: PingOneApi) -> None:
    """Write the email, or leave the step out if there is nobody to write to.

    Raises PingOneErrors of the look for a manager.
    """
    manager, why_none = _manager(run, step, user, api)
    if why_none and step.to == MANAGER:
        _store(row, State.LEFT_OUT, why_none)
        return
    to = {PERSON: user.email, MANAGER: manager.email if manager else ""}.get(step.to, step.to)
    named = manager.display_name if manager else ""
    with transaction.atomic():
        if not emails.is_address(to):
            _store(row, State.LEFT_OUT, _NO_ADDRESS)
            return
        subject, text = (filled_in(one, user, run.organization, manager=named) for one in (step.subject, step.text))
        emails.write(to=to, subject=subject, body=text, about=f"plan {run.pk}", worth_for=_WORTH_FOR, may_repeat=False)
        record(run, "plan.emailed", None, inputs={"to": to, "subject": subject, "step": row.number})
        _store(row, State.DONE)


def _manager(run: PlanRun, step: MailStep, user: User, api: PingOneApi) -> tuple[User | None, Text]:
    """Return the manager if the email needs them, or why there is none."""
    if step.to != MANAGER and "{manager}" not in step.subject + step.text:
        return None, ""
    try:
        return manager_of(run.organization, api, user), ""
    except NoManager as nobody:
        return None, nobody.reason


def _store(row: PlanRunStep, state: PlanRunStep.State, detail: Text = "") -> None:
    row.state, row.detail, row.reached_at = state, english(detail), timezone.now()
    row.save(update_fields=["state", "detail", "reached_at"])
