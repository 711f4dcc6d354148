"""`python -m tests.support.secrets_in_tree`: the files of the repository, searched for secrets that work."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from console.server.secret_key import check_secret_key
from pingone_integration.sealing import check_keys

ROOT = Path(__file__).resolve().parent.parent.parent
SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{32}",
    "a token of GitHub": r"\b(?:gh[opsru]_[A-Za-z0-9]{36}|github_pat_\w{60,})",
    "a token of GitLab": r"\bglpat-[\w-]{20}",
    "a token of a package registry": r"\b(?:pypi-AgEIcHlwaS5vcmc[\w-]{50}|npm_[A-Za-z0-9]{36})",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a key of Google": r"\bAIza[\w-]{35}\b",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{20,}",
    "a key of Stripe": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
}
# A JSON Web Token with a claim of an issuer, an expiry or a subject, signed by whomever.
TOKEN = re.compile(r"\beyJ[\w-]{20,}\.eyJ[\w-]{40,}\.[\w-]{40,}")
PASSWORD_IN_URL = re.compile(r"\b[a-z][a-z+]*://[^\s/:@\"'{}$]+:([^\s/@\"'{}$]{12,})@")
INVENTED_HOSTS = ("127.0.0.1", "localhost", "database", "db", "cache", "host", "proxy", "mail")


def secrets_in(text: str) -> Iterator[str]:
    """Yield what each secret in the text is, never the secret."""
    for what, shape in SHAPES.items():
        if re.search(shape, text):
            yield what
    if TOKEN.search(text):
        yield "a signed token"
    for key in re.findall(r"(?<![\w-])[\w-]{43}=(?![\w=-])", text):
        if _works(check_keys, [key]):
            yield "a key that CREDENTIAL_KEYS would accept"
    for key in re.findall(r"SECRET_KEY\W{1,5}([\w-]{50,})", text):
        if _works(check_secret_key, key):
            yield "a key that SECRET_KEY would accept"
    for found in PASSWORD_IN_URL.finditer(text):
        host = urlsplit(re.split(r"[\s\"'`)]", text[found.start() : found.end() + 80])[0]).hostname or ""
        if host not in INVENTED_HOSTS and not host.endswith((".test", ".example.com")):
            yield "a password in a URL"


def _works(check: Callable[[Any], object], key: object) -> bool:
    try:
        check(key)
    except ImproperlyConfigured:
        return False
    return True


def files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("static/vendor/"):
            yield ROOT / name


def main() -> int:
    found = secrets_in_repository()
    print("\n".join(found) or "No secret in the files of the repository.")
    return 1 if found else 0


def secrets_in_repository() -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {what}" for path in files() for what in secrets_in(path.read_text(errors="ignore"))
    ]


if __name__ == "__main__":
    sys.exit(main())
