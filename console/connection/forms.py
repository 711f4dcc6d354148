"""The forms for the PingOne application's settings. They validate the input without a call to PingOne."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import BooleanField, CharField, ChoiceField, Form, PasswordInput, RadioSelect, TextInput, UUIDField

from pingone_integration.connection.credentials import Credentials, would_end_access
from pingone_integration.connection.regions import parse_auth_url, parse_environment_id
from pingone_integration.errors import InvalidApiUrl
from pingone_integration.models import Connection

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_AS_TYPED = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


@dataclass(frozen=True)
class Place:
    """The Auth URL and Environment ID from either field, as far as they can be understood."""

    auth_url: str | None
    environment_id: UUID | None
    mistakes: dict[str, str] = field(default_factory=dict)  # field name -> what is wrong and what is right


def understand_place(auth_url: str, environment_id: str) -> Place:
    """Parse both fields. A whole issuer or discovery URL in one fills in the other; a contradiction is a mistake."""
    mistakes: dict[str, str] = {}
    base, pasted_id, typed_id = None, None, None
    if _looks_like_an_address(environment_id):
        auth_url, environment_id = auth_url or environment_id, environment_id if auth_url else ""
    if auth_url.strip():
        try:
            understood = parse_auth_url(auth_url)
            base, pasted_id = understood.base, understood.environment_id
        except InvalidApiUrl as wrong:
            mistakes["auth_url"] = str(wrong)
    if environment_id.strip():
        try:
            typed_id = _environment_id_in(environment_id, base)
        except InvalidApiUrl as wrong:
            mistakes["environment_id"] = str(wrong)
    if pasted_id and typed_id and pasted_id != typed_id:
        mistakes["environment_id"] = f"The Auth URL you pasted names the environment {pasted_id}. Keep one of the two."
    return Place(base, typed_id or pasted_id, mistakes)


def _looks_like_an_address(text: str) -> bool:
    return "/" in text.strip().rstrip("/")


def _environment_id_in(text: str, base: str | None) -> UUID:
    """Return the ID. Raises InvalidApiUrl if there is none, or for an issuer of another host than the Auth URL's."""
    if not _looks_like_an_address(text):
        return parse_environment_id(text)
    issuer = parse_auth_url(text)
    if base and issuer.base != base:
        raise InvalidApiUrl(f"This is an address at {issuer.base}, but the Auth URL is {base}.")
    if issuer.environment_id is None:
        raise InvalidApiUrl("There is no Environment ID in this address.")
    return issuer.environment_id


class ConnectionForm(Form):
    """The form of Settings > PingOne. An empty client secret keeps the known secret.

    No field is marked as required: a whole issuer fills two, a secret may be stored, and saving reports the rest.
    """

    client_id = CharField(
        label="Client ID",
        required=False,
        max_length=255,
        widget=TextInput(attrs={**_AS_TYPED, "placeholder": "7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a"}),
        help_text="On the Overview tab of the PingOne application.",
    )
    client_secret = CharField(
        label="Client secret",
        required=False,
        max_length=500,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),  # never rendered with a value
    )
    auth_url = CharField(
        label="Auth URL",
        required=False,
        max_length=1000,
        widget=TextInput(attrs={**_AS_TYPED, "inputmode": "url", "placeholder": "https://auth.pingone.eu"}),
        help_text="Where administrators sign on. The issuer or discovery URL of the PingOne application will do.",
    )
    environment_id = CharField(
        label="Environment ID",
        required=False,
        max_length=1000,
        widget=TextInput(attrs={**_AS_TYPED, "placeholder": "5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711"}),
        help_text="The environment the PingOne application is in, not necessarily the one whose users you manage.",
    )
    client_authentication = ChoiceField(
        label="Client authentication method",
        required=False,
        choices=Connection.ClientAuthentication.choices,
        widget=RadioSelect,
        help_text="As the PingOne application says under Token Auth Method. It accepts exactly one.",
    )

    end_access = BooleanField(label="End the present access and use these settings", required=False)

    def __init__(self, data: Any = None, *, connection: Connection, secret_is_pending: bool = False) -> None:
        """Fill in the stored settings. `secret_is_pending`: a secret of a rejected form is kept for the next try."""
        self.connection = connection
        super().__init__(
            data,
            initial={
                "auth_url": connection.auth_url,
                "environment_id": connection.environment_id or "",
                "client_id": connection.client_id,
                "client_authentication": connection.client_authentication,
            },
        )
        self.secret_is_known = secret_is_pending or bool(connection.sealed_client_secret)
        secret = self.fields["client_secret"]
        secret.widget.attrs["placeholder"] = "stored" if self.secret_is_known else ""
        if secret_is_pending:
            secret.help_text = "Kept from what you typed before. Leave empty to use it."
        elif self.secret_is_known:
            secret.help_text = "Stored. Leave empty to keep it, or type a new one to replace it."
        else:
            secret.help_text = "On the Overview tab of the PingOne application. It is stored encrypted."

    def clean_client_id(self) -> str:
        client_id: str = self.cleaned_data["client_id"].strip("\"'")
        if not client_id:
            raise ValidationError("Enter the Client ID of the PingOne application.")
        if _UUID.fullmatch(client_id):
            return client_id.lower()
        # PingOne API reference, Regions, hosts, paths: imported applications have any string of 8 or more characters.
        if len(client_id) < 8 or not re.fullmatch(r"[!-~]+", client_id) or "://" in client_id:
            raise ValidationError(
                "A Client ID is usually a UUID such as 7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a; only imported "
                "applications have another one, of eight or more characters without spaces."
            )
        return client_id

    def clean_client_authentication(self) -> str:
        return self.cleaned_data["client_authentication"] or Connection.ClientAuthentication.BASIC

    def clean_client_secret(self) -> str:
        secret: str = self.cleaned_data["client_secret"]
        if not secret and not self.secret_is_known:
            raise ValidationError("Enter the client secret of the PingOne application.")
        if not re.fullmatch(r"[!-~]*", secret):
            raise ValidationError(
                "A client secret has no spaces and no letters with accents. Copy it with PingOne's button."
            )
        return secret

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        place = understand_place(data.get("auth_url", ""), data.get("environment_id", ""))
        for name, mistake in place.mistakes.items():
            self.add_error(name, mistake)
        if place.auth_url is None and not self.has_error("auth_url"):
            self.add_error("auth_url", "Enter the Auth URL, for example https://auth.pingone.eu.")
        if place.environment_id is None and not self.has_error("environment_id"):
            self.add_error("environment_id", "Enter the Environment ID. It is also part of the issuer URL.")
        if place.environment_id and data.get("client_id") == str(place.environment_id):
            self.add_error(
                "client_id", "This is the Environment ID. The Client ID is the id of the PingOne application."
            )
        data.update(auth_url=place.auth_url, environment_id=place.environment_id)
        unasked = self.connection.has_grant and not data["end_access"]
        if unasked and not self.errors and would_end_access(self.connection, self.credentials):
            self.add_error(
                "end_access",
                "These settings are those of another application or environment: the present access ends at once, and "
                "nobody can work with users until an administrator approves the new one.",
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

    environment = UUIDField()
