"""A passkey in software: it registers, and signs what a page asks, with or without having verified its user."""

import hashlib
import json
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from console.models import Operator

SITE = "testserver"
FLAG = AuthenticatorData.FLAG


class Passkey:
    """A passkey that its operator may sign in with."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.id = b"a passkey of sixteen or more bytes"
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = AttestedCredentialData.create(b"\0" * 16, self.id, ES256.from_cryptography_key(self.key.public_key()))
        signed = AuthenticatorData.create(_site(), FLAG.UP | FLAG.UV | FLAG.AT, 0, bytes(public))
        made = AttestationObject.create("none", signed, {})
        client = CollectedClientData.create("webauthn.create", b"\0" * 32, f"http://{SITE}")
        response = {"clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(bytes(made))}
        self.added = WebAuthn.add(
            operator, "Laptop", self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}
        ).instance.pk

    def sign(self, challenge: str, *, verified: bool) -> str:
        """Return the form's value; `verified`: whether the operator gave a fingerprint or PIN."""
        client = CollectedClientData.create("webauthn.get", challenge, f"http://{SITE}")
        data = AuthenticatorData.create(_site(), FLAG.UP | FLAG.UV if verified else FLAG.UP, 1)
        signature = self.key.sign(bytes(data) + client.hash, ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(bytes(data)),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(user_pk_to_url_str(self.operator).encode()),
        }
        return json.dumps(self._credential(response))

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "response": response,
        }


def _site() -> bytes:
    return hashlib.sha256(SITE.encode()).digest()
