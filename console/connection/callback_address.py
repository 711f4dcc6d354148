"""Where PingOne sends the browser back to."""

from django.conf import settings
from django.urls import reverse


def redirect_uri() -> str:
    """To be registered at the PingOne application, letter by letter."""
    return f"{settings.PUBLIC_URL}{reverse('connect-callback')}"
