"""Operators' accounts: the differences from allauth, for example against an open redirect or a forged Host header."""

from datetime import timedelta
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.internal.stagekit import clear_login
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Operator
from console.operators import account_events, sign_ins, way_in
from console.operators.known_browser import remember
from console.operators.sign_in_limits import Attempt
from console.outbox import emails
from console.sessions import fresh, single_sign_on
from console.source_address import source_address
from pingone_integration.sealing import seal, unseal
from pingone_integration.texts import Text

SECOND_FACTORS = "second-factors"  # the place that these secrets are sealed for


def set_password_link(operator: Operator) -> str:
    """Return a link for `operator` to choose a password. It works once, within PASSWORD_RESET_TIMEOUT."""
    key = default_token_generator.make_token(operator)
    address = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(operator), key])
    return f"{settings.PUBLIC_URL}{address}"


def _password_of(operator: Operator) -> str:
    return f"password {operator.pk}"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, Text]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("Your account is deactivated."),
        "email_password_mismatch": _("Wrong email or password."),
        "enter_current_password": _("Enter your current password."),
        "incorrect_code": _("Wrong code."),
        "incorrect_password": _("Wrong password."),
        "too_many_login_attempts": _("Too many failed sign-ins. Try again later."),
        "rate_limited": _("Too many requests. Wait a moment, then try again."),
    }

    _tried = ""  # the address of the sign-in at hand

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Close sign-up: an org admin or the bootstrap command creates operators."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Allow only relative URLs after signing in or out: allauth also allows every trusted host."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Use the host of PUBLIC_URL: the client writes the request's Host header."""
        uid, _dash, token = key.partition("-")
        return f"{settings.PUBLIC_URL}{reverse('account_reset_password_from_key', args=[uid, token])}"

    def format_email_subject(self, subject: str) -> str:
        """Return the subject without allauth's prefix, which is the request's Host header."""
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Leave the email to the worker, so that a known address takes no longer to answer than an unknown one."""
        self._write(template_prefix, context | {"email": email}, to=email)

    def pretend_to_send_link(self, email: str) -> None:
        """Do for an unknown address what is done for a known one, and send nothing: it would answer sooner."""
        nobody = Operator(email=email)
        url = self.get_reset_password_from_key_url(f"{user_pk_to_url_str(nobody)}-{get_random_string(39)}")
        context = {"user": nobody, "password_reset_url": url, "request": self.request, "email": email}
        with transaction.atomic():
            self._write("account/email/password_reset_key", context, to="")  # what was typed may be a password
            emails.withdraw(_password_of(nobody))

    def _write(self, template_prefix: str, context: dict[str, Any], *, to: str) -> None:
        message = self.render_mail(template_prefix, context["email"], context)
        emails.write(
            to=to,
            subject=message.subject,
            body=message.body,
            about=_password_of(context["user"]),
            worth_for=timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
            may_repeat=True,
        )

    def set_password(self, user: Operator, password: str) -> None:
        super().set_password(user, password)
        emails.withdraw(_password_of(user))  # a link in it is dead
        if context.request:
            Attempt.with_password(context.request, user.email.lower()).forget()  # guesses at the old password

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that failed sign-ins are counted by. On a Unix socket, all clients share one."""
        return source_address(request) or "0.0.0.0"  # noqa: S104 - nothing listens here

    def pre_login(self, request: HttpRequest, user: Operator, **login: Any) -> HttpResponse | None:
        """Let nobody in for whom there is nothing behind the door. Every way to sign in passes here."""
        if user.is_active and not way_in.has_way_in(user):
            clear_login(request)
            sign_ins.nowhere_to_go(request, user)
            return self.respond_user_inactive(request, user)
        if user.is_active and single_sign_on.is_demanded(request, user):
            clear_login(request)
            sign_ins.not_by_single_sign_on(request, user)
            return render(request, "console/single_sign_on/start.html", {"is_demanded": True}, status=403)
        response: HttpResponse | None = super().pre_login(request, user, **login)
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Operator) -> HttpResponse:
        """Say which it is: the person has just proven that the account is theirs."""
        context = {"account": user, "is_suspended": user.memberships.exists()}
        return render(request, "account/account_inactive.html", context, status=403)

    def login(self, request: HttpRequest, user: Operator) -> None:
        super().login(request, user)
        emails.withdraw(_password_of(user))  # links to reset the password end with a sign-in
        sign_ins.signed_in(request, user)

    def post_login(self, request: HttpRequest, user: Operator, **options: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **options)
        remember(request, response, user)
        return response

    def get_login_stages(self) -> list[str]:
        """Ask for no second factor of ours after the provider asked for one."""
        stages: list[str] = super().get_login_stages()
        ours = {"allauth.mfa.stages.AuthenticateStage": "console.operators.second_step.SecondStep"}
        return [ours.get(stage, stage) for stage in stages]

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Offer the provider too, and first of all where it vouched for the operator."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.is_authenticated or not single_sign_on.is_linked(user):
            return ways
        told = format_lazy(_("Use {provider}"), provider=settings.OIDC_NAME)
        provider = {"id": "single_sign_on", "description": told, "url": single_sign_on.address()}
        comes_first = context.request is not None and single_sign_on.vouched_for(context.request, user) is not None
        return [provider, *ways] if comes_first or not ways else [*ways, provider]

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Take a fresh proof by the provider for one: allauth knows passwords and second factors only."""
        request = context.request
        if request and single_sign_on.vouched_for(request, request.user) and fresh.is_fresh(request):
            return False
        return bool(super().is_reauthentication_required(app=app, **more))

    def logout(self, request: HttpRequest) -> None:
        operator, never_entered = request.user, sign_ins.not_entered(request)
        super().logout(request)
        if isinstance(operator, Operator):
            sign_ins.signed_out(request, operator, never_entered=never_entered)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Operator | None:
        """Try email and password, unless there were too many failures. Used to sign in, and again later."""
        self._tried = str(credentials.get("email", ""))
        attempt = Attempt.with_password(request, self._tried.lower())
        if not attempt.count():
            raise self.validation_error("too_many_login_attempts")
        operator: Operator | None = super().authenticate(request, **credentials)
        if operator:
            attempt.succeeded()
        return operator

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """Record a throttled try of a password or second factor, which ends with this error."""
        if code == "too_many_login_attempts":
            sign_ins.throttled(self.request, self._tried)
        error: ValidationError = super().validation_error(code, *args)
        return error

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_ins.refused(request, str(credentials.get("email", "")))


class SessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    def end_sessions(self, sessions: list[UserSession]) -> None:
        super().end_sessions(sessions)
        if sessions:
            account_events.sessions_ended(context.request, sessions[0].user, len(sessions))


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors are encrypted at rest, like other secrets."""

    error_messages: ClassVar[dict[str, Text]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("Wrong code."),
    }

    def generate_authenticator_name(self, user: Operator, type: str) -> str:  # noqa: A002 - allauth's name
        """Return the name that a new key has unless the operator types another."""
        before = Authenticator.objects.filter(user=user, type=type).count()
        return str(format_lazy(_("Key {number}"), number=before + 1))

    def encrypt(self, text: str) -> str:
        return seal(SECOND_FACTORS, text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(SECOND_FACTORS, encrypted_text)
