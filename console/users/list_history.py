"""The user list between its pages: what opens a user at once, and which address leads back to the list."""

from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django_htmx.http import push_url, replace_url

from console.access import ConsoleRequest
from console.fragments import page_of, wants_fragment
from console.users.search_forms import UserSearchForm
from pingone_integration.calls.paging import Page
from pingone_integration.users import User


def only_match(form: UserSearchForm, page: Page[User] | None, cursor: str) -> User | None:
    """Return the user if the search text matches nobody else."""
    if page is None or cursor or page.next_cursor or len(page.items) != 1 or not form.criteria.text:
        return None
    return page.items[0]


def is_entered(request: ConsoleRequest) -> bool:
    """Return whether the search is entered, not still being typed. A link counts, so that a ticket system can make it.

    `show=list` keeps the list, for the way back from the user's page.
    """
    return "entered" in request.GET if wants_fragment(request) else request.GET.get("show") != "list"


def in_history(request: ConsoleRequest, url: str, response: HttpResponse) -> HttpResponse:
    """Update the address bar: further typing replaces the last history entry, any other change adds an entry."""
    before = QueryDict(urlsplit(page_of(request)).query)
    after = QueryDict(urlsplit(url).query)
    typed_on = before.get("q") and after.get("q") and _filters_of(before) == _filters_of(after)
    return replace_url(response, url) if typed_on or before == after else push_url(response, url)


def _filters_of(query: QueryDict) -> dict[str, object]:
    return {name: value for name, value in query.items() if name not in {"q", "show"}}
