"""Stored passwords: hashed here, or sent already encoded by a client, such as `{SSHA512}...`.

Source: PingOne API reference, Users > User Passwords > Update Password (Set) (read 2026-11): a value may be
pre-encoded. The sandbox knows the salted SHA family: base64 of the digest and the salt.
"""

import base64
import binascii
import hashlib
import re
from secrets import compare_digest

from django.contrib.auth.hashers import check_password, make_password

from pingone_integration.sandbox import errors

_ENCODED = re.compile(r"\{([A-Z0-9-]+)\}(.+)")
_DIGESTS = {"SSHA": "sha1", "SSHA256": "sha256", "SSHA384": "sha384", "SSHA512": "sha512"}


def is_encoded(value: str) -> bool:
    return _ENCODED.fullmatch(value) is not None


def stored(value: str, target: str) -> str:
    """Return a password as it is stored. Raises INVALID_VALUE for an encoding that cannot be read."""
    if not is_encoded(value):
        return make_password(value)
    if _parts(value) is None:
        raise errors.invalid_value(target, "The encoding of the password is not supported.")
    return value


def matches(password: str, kept: str) -> bool:
    """Return whether `kept`, as `stored` returned it, is this password."""
    parts = _parts(kept)
    if parts is None:
        return check_password(password, kept)
    algorithm, digest, salt = parts
    return compare_digest(hashlib.new(algorithm, password.encode() + salt).digest(), digest)


def _parts(value: str) -> tuple[str, bytes, bytes] | None:
    """Return algorithm, digest and salt, or None if it is not a readable salted digest."""
    found = _ENCODED.fullmatch(value)
    algorithm = _DIGESTS.get(found[1]) if found else None
    if found is None or algorithm is None:
        return None
    try:
        both = base64.b64decode(found[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    size = hashlib.new(algorithm).digest_size
    return (algorithm, both[:size], both[size:]) if len(both) > size else None
