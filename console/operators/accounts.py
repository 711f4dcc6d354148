"""How operators' accounts differ from allauth's defaults."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from console.models import Operator
from console.operators import sign_ins
from console.source_address import source_address
from pingone_integration.sealing import seal, unseal

SECOND_FACTORS = "second-factors"  # the place that these secrets are sealed for


def set_password_link(operator: Operator) -> str:
    """A link by which `operator` chooses a password, good once and for PASSWORD_RESET_TIMEOUT."""
    key = default_token_generator.make_token(operator)
    address = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(operator), key])
    return f"{settings.PUBLIC_URL}{address}"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: an org admin or the bootstrap command makes operators."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """After signing in or out, people stay here: allauth would also follow to every trusted host."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """With the host of PUBLIC_URL: the one in the request was written by whoever asked."""
        uid, _, token = key.partition("-")
        return f"{settings.PUBLIC_URL}{reverse('account_reset_password_from_key', args=[uid, token])}"

    def get_client_ip(self, request: HttpRequest) -> str:
        """Failed sign-ins are counted by it; where the server listens on a Unix socket, for everybody together."""
        return source_address(request) or "0.0.0.0"  # noqa: S104 - nothing listens here

    def login(self, request: HttpRequest, user: Operator) -> None:
        super().login(request, user)
        sign_ins.signed_in(request, user)

    def logout(self, request: HttpRequest) -> None:
        operator = request.user
        super().logout(request)
        if isinstance(operator, Operator):
            sign_ins.signed_out(request, operator)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_ins.refused(request, str(credentials.get("email", "")))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors are secrets at rest like any other."""

    def encrypt(self, text: str) -> str:
        return seal(SECOND_FACTORS, text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(SECOND_FACTORS, encrypted_text)
