"""Requests by htmx: whether they want a fragment, by whose will, and the page around it."""

from django.http import HttpRequest


def wants_fragment(request: HttpRequest) -> bool:
    """Return whether htmx puts the answer into a page. A boosted link or the back button wants the whole page."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx and not htmx.boosted and not htmx.history_restore_request)


def is_poll(request: HttpRequest) -> bool:
    """Return whether the page asks by itself, and nobody used it: a poll says in `was` what the page shows."""
    return "was" in request.GET and wants_fragment(request)


def page_of(request: HttpRequest) -> str:
    """Return path and query of the page that the operator sees: for a fragment, of the page around it.

    The browser names that page in a header that anybody can forge. Only our own origin counts: no open redirect.
    """
    htmx = getattr(request, "htmx", None)
    if not htmx or not wants_fragment(request):
        return request.get_full_path()
    try:
        return str(htmx.current_url_abs_path or "/")
    except ValueError:  # not a URL at all
        return "/"
