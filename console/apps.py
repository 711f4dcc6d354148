from importlib import import_module

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed

        from console.connection.mail import state_changed
        from console.operators.sign_ins import second_factor_refused
        from pingone_integration.connection_states import connection_state_changed

        import_module("console.server.deploy_checks")  # registers them
        authentication_failed.connect(second_factor_refused)
        connection_state_changed.connect(state_changed)
