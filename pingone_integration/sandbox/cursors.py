"""Opaque cursors: signed, and good only with the access token and for the list they were made for."""

from typing import Any
from uuid import UUID

from django.core import signing

from pingone_integration.sandbox import errors

SALT = "sandbox.cursor"


def seal(token_id: UUID, listing: str, position: Any) -> str:
    """`listing` names the list with its filter; `position` is JSON."""
    return signing.dumps([str(token_id), listing, position], salt=SALT, compress=True)


def unseal(cursor: str, token_id: UUID, listing: str) -> Any:
    """Raises INVALID_DATA for a cursor of another token or list, and for one that was made up."""
    try:
        owner, of, position = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError):
        owner, of, position = "", "", None
    if owner != str(token_id) or of != listing:
        raise errors.invalid_data(errors.detail("INVALID_VALUE", "cursor", "The cursor is not valid any more."))
    return position
