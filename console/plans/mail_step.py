"""The email of a plan's step: written and on record in one transaction with the step, so that it goes out once."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from console.models import Organization, PlanRun, PlanRunStep
from console.outbox import emails
from console.plans.definition import MANAGER, PERSON, MailStep
from console.plans.manager import NoManager, manager_of
from console.plans.placeholders import RECOVER, filled_in
from console.plans.record import record
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for
from console.user_mails.languages import language_of
from console.user_mails.tell import harmless
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
    to = {PERSON: address_for(run.organization, step, user), MANAGER: manager.email if manager else ""}.get(
        step.to, step.to
    )
    reader = {PERSON: user, MANAGER: manager}.get(step.to)
    named = manager.display_name if manager else ""
    with transaction.atomic():
        if not emails.is_address(to):
            _store(row, State.LEFT_OUT, _NO_ADDRESS)
            return
        with translation.override(language_of(reader) if reader else "en"):
            words = gettext(step.subject), gettext(step.text)  # those of the shipped plans; what others wrote stays
        subject, text = (filled_in(one, user, run.organization, manager=named, told=harmless) for one in words)
        emails.write(to=to, subject=subject, body=text, about=f"plan {run.pk}", worth_for=_WORTH_FOR, may_repeat=False)
        record(run, "plan.emailed", None, inputs={"to": to, "subject": subject, "step": row.number})
        _store(row, State.DONE)


def address_for(organization: Organization, step: MailStep, user: User) -> str:
    """Return the person's email address, or that to which recovery sends its code, if the email leads there."""
    policy = policy_for(organization, user.population_id) if RECOVER in step.text else None
    return (address_of(user, policy) if policy else "") or user.email


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
