"""Key rotation (`rotate_credentials`) includes the second factors of operators."""

from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from console.models import Operator, Organization
from pingone_integration.models import Connection

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_key_rotation_includes_second_factors(org_admin: Operator, settings: Any) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.CREDENTIAL_KEYS = [old]
    Connection.objects.update(sealed_client_secret="", sealed_access_token="", sealed_refresh_token="")
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    settings.CREDENTIAL_KEYS = [new, old]

    call_command("rotate_credentials")

    settings.CREDENTIAL_KEYS = [new]
    assert get_adapter().decrypt(Authenticator.objects.get().data["secret"]) == "JBSWY3DPEHPK3PXP"
    call_command("rotate_credentials")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=r"Second factor of admin@acme\.test: totp: Their key is not among"):
        call_command("rotate_credentials")


def test_key_rotation_lists_everything_that_cannot_be_opened(
    org_admin: Operator, acme: Organization, settings: Any
) -> None:
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError) as caught:
        call_command("rotate_credentials")

    told = str(caught.value)
    assert told.startswith("Secrets that cannot be opened, not changed: 4\n")
    assert f"Connection {acme.connection.pk}: sealed_client_secret" in told
    assert "Second factor of admin@acme.test: totp" in told
