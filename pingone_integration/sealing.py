"""Secrets at rest: sealed with the newest key, opened with any, bound to the place they were sealed for."""

import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pingone_integration.errors import SealBroken


def check_keys(keys: list[str]) -> None:
    """Raises ImproperlyConfigured unless there is at least one key and each is a Fernet key."""
    if not keys:
        raise ImproperlyConfigured("CREDENTIAL_KEYS is empty: the console cannot keep secrets without a key.")
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                "CREDENTIAL_KEYS: each key is 32 random bytes in URL-safe base64, comma separated, newest first."
            ) from None


def seal(place: str, secret: str) -> str:
    """Encrypt `secret` with the newest key, so that it opens only as the same `place`, e.g. `<row id>/<column>`."""
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(json.dumps([place, secret]).encode()).decode()


def unseal(place: str, sealed: str) -> str:
    """Raises SealBroken, also for a genuine value that was moved here from another place."""
    try:
        found, secret = json.loads(_fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(sealed.encode()))
    except (InvalidToken, ValueError):
        raise SealBroken(place) from None
    if found != place:
        raise SealBroken(place)
    return str(secret)


def reseal(place: str, sealed: str) -> str:
    """The same secret, sealed with the newest key. Raises SealBroken."""
    return seal(place, unseal(place, sealed))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
