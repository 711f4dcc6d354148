from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.account import signals as account
        from allauth.mfa import signals as mfa

        from console.connection.mail import state_changed
        from console.operators import account_events
        from console.operators.sign_ins import second_factor_refused
        from pingone_integration.connection_states import connection_state_changed

        mfa.authentication_failed.connect(second_factor_refused)
        mfa.authenticator_added.connect(account_events.factor_added)
        mfa.authenticator_reset.connect(account_events.factor_added)
        mfa.authenticator_removed.connect(account_events.factor_removed)
        account.password_changed.connect(account_events.password_changed)
        account.password_reset.connect(account_events.password_reset)
        connection_state_changed.connect(state_changed)
