"""The email to the org admins when a rule has stopped and asks."""

from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Rule
from console.outbox import emails
from console.outbox.emails import one_line
from console.rules.words import STOPS

_NEWS_FOR = timedelta(days=3)
_SUBJECT = _("{organization}: the rule “{rule}” has stopped and asks")


def stopped(rule: Rule) -> None:
    organization = rule.organization
    names = {"organization": one_line(organization.name), "rule": one_line(rule.name)}
    context = names | {
        "why": STOPS[Rule.Stop(rule.stop)],
        "detail": one_line(rule.stop_detail, 2000),
        "url": settings.PUBLIC_URL + reverse("rule", args=[organization.slug, rule.pk]),
    }
    for admin in organization.org_admins():
        emails.write(
            to=admin.email,
            subject=str(format_lazy(str(_SUBJECT), **names)),
            body=render_to_string("console/email/rule.txt", context),
            about=f"rule {rule.pk}",
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
