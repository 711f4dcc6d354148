"""The console's own template tags."""

from uuid import uuid4

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.page.icons import icon_svg
from console.page.moments import when
from console.page.ticket_link import link_to_ticket
from console.page.user_agents import browser_name
from pingone_integration.texts import Text

register = template.Library()
register.filter(browser_name)
register.simple_tag(when)

VALUE = _("value")


@register.simple_tag
def icon(name: str) -> SafeString:
    """Render `{% icon "users" %}`: an icon of static/vendor/tabler-icons, or of our own."""
    return icon_svg(name)


@register.simple_tag
def new_submission() -> str:
    """Return the idempotency key of a form: sending the same form again has no second effect."""
    return str(uuid4())


@register.simple_tag(takes_context=True)
def ticket_link(context: Context, ticket: str) -> SafeString:
    """Render `{% ticket_link entry.ticket %}`: a link to the ticket, if the organization has a ticket system."""
    return link_to_ticket(context["org"].ticket_link, ticket)


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
