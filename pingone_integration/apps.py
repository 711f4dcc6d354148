from django.apps import AppConfig


class PingOneIntegrationConfig(AppConfig):
    name = "pingone_integration"
