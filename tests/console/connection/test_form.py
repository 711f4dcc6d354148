"""The connection form: it accepts pasted addresses and explains each mistake at its field."""

from uuid import UUID

import pytest

from console.connection.forms import ConnectionForm, understand_place
from pingone_integration.connection.credentials import Credentials
from pingone_integration.models import Connection

ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
OTHER = UUID("9e8d7c6b-5a49-4838-a726-1504f3e2d1c0")
EU = "https://auth.pingone.eu"
GOOD = {
    "client_id": "7c6b5a49-3f2e-4d1c-8b0a-9f8e7d6c5b4a",
    "client_secret": "s3cret~with.marks-_",
    "auth_url": EU,
    "environment_id": str(ENVIRONMENT),
    "client_authentication": "client_secret_basic",
}


def typed(**changes: str) -> ConnectionForm:
    return ConnectionForm({**GOOD, **changes}, connection=Connection())


def test_fields_have_the_labels_of_pingone() -> None:
    labels = [field.label for field in ConnectionForm(connection=Connection())]

    assert labels[:5] == ["Client ID", "Client secret", "Auth URL", "Environment ID", "Client authentication method"]


def test_valid_form_returns_credentials() -> None:
    form = typed()

    assert form.is_valid(), form.errors
    assert form.credentials == Credentials(
        client_id=GOOD["client_id"],
        auth_url=EU,
        environment_id=ENVIRONMENT,
        client_authentication=Connection.ClientAuthentication.BASIC,
    )


@pytest.mark.parametrize(
    ("auth_url", "environment_id"),
    [
        (EU, str(ENVIRONMENT)),
        ("auth.pingone.eu/", str(ENVIRONMENT).upper()),
        (f"{EU}/{ENVIRONMENT}/as", ""),
        (f"{EU}/{ENVIRONMENT}/as/.well-known/openid-configuration", ""),
        (f"{EU}/{ENVIRONMENT}/as", str(ENVIRONMENT)),
        ("", f"{EU}/{ENVIRONMENT}/as"),
        (EU, f"{EU}/{ENVIRONMENT}/as"),
        ("", f" auth.pingone.eu/{ENVIRONMENT} "),
    ],
)
def test_issuer_in_either_field_fills_both(auth_url, environment_id) -> None:
    form = typed(auth_url=auth_url, environment_id=environment_id)

    assert form.is_valid(), form.errors
    assert (form.credentials.auth_url, form.credentials.environment_id) == (EU, ENVIRONMENT)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"client_id": ""}, "client_id", "Enter the Client ID"),
        ({"client_id": "short"}, "client_id", "usually a UUID"),
        ({"client_id": "my console app"}, "client_id", "usually a UUID"),
        ({"client_id": "https://auth.pingone.eu"}, "client_id", "usually a UUID"),
        ({"client_id": str(ENVIRONMENT).upper()}, "client_id", "This is the Environment ID"),
        ({"client_secret": ""}, "client_secret", "Enter the client secret"),
        ({"client_secret": "two words"}, "client_secret", "no spaces"),
        ({"client_secret": "sécret"}, "client_secret", "no spaces and no accented letters"),
        ({"auth_url": ""}, "auth_url", "Enter the Auth URL"),
        ({"auth_url": "https://auth.pingone.de"}, "auth_url", "https://auth.pingone.com.au (Australia)"),
        ({"auth_url": "https://api.pingone.eu"}, "auth_url", "is the management API"),
        (
            {"auth_url": "https://console.pingone.eu/?env=x"},
            "auth_url",
            "of the same region is https://auth.pingone.eu",
        ),
        ({"environment_id": ""}, "environment_id", "Enter the Environment ID"),
        ({"environment_id": "Production"}, "environment_id", "is a UUID"),
        ({"environment_id": f"{EU}/as"}, "environment_id", "no Environment ID in this URL"),
        ({"environment_id": f"auth.pingone.ca/{ENVIRONMENT}"}, "environment_id", "but the Auth URL is"),
        ({"auth_url": f"{EU}/{OTHER}/as"}, "environment_id", f"is for the environment {OTHER}"),
        ({"client_authentication": "none"}, "client_authentication", "valid choice"),
    ],
)
def test_mistake_is_explained_at_its_field(changes, field, sentence) -> None:
    form = typed(**changes)

    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert sentence in " ".join(map(str, form.errors[field]))


def test_client_id_of_an_imported_application_need_not_be_a_uuid() -> None:
    form = typed(client_id=" 'legacy-console' ")

    assert form.is_valid(), form.errors
    assert form.credentials.client_id == "legacy-console"


@pytest.mark.parametrize("known", ["stored", "pending"])
def test_empty_secret_keeps_the_known_secret(known) -> None:
    connection = Connection(sealed_client_secret="sealed" if known == "stored" else "")
    form = ConnectionForm({**GOOD, "client_secret": ""}, connection=connection, secret_is_pending=known == "pending")

    assert form.is_valid(), form.errors


def test_secret_is_never_rendered() -> None:
    page = typed(auth_url="nonsense").as_div()

    assert GOOD["client_secret"] not in page
    assert GOOD["client_id"] in page


def test_auth_url_is_understood_without_a_valid_environment_id() -> None:
    place = understand_place("https://auth.pingone.eu", "not yet")

    assert place.auth_url == EU
    assert place.environment_id is None
    assert list(place.mistakes) == ["environment_id"]
