"""What htmx asks for: a part of a page, and which page that is."""

from django.http import HttpRequest


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx will put the answer into a page; a boosted link or the back button wants the whole page."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx and not htmx.boosted and not htmx.history_restore_request)


def page_of(request: HttpRequest) -> str:
    """Path and query of the page the person looks at: for a fragment, of the page around it.

    The browser names that page in a header that anybody could have written, so only its own origin counts.
    """
    htmx = getattr(request, "htmx", None)
    if not htmx or not wants_fragment(request):
        return request.get_full_path()
    try:
        return str(htmx.current_url_abs_path or "/")
    except ValueError:  # not a URL at all
        return "/"
