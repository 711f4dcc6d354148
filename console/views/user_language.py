"""The choice of a language on the pages for users. It allows no open redirect."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console.access import public_view
from console.user_mails.languages import LANGUAGES, RECOVERY


@public_view(reason="users without an account choose the language of their pages")
@require_POST
def choose_language(request: HttpRequest, org: str) -> HttpResponse:
    """Keep the language in a cookie and return to the page. Any organization does, also one that does not exist."""
    back = request.POST.get("next", "")
    if not back.startswith(RECOVERY) or not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = f"{RECOVERY}{org}/"
    response = HttpResponseRedirect(back)
    language = request.POST.get("language", "")
    if language in LANGUAGES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )
    return response
