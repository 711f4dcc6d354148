"""The allauth pages that the console closes, or opens only to a fresh sign-in."""

from typing import Any

from allauth.usersessions.views import list_usersessions
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.access import ConsoleRequest, operator_view, public_view
from console.sessions.fresh import demanded_first


@public_view(reason="there is nothing behind it")
def closed(request: HttpRequest, key: str = "") -> HttpResponse:
    raise Http404("This console has no such page.")


@operator_view
def sessions(request: ConsoleRequest) -> HttpResponse:
    """Show the operator's sessions (GET), or end the others (POST), which takes a fresh sign-in."""
    if first := demanded_first(request):
        return redirect(first)
    answer: Any = list_usersessions(request)
    return answer  # type: ignore[no-any-return]
