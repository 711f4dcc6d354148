"""Emails about runs: to the org admins and the starter when one stops and asks, and before a user is deleted."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Operator, PlanRun
from console.outbox import emails
from console.outbox.emails import one_line
from console.plans.words import STOPS
from console.user_mails.tell import harmless
from pingone_integration.texts import Text

_NEWS_FOR = timedelta(days=3)
_STOPPED = _("{organization}: “{plan}” for {person} has stopped and asks")
_DELETES = _("{organization}: {person} will be deleted")


def stopped(run: PlanRun) -> None:
    """Tell the org admins and the starter that a run asks a person, and what for."""
    _send(run, _STOPPED, {"why": STOPS[PlanRun.Stop(run.stop)], "detail": harmless(run.stop_detail)})


def deletion_announced(run: PlanRun) -> None:
    """Tell them three days before a user is deleted."""
    _send(run, _DELETES, {"is_deletion": True})


def _to(run: PlanRun) -> Iterable[Operator]:
    admins = {admin.pk: admin for admin in run.organization.org_admins()}
    still_there = run.organization.operators.filter(pk=run.starter_id, is_active=True)
    return (admins | {starter.pk: starter for starter in still_there}).values()


def _send(run: PlanRun, subject: Text, more: dict[str, object]) -> None:
    names = {
        "organization": one_line(run.organization.name),
        "plan": one_line(run.plan_name),
        "person": harmless(run.person_name) or str(run.person_id or ""),
    }
    address = settings.PUBLIC_URL + reverse("plan-run", args=[run.organization.slug, run.pk])
    context = names | {"starter": run.starter.email, "url": address} | more
    for operator in _to(run):
        emails.write(
            to=operator.email,
            subject=str(format_lazy(str(subject), **names)),
            body=render_to_string("console/email/plan.txt", context),
            about=f"plan {run.pk}",
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
