"""The forms for the PingOne application's settings. They validate the input without a call to PingOne."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import BooleanField, ChoiceField, Form, PasswordInput, RadioSelect, TextInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import IdField, TextField
from pingone_integration.connection.credentials import Credentials, would_end_access
from pingone_integration.connection.regions import invalid_url, parse_auth_url, parse_environment_id
from pingone_integration.errors import InvalidApiUrl
from pingone_integration.models import Connection
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean, odd_character

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_AS_TYPED = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


@dataclass(frozen=True)
class Place:
    """The Auth URL and Environment ID from either field, as far as they can be understood."""

    auth_url: str | None
    environment_id: UUID | None
    mistakes: dict[str, Text] = field(default_factory=dict)  # field name -> what is wrong and what is right


def understand_place(auth_url: str, environment_id: str) -> Place:
    """Parse both fields. A whole issuer or discovery URL in one fills in the other; a contradiction is a mistake."""
    mistakes: dict[str, Text] = {}
    auth_url, environment_id = clean(auth_url, Kind.ID), clean(environment_id, Kind.ID)
    base, pasted_id, typed_id = None, None, None
    if _looks_like_an_address(environment_id):
        auth_url, environment_id = auth_url or environment_id, environment_id if auth_url else ""
    if auth_url:
        try:
            understood = parse_auth_url(auth_url)
            base, pasted_id = understood.base, understood.environment_id
        except InvalidApiUrl as wrong:
            mistakes["auth_url"] = wrong.cause
    if environment_id:
        try:
            typed_id = _environment_id_in(environment_id, base)
        except InvalidApiUrl as wrong:
            mistakes["environment_id"] = wrong.cause
    if pasted_id and typed_id and pasted_id != typed_id:
        text = _("The Auth URL you pasted is for the environment {environment}. Keep one of the two.")
        mistakes["environment_id"] = format_lazy(text, environment=pasted_id)
    return Place(base, typed_id or pasted_id, mistakes)


def _looks_like_an_address(text: str) -> bool:
    return "/" in text.rstrip("/")


def _environment_id_in(typed: str, base: str | None) -> UUID:
    """Return the ID. Raises InvalidApiUrl if there is none, or for an issuer of another host than the Auth URL's."""
    if not _looks_like_an_address(typed):
        return parse_environment_id(typed)
    issuer = parse_auth_url(typed)
    if base and issuer.base != base:
        text = _("This URL is at {base}, but the Auth URL is {auth_url}.")
        raise invalid_url(format_lazy(text, base=issuer.base, auth_url=base))
    if issuer.environment_id is None:
        raise invalid_url(_("There is no Environment ID in this URL."))
    return issuer.environment_id


class ConnectionForm(Form):
    """The form of Settings > PingOne. An empty client secret keeps the known secret.

    No field is marked as required: a whole issuer fills two, a secret may be stored, and saving reports the rest.
    """

    client_id = TextField(
        kind=Kind.ID,
        label=_("Client ID"),
        required=False,
        max_length=255,
        widget=TextInput(attrs={**_AS_TYPED, "placeholder": "7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a"}),
        help_text=_("Find it on the Overview tab of the PingOne application."),
    )
    client_secret = TextField(
        kind=Kind.CODE,
        label=_("Client secret"),
        required=False,
        max_length=500,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),  # never rendered with a value
    )
    auth_url = TextField(
        kind=Kind.ID,
        label=_("Auth URL"),
        required=False,
        max_length=1000,
        widget=TextInput(attrs={**_AS_TYPED, "inputmode": "url", "placeholder": "https://auth.pingone.eu"}),
        help_text=_(
            "Where administrators sign in. You can also paste the issuer or discovery URL of the PingOne application."
        ),
    )
    environment_id = TextField(
        kind=Kind.ID,
        label=_("Environment ID"),
        required=False,
        max_length=1000,
        widget=TextInput(attrs={**_AS_TYPED, "placeholder": "5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711"}),
        help_text=_("The environment of the PingOne application. The users you manage may be in another one."),
    )
    client_authentication = ChoiceField(
        label=_("Client authentication method"),
        required=False,
        choices=Connection.ClientAuthentication.choices,
        widget=RadioSelect,
        help_text=_("Choose the Token Auth Method of the PingOne application. It accepts only that one."),
    )

    end_access = BooleanField(label=_("Disconnect and use these settings"), required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        connection: Connection,
        secret_is_pending: bool = False,
        typed: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Fill in the stored settings, or what was `typed` before.

        `secret_is_pending`: a secret of a rejected form is kept for the next try.
        """
        self.connection = connection
        super().__init__(
            data,
            initial={
                "auth_url": connection.auth_url,
                "environment_id": connection.environment_id or "",
                "client_id": connection.client_id,
                "client_authentication": connection.client_authentication,
            }
            | dict(typed),
        )
        self.secret_is_known = secret_is_pending or bool(connection.sealed_client_secret)
        secret = self.fields["client_secret"]
        secret.widget.attrs["placeholder"] = _("stored") if self.secret_is_known else ""
        if secret_is_pending:
            secret.help_text = _("Your last entry is kept. Leave this empty to use it.")
        elif self.secret_is_known:
            secret.help_text = _("Stored. Leave this empty to keep it, or enter a new one to replace it.")
        else:
            secret.help_text = _("Find it on the Overview tab of the PingOne application. It is stored encrypted.")

    def clean_client_id(self) -> str:
        client_id: str = self.cleaned_data["client_id"]
        if not client_id:
            raise ValidationError(_("Enter the Client ID of the PingOne application."))
        if _UUID.fullmatch(client_id):
            return client_id.lower()
        # PingOne API reference, Regions, hosts, paths: imported applications have any string of 8 or more characters.
        odd = odd_character(client_id, r"[!-~]", what=_("The Client ID"))
        if odd or len(client_id) < 8 or "://" in client_id:
            expected = _(
                "A Client ID is usually a UUID, for example 7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a. Only an imported "
                "application has another one: eight or more characters without spaces."
            )
            raise ValidationError(format_lazy("{} {}", odd, expected) if odd else expected)
        return client_id

    def clean_client_authentication(self) -> str:
        return self.cleaned_data["client_authentication"] or Connection.ClientAuthentication.BASIC

    def clean_client_secret(self) -> str:
        secret: str = self.cleaned_data["client_secret"]
        if not secret and not self.secret_is_known:
            raise ValidationError(_("Enter the client secret of the PingOne application."))
        if not re.fullmatch(r"[!-~]*", secret):  # the message shows no part of it
            raise ValidationError(
                _("A client secret has no spaces and no accented letters. Copy it with the copy button in PingOne.")
            )
        return secret

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        place = understand_place(data.get("auth_url", ""), data.get("environment_id", ""))
        for name, mistake in place.mistakes.items():
            self.add_error(name, str(mistake))
        if place.auth_url is None and not self.has_error("auth_url"):
            self.add_error("auth_url", _("Enter the Auth URL, for example https://auth.pingone.eu."))
        if place.environment_id is None and not self.has_error("environment_id"):
            self.add_error("environment_id", _("Enter the Environment ID. It is also part of the issuer URL."))
        if place.environment_id and data.get("client_id") == str(place.environment_id):
            self.add_error(
                "client_id", _("This is the Environment ID. The Client ID is the ID of the PingOne application.")
            )
        data.update(auth_url=place.auth_url, environment_id=place.environment_id)
        unasked = self.connection.has_grant and not data["end_access"]
        if unasked and not self.errors and would_end_access(self.connection, self.credentials):
            self.add_error(
                "end_access",
                _(
                    "These settings belong to another application or environment. The current connection ends "
                    "immediately, and no one can work with users until an administrator approves the new connection."
                ),
            )
        return data

    @property
    def credentials(self) -> Credentials:
        """Return the credentials of a valid form."""
        data = self.cleaned_data
        return Credentials(
            client_id=data["client_id"],
            auth_url=data["auth_url"],
            environment_id=data["environment_id"],
            client_authentication=Connection.ClientAuthentication(data["client_authentication"]),
        )


class EnvironmentForm(Form):
    """The managed environment, chosen among the environments that the administrator sees."""

    environment = IdField()
