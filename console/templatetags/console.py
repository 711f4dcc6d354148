"""The console's own template tags."""

from datetime import UTC, datetime
from uuid import uuid4

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models.ticket_links import ticket_url
from console.page.icons import icon_svg
from console.page.user_agents import browser_name
from pingone_integration.texts import Text

register = template.Library()
register.filter(browser_name)

VALUE = _("value")


@register.simple_tag
def icon(name: str) -> SafeString:
    """Render `{% icon "users" %}`: an icon of static/vendor/tabler-icons."""
    return icon_svg(name)


@register.simple_tag
def new_submission() -> str:
    """Return the idempotency key of a form: sending the same form again has no second effect."""
    return str(uuid4())


@register.simple_tag
def when(moment: datetime | None, missing: Text = "—", *, exact: bool = False) -> SafeString:
    """Render `{% when user.created_at %}`: in the reader's time zone, with the exact UTC time on hover.

    `missing` is the text if there is no time, for example `_("Never")`. `exact` adds seconds and the time zone.
    """
    if moment is None:
        return format_html('<span class="text-secondary">{}</span>', missing)
    utc, local = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}", timezone.localtime(moment)
    # Not by date_format, which is slow: a list has a time in every row.
    shown = f"{local.day} {MONTHS_3[local.month].title()} {local.year:04}, {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.replace(" ", "T") + "Z",
        utc,
        f"{shown}{local::%S} {_zone(local)}" if exact else shown,
    )


def _zone(local: datetime) -> str:
    """Return the abbreviation of the time zone, or its offset from UTC if it has none."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


@register.simple_tag(takes_context=True)
def ticket_link(context: Context, ticket: str) -> SafeString:
    """Render `{% ticket_link entry.ticket %}`: a link to the ticket in the organization's ticket system, if it has one.

    It stands beside the ticket, which the page shows anyway.
    """
    url = ticket_url(context["org"].ticket_link, ticket)
    if not url:
        return SafeString()
    return format_html(
        '<a class="ticket-link" href="{url}" target="_blank" rel="noopener noreferrer" aria-label="{label}" '
        'title="{label}">{icon}</a>',
        url=url,
        label=format_lazy(_("Open ticket {ticket} in a new tab"), ticket=ticket),
        icon=icon_svg("external-link"),
    )


@register.simple_tag
def copyable(value: object, label: Text = VALUE) -> SafeString:
    """Render `{% copyable user.id _("user ID") %}`: the value with a copy button, which needs JavaScript."""
    if value is None or value == "":
        return format_html('<span class="text-secondary">{}</span>', "—")
    return format_html(
        '<span class="copyable"><code>{value}</code>'
        '<button type="button" class="copy-button" data-copy="{value}" aria-label="{copy}" title="{copy}">'
        "{idle}{done}</button></span>",
        value=value,
        copy=format_lazy(_("Copy {label}"), label=label),
        idle=icon_svg("copy"),
        done=icon_svg("check"),
    )
