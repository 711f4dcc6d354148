"""`make audit`: secrets in the files of the repository, and the words for what pip-audit answers."""

import json
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.support import secrets_in_tree
from tests.support.secrets_in_tree import secrets_in, secrets_in_repository
from tests.support.vulnerabilities import NOT_CHECKED, verdict

LETTERS = urlsafe_b64encode(secrets.token_bytes(90)).decode().replace("-", "a").replace("_", "b")  # invented
PRIVATE_KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SIGNED = jwt.encode({"alg": "HS256"}, {"iss": "https://auth.pingone.eu", "exp": 1}, OctKey.import_key(LETTERS))
PLANTED = {
    "private key": PRIVATE_KEY,
    "GitHub": f"ghp_{LETTERS[:36]}",
    "GitLab": f"glpat-{LETTERS[:20]}",
    "npm": f"npm_{LETTERS[:36]}",
    "AWS": f"AKIA{LETTERS[:16].upper()}",
    "Google": f"AIza{LETTERS[:35]}",
    "Slack": f"xoxb-{LETTERS[:24]}",
    "Stripe": f"sk_live_{LETTERS[:24]}",
    "access token": SIGNED,
    "credential key": f"CREDENTIAL_KEYS={Fernet.generate_key().decode()}",
    "secret key": f"SECRET_KEY = '{secrets.token_urlsafe(50)}'",
    "database": f"DATABASE_URL=postgres://console:{LETTERS[:12]}@db.acme.com:5432/console",
    "mail": f"EMAIL_URL='smtp+tls://me%40acme.com:{LETTERS[:16]}@smtp.acme.com:587'",
}
HARMLESS = [
    "SECRET_KEY=",
    "SECRET_KEY=changeme",
    "postgres://user:password@host:5432/console",
    "postgres://console:PASSWORD@127.0.0.1:5432/console",
    'f"postgres://console:{password_of_the_database}@database:5432/console"',
    "smtp+tls://console:a-very-long-one@mail.acme.test:587",
    "eyJ is how a token begins",
    "-----BEGIN PRIVATE KEY----- and no key",
]


@pytest.mark.parametrize("kind", PLANTED)
def test_secret_is_found_and_not_repeated(kind: str) -> None:
    (found,) = secrets_in(f"# a file\n{PLANTED[kind]}\nmore = 1\n")

    assert PLANTED[kind] not in found


@pytest.mark.parametrize("text", HARMLESS)
def test_example_is_no_secret(text: str) -> None:
    assert list(secrets_in(text)) == []


def test_repository_holds_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert secrets_in_repository() == []

    (tmp_path / "notes.md").write_text(PRIVATE_KEY)
    monkeypatch.setattr(secrets_in_tree, "ROOT", tmp_path)
    monkeypatch.setattr(secrets_in_tree, "files", tmp_path.iterdir)
    assert secrets_in_repository() == ["notes.md: a private key"]


FINE = {"name": "django", "version": "5.2.19", "vulns": []}
VULNERABLE = {"name": "httpx", "version": "0.28.1", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["0.28.2"]}]}
UNKNOWN = {"name": "authlib", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "told", "is_safe"),
    [
        ([FINE], "No known vulnerability in 1 locked packages.", True),
        ([FINE, VULNERABLE], "httpx 0.28.1: PYSEC-2026-1, mended in 0.28.2", False),
        (
            [FINE, UNKNOWN],
            "Not checked, because the index does not know them: authlib\nNo known vulnerability in 1 locked packages.",
            True,
        ),
        ([UNKNOWN, UNKNOWN], NOT_CHECKED, True),
    ],
)
def test_vulnerable_package_is_named_with_the_version_that_mends_it(
    packages: list[dict[str, object]], told: str, is_safe: bool
) -> None:
    assert verdict(json.dumps({"dependencies": packages})) == (told, is_safe)


@pytest.mark.parametrize("answer", ["", "error: no network"])
def test_audit_without_an_answer_says_so(answer: str) -> None:
    assert verdict(answer) == (NOT_CHECKED, True)
