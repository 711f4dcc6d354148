"""The authorization server as a Django app beside the directory it signs people on from."""

from django.apps import AppConfig


class OAuthConfig(AppConfig):
    name = "pingone_integration.sandbox.oauth"
    label = "sandbox_oauth"
    default_auto_field = "django.db.models.BigAutoField"
