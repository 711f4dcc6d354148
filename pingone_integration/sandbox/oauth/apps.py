"""The authorization server as a Django app beside the directory it signs people on from."""

import os

from django.apps import AppConfig


class OAuthConfig(AppConfig):
    name = "pingone_integration.sandbox.oauth"
    label = "sandbox_oauth"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Authlib wants https, but for loopback. A stand-in in a container is reached by another name, without TLS."""
        os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
