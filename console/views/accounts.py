"""The allauth pages that the console closes."""

from django.http import Http404, HttpRequest, HttpResponse

from console.access import public_view


@public_view(reason="there is nothing behind it")
def closed(request: HttpRequest, key: str = "") -> HttpResponse:
    raise Http404("This console has no such page.")
