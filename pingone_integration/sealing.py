"""Encryption at rest: secrets sealed with the newest key, opened with any key, bound to their place."""

import json
from base64 import urlsafe_b64decode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pingone_integration.errors import SealBroken

_PRINTABLE = range(0x20, 0x7F)

_MAKE_ONE = (
    'Make one: python3 -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"'
)


def check_keys(keys: list[str]) -> None:
    """Raise ImproperlyConfigured unless there is a key, and each looks like 32 random bytes."""
    if not keys:
        raise ImproperlyConfigured(f"CREDENTIAL_KEYS is empty: secrets need a key. {_MAKE_ONE}")
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"CREDENTIAL_KEYS: key {number} is not 32 random bytes in URL-safe base64. {_MAKE_ONE}"
            ) from None
        random_bytes = urlsafe_b64decode(key)
        # Neither happens by chance: of 32 random bytes, about 30 are different and 12 are printable.
        if len(set(random_bytes)) < 16 or all(byte in _PRINTABLE for byte in random_bytes):
            raise ImproperlyConfigured(
                f"CREDENTIAL_KEYS: key {number} is an example or made up, not random. {_MAKE_ONE}"
            )


def seal(place: str, secret: str) -> str:
    """Encrypt `secret` with the newest key, for use at one `place` only, e.g. `<row id>/<column>`."""
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(json.dumps([place, secret]).encode()).decode()


def unseal(place: str, sealed: str) -> str:
    """Decrypt. Raises SealBroken, also for a genuine value that was moved here from another place."""
    try:
        found, secret = json.loads(_fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        raise SealBroken(place) from None
    if found != place:
        raise SealBroken(place, was_moved=True)
    return str(secret)


def reseal(place: str, sealed: str) -> str:
    """Seal the same secret with the newest key. Raises SealBroken."""
    return seal(place, unseal(place, sealed))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
