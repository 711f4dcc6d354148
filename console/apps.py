from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed
        from django.db.models.signals import post_save

        from console.connection.mail import state_changed
        from console.operators.sign_ins import second_factor_refused
        from pingone_integration.models import ConnectionEvent

        authentication_failed.connect(second_factor_refused)
        post_save.connect(state_changed, sender=ConnectionEvent)
