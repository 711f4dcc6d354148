"""The authorization server as a Django app, separate from the directory of its users."""

import os

from django.apps import AppConfig


class OAuthConfig(AppConfig):
    name = "pingone_integration.sandbox.oauth"
    label = "sandbox_oauth"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Allow HTTP. Authlib requires HTTPS except on loopback, but a container has another name and no TLS."""
        os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
