"""The check that Django's SECRET_KEY is random."""

import re
import zlib

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 50
_MAKE_ONE = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
_PLACEHOLDER = re.compile(r"change.?me|example|insecure|only.for|placeholder|secret.?key", re.IGNORECASE)


def check_secret_key(key: str) -> None:
    """Raise ImproperlyConfigured for a missing, short or example key, with the command that makes a good key."""
    if len(key) < SHORTEST:
        raise ImproperlyConfigured(f"SECRET_KEY must be at least {SHORTEST} random characters. {_MAKE_ONE}")
    # Repetition compresses, but 50 random characters never to less than 40 bytes, not even digits alone.
    if _PLACEHOLDER.search(key) or len(zlib.compress(key.encode(), 9)) < 40:
        raise ImproperlyConfigured(f"SECRET_KEY is an example or made up, not random. {_MAKE_ONE}")
