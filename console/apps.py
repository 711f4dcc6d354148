from typing import Any

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed
        from django.core.signals import request_finished

        from console.connection.mail import state_changed
        from console.operators.sign_ins import second_factor_refused
        from pingone_integration.connection_states import connection_state_changed

        authentication_failed.connect(second_factor_refused)
        connection_state_changed.connect(state_changed)
        request_finished.connect(_end_transaction)


def _end_transaction(**signal: Any) -> None:
    from pingone_integration.calls import transaction_id

    transaction_id.end()
