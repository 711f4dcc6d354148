"""The sandbox as a Django app: it keeps PingOne's data in its own tables."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "pingone_integration.sandbox"
    label = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
