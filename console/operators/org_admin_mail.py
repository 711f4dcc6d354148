"""Emails about who is org admin, to all org admins: one of them alone cannot get rid of the others unnoticed."""

from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Operator, Organization
from console.outbox import emails
from pingone_integration.texts import Text

_NEWS_FOR = timedelta(days=3)
_IS = _("{organization}: {member} is now org admin")
_IS_NO_MORE = _("{organization}: {member} is no longer org admin")
_WHAT: dict[str, Text] = {
    "membership.role-changed": _("changed the role of"),
    "membership.added": _("added"),
    "membership.reactivated": _("reactivated"),
    "membership.suspended": _("suspended"),
    "membership.removed": _("removed"),
}


def tell(organization: Organization, member: Operator, event: str, *, by: str, is_now: bool) -> None:
    """Tell the member, and everybody who is org admin now: also who did it, if it was not them.

    Call it after the change, in its transaction. `by`: an email address, or what changed it.
    """
    names = {"organization": emails.one_line(organization.name), "member": member.email}
    context = names | {
        "by": by,
        "what": _WHAT[event],
        "is_now": is_now,
        "url": settings.PUBLIC_URL + reverse("members", args=[organization.slug]),
    }
    subject = str(format_lazy(_IS if is_now else _IS_NO_MORE, **names))
    for to in sorted({member.email, *organization.org_admins().values_list("email", flat=True)}):
        emails.write(
            to=to,
            subject=subject,
            body=render_to_string("console/email/org_admin.txt", context),
            about=f"org admin {member.pk}",
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
