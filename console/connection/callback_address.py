"""The redirect URI, to which PingOne sends the browser back."""

from django.conf import settings
from django.urls import reverse


def redirect_uri() -> str:
    """Return the URI that must be registered at the PingOne application exactly as it is."""
    return f"{settings.PUBLIC_URL}{reverse('connect-callback')}"
