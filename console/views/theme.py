"""The theme switch: light, dark, or the system's choice. It allows no open redirect."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console.access import public_view
from console.page.themes import THEMES

_A_YEAR = 365 * 24 * 3600


@public_view(reason="the sign-in page has the switch, too")
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Store the theme in a cookie and return to the previous page. For browsers without JavaScript."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            settings.THEME_COOKIE_NAME, theme, max_age=_A_YEAR, samesite="Lax", secure=settings.SERVED_OVER_TLS
        )
    return response
