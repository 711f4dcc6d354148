"""Passwords that are known from breaches, by a file on this server: no part of a password leaves it.

The file is that of Have I Been Pwned's downloader, ordered by hash: a line for each password, with its SHA-1 in
hexadecimal and how often it was seen (`HASH:COUNT`). Forty gigabytes are looked up by binary search.
"""

import re
from hashlib import sha1
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext_lazy as _

_LINE = re.compile(rb"[0-9A-Fa-f]{40}(:\d+)?\r?\n?")


def check_breached_passwords(path: str) -> str:
    """Return the path, or "" for no file. Raises ImproperlyConfigured."""
    if not path:
        return ""
    if not Path(path).is_absolute():
        raise ImproperlyConfigured("BREACHED_PASSWORDS must be the absolute path of a file")
    try:
        with Path(path).open("rb") as file:
            lines = [file.readline(100) for _line in range(100)]
    except OSError as error:
        raise ImproperlyConfigured(f"BREACHED_PASSWORDS cannot be read: {error}") from None
    hashes = [line[:40].upper() for line in lines if line]
    if not hashes or hashes != sorted(hashes) or not all(_LINE.fullmatch(line) for line in lines if line):
        raise ImproperlyConfigured("BREACHED_PASSWORDS must have lines HASH:COUNT, ordered by hash")
    return path


def refuse_breached(password: str) -> None:
    """Raise ValidationError if the password is in the file of BREACHED_PASSWORDS."""
    if settings.BREACHED_PASSWORDS and is_listed(Path(settings.BREACHED_PASSWORDS), password):
        raise ValidationError(
            _("This password was in a data breach, so attackers try it. Choose another one."), code="password_breached"
        )


def is_listed(path: Path, password: str) -> bool:
    wanted = sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, path.stat().st_size
        while low < high:  # `low` is where a line begins; the lines before it are smaller
            middle = (low + high) // 2
            file.seek(max(low, middle - 1))
            if middle > low:
                file.readline()  # to the first line that begins at `middle` or later
            found = file.readline()[:40].upper()
            if found == wanted:
                return True
            if found and found < wanted:
                low = file.tell()
            else:
                high = middle
    return False
