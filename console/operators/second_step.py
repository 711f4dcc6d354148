"""The second step of signing in, which asks for a second factor."""

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from console.sessions import single_sign_on


class SecondStep(AuthenticateStage):  # type: ignore[misc]
    def _should_handle(self, request: HttpRequest) -> bool:
        """Skip it if the provider has just asked for a second factor that counts here."""
        if self.login.user is not None and single_sign_on.has_second_factor(request, self.login.user):
            return False
        return bool(super()._should_handle(request))
