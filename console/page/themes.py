"""The themes of every page: light, dark, or the system's choice."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from pingone_integration.texts import Text

THEMES: dict[str, Text] = {"auto": _("System"), "light": _("Light"), "dark": _("Dark")}


def chosen_theme(request: HttpRequest) -> str:
    """Return the theme from the cookie, so that the server draws the page in the right theme at once."""
    theme = request.COOKIES.get(settings.THEME_COOKIE_NAME, "")
    return theme if theme in THEMES else "auto"
