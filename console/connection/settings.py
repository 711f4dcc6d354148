"""Changes of a connection by its org admins: store the settings, end the connection, and record both."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from console.access import OrgAccess
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry
from pingone_integration.connection import authorization, credentials, grants
from pingone_integration.connection.credentials import Credentials
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection


def change_settings(
    access: OrgAccess, entered: Credentials, *, new_secret: str | None = None, source_address: str
) -> PingOneError | None:
    """Store and record the settings, and end a connection of another application, Auth URL or environment.

    All of it is saved, or nothing. Then the ended tokens are revoked at PingOne: return why PingOne did not confirm
    that, or None if it did or nothing had to end. `new_secret` None keeps the stored secret. Raises InvalidApiUrl.
    """
    connection = access.org.connection
    before = _settings_of(connection)
    with transaction.atomic():
        ended = credentials.store(connection, entered, client_secret=new_secret)
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
    return _unconfirmed(lambda: grants.revoke(ended)) if ended else None


def end_access(connection: Connection) -> PingOneError | None:
    """Erase the tokens here in any case. Return why PingOne did not confirm the revocation, or None if it did."""
    return _unconfirmed(lambda: authorization.disconnect(connection))


def _unconfirmed(end: Callable[[], None]) -> PingOneError | None:
    try:
        end()
    except PingOneError as error:
        return error
    return None


def record_event(access: OrgAccess, event: str, *, source_address: str, **more: Any) -> None:
    """Record an event of the organization's connection; `more` is passed to entries.record()."""
    connection = Subject(kind=AuditEntry.Subject.CONNECTION, id=access.org.connection.pk, name=access.org.name)
    entries.record(
        access.org,
        event,
        operator=access.operator,
        subject=connection,
        source_address=source_address,
        **more,
    )


def record_connected(access: OrgAccess, *, environment_before: str, source_address: str) -> None:
    """Record that an administrator approved, and the managed environment if Connect chose or cleared it."""
    access.org.connection.refresh_from_db()
    before, after = (
        {"managed_environment": name} for name in (environment_before, access.org.connection.managed_environment_name)
    )
    changed = {"before": before, "after": after} if before != after else {}
    record_event(access, "connection.connected", source_address=source_address, **changed)


def _settings_of(connection: Connection) -> dict[str, Any]:
    """Return an org admin's settings without the secret."""
    names = ("client_id", "auth_url", "environment_id", "client_authentication")
    return {name: getattr(connection, name) for name in names}
