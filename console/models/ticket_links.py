"""The links to an organization's tickets: https only, and a ticket cannot lead to another place than a ticket."""

from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

PLACE = "{ticket}"
LONGEST_LINK = 300
_UNSAFE = frozenset("\\\"'<>^`|{} ")


def validate_ticket_link(template: str) -> None:
    """Raise ValidationError for a template that is no https address with the ticket in its path, query or fragment."""
    address = template.replace(PLACE, "")
    if not template.isascii() or not template.isprintable() or not _UNSAFE.isdisjoint(address):
        raise ValidationError(_("Use a plain web address, with {ticket} where the ticket number goes."))
    try:
        parts = urlsplit(template)
        host, port_is_readable = parts.hostname, parts.port is None or parts.port > 0
    except ValueError:
        raise ValidationError(_("This is not a web address.")) from None
    if parts.scheme != "https" or not host or not port_is_readable:
        raise ValidationError(_("Start the link with https:// and the name of a server."))
    if "@" in parts.netloc:
        raise ValidationError(_("Leave the username and password out of the link."))
    if PLACE in parts.netloc or PLACE not in template:
        raise ValidationError(_("Write {ticket} where the ticket number goes, after the name of the server."))
    if _climbs(parts.path):
        raise ValidationError(_("Write the whole path, without “.” or “..”."))


def ticket_url(template: str, ticket: str) -> str:
    """Return the address of a ticket, "" without a template or if the address would not be that of a ticket."""
    if not template or not ticket:
        return ""
    try:
        validate_ticket_link(template)
    except ValidationError:
        return ""
    url = template.replace(PLACE, quote(ticket, safe="", errors="replace"))
    return "" if _climbs(urlsplit(url).path) else url


def _climbs(path: str) -> bool:
    """Return whether a browser would leave out parts of the path: it resolves "." and "..", also percent-encoded."""
    return any(part.lower().replace("%2e", ".") in {".", ".."} for part in path.split("/"))
