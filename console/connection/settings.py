"""Changes of an organization's connection by its org admins: settings stored, access ended, all of it on record."""

from typing import Any

from console.access import OrgAccess
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry
from pingone_integration.connection import authorization, credentials
from pingone_integration.connection.credentials import Credentials
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection


def change_settings(
    access: OrgAccess, entered: Credentials, *, new_secret: str | None = None, source_address: str
) -> PingOneError | None:
    """Store and put on record what is good; an access that belongs to another application or place ends first.

    Return why PingOne did not confirm that end. None: it did, or nothing had to end. `new_secret` None keeps the
    stored one. Raises InvalidApiUrl.
    """
    connection = access.org.connection
    before = _settings_of(connection)
    unconfirmed = end_access(connection) if credentials.would_end_access(connection, entered) else None
    credentials.store(connection, entered, client_secret=new_secret)
    after = _settings_of(connection)
    if before != after or new_secret:
        replaced = {"client_secret_replaced": bool(new_secret)}
        record_event(
            access,
            "connection.settings-changed",
            source_address=source_address,
            before=before,
            after=after,
            inputs=replaced,
        )
    return unconfirmed


def end_access(connection: Connection) -> PingOneError | None:
    """Erase the tokens here. Return why PingOne did not confirm that it revoked them: no reason to keep them."""
    try:
        authorization.disconnect(connection)
    except PingOneError as error:
        return error
    return None


def record_event(access: OrgAccess, event: str, *, source_address: str, **more: Any) -> None:
    """Put an event of the organization's connection into the audit log; `more` as entries.record() takes it."""
    connection = Subject(kind=AuditEntry.Subject.CONNECTION, id=access.org.connection.pk, name=access.org.name)
    entries.record(
        access.org,
        event,
        operator=access.operator,
        subject=connection,
        source_address=source_address,
        **more,
    )


def _settings_of(connection: Connection) -> dict[str, Any]:
    """What an org admin enters, without the secret."""
    names = ("client_id", "auth_url", "environment_id", "client_authentication")
    return {name: getattr(connection, name) for name in names}
