"""The JSON line of each row in the process log, for a SIEM.

It holds people, IDs, the outcome, and the row's hash, which anchors the hash chain outside this database. It holds no
values of a user's profile.
"""

import json
import logging
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from console.audit.objects import exported_object_of
from console.models import AuditEntry
from console.models.audit import EXPORTED
from pingone_integration.texts import english

logger = logging.getLogger(__name__)

SERVER = "server"  # in place of an organization's ID, in the lines of the server's own chain

# The exported columns that the process log leaves out or renames: free text may say more about people than a name.
_NOT_LOGGED = {"started_at", "reason", "note", "operator_email", "subject_full_name", "subject_email"}


def logged(row: AuditEntry) -> AuditEntry:
    about = exported_object_of(row)
    if about["object_kind"] == "device":
        del about["object_name"]  # a phone number or an address
    line = {name: getattr(row, name) for name in EXPORTED if name not in _NOT_LOGGED} | {
        **about,
        "hash": row.hash,
        "organization": row.organization_id or SERVER,
        "operator": row.operator_email,
        "ids": {name: value for name, value in row.inputs.items() if _is_uuid(value)},
    }
    said = {name: value for name, value in line.items() if value not in ("", None, {})}
    logger.info("%s", json.dumps(said, default=plain))
    return row


def _is_uuid(value: Any) -> bool:
    try:
        return bool(UUID(value)) if isinstance(value, str) else False
    except ValueError:
        return False


def plain(value: Any) -> str:
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC).isoformat()
        except OverflowError:  # the first or last day of time, beyond which UTC would be
            return value.isoformat()
    if isinstance(value, Promise):
        return english(value)
    return value.isoformat() if isinstance(value, date) else str(value)
