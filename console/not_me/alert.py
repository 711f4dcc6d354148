"""The alert for the helpdesk: an email to the org admins about a report, beside the record and the user's page."""

from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import NotMeReport
from console.outbox import emails
from console.user_mails.events import BY_KEY
from console.user_mails.tell import harmless
from pingone_integration.texts import Text

_NEWS_FOR = timedelta(days=3)


def tell_org_admins(report: NotMeReport, note: Text) -> None:
    organization, link = report.organization, report.link
    name, username = emails.one_line(organization.name), harmless(link.username) or str(link.user_id)
    subject = format_lazy(_("{organization}: {user} says this was not them"), organization=name, user=username)
    context = {
        "organization": name,
        "username": username,
        "happened": BY_KEY[link.event].happened,
        "told_at": link.at,
        "sent_to": link.sent_to,
        "locks_until": report.locks_until,
        "note": note,
        "url": settings.PUBLIC_URL + reverse("user", args=[organization.slug, link.user_id]),
    }
    for admin in organization.org_admins():
        emails.write(
            to=admin.email,
            subject=str(subject),
            body=render_to_string("console/email/not_me.txt", context),
            about=f"not me {report.pk}",
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
