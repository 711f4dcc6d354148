from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed

        from console.sign_ins import second_factor_refused

        authentication_failed.connect(second_factor_refused)
