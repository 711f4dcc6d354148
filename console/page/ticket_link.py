"""The link to a ticket in the organization's ticket system."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models.ticket_links import ticket_url
from console.page.icons import icon_svg


def link_to_ticket(template: str, ticket: str) -> SafeString:
    """Return the link beside a ticket, which the page shows anyway, or "" without a ticket system.

    `template` is the organization's: the address of a ticket with a place for its number.
    """
    url = ticket_url(template, ticket)
    if not url:
        return SafeString()
    return format_html(
        '<a class="ticket-link" href="{url}" target="_blank" rel="noopener noreferrer" aria-label="{label}" '
        'title="{label}">{icon}</a>',
        url=url,
        label=format_lazy(_("Open ticket {ticket} in a new tab"), ticket=ticket),
        icon=icon_svg("external-link"),
    )
