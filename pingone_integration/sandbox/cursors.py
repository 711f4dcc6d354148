"""Opaque pagination cursors: signed, and valid only for one access token and one list."""

from typing import Any
from uuid import UUID

from django.core import signing

from pingone_integration.sandbox import errors

SALT = "sandbox.cursor"


def seal(token_id: UUID, listing: str, position: Any) -> str:
    """Return a cursor. `listing` names the list with its filter; `position` is JSON."""
    return signing.dumps([str(token_id), listing, position], salt=SALT, compress=True)


def unseal(cursor: str, token_id: UUID, listing: str) -> Any:
    """Return the position. Raises INVALID_DATA for a forged cursor or another token or list."""
    try:
        owner, of, position = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError):
        owner, of, position = "", "", None
    if owner != str(token_id) or of != listing:
        raise errors.invalid_data(errors.detail("INVALID_VALUE", "cursor", "The cursor is not valid any more."))
    return position
