from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed

        from console.connection.mail import state_changed
        from console.operators.sign_ins import second_factor_refused
        from console.policies.dropped_patterns import tell_after_upgrade
        from pingone_integration.connection_states import connection_state_changed

        post_migrate.connect(tell_after_upgrade, sender=self)
        authentication_failed.connect(second_factor_refused)
        connection_state_changed.connect(state_changed)
