"""Reading the user again after an unknown outcome."""

from uuid import UUID

from django.db import transaction

from console.access import Acting
from console.actions.catalogue import BY_KEY
from console.actions.effect import shows
from console.audit import entries
from console.audit.entries import Outcome, storable
from console.crawls import changes
from console.models import AuditEntry
from console.perform.told import NO_PASSWORD, tell_user
from pingone_integration import users
from pingone_integration.errors import NotFound
from pingone_integration.users import User


def resolve(access: Acting, entry: AuditEntry) -> AuditEntry:
    """Read the user again after an unknown outcome. Close the entry if that shows the outcome; return its latest row.

    Raises a PingOneError if the user cannot be read now.
    """
    return read_back(access, entry) if entry.is_open else entry


def read_back(access: Acting, entry: AuditEntry) -> AuditEntry:
    """Do the same for an entry that nobody runs any more, however young it is. Raises as `resolve`."""
    action = BY_KEY.get(entry.action)
    if action is None or not entry.subject_id:
        return entry
    api = access.pingone()
    try:
        user: User | None = users.get(api, UUID(entry.subject_id))
    except NotFound:
        user = None
    if user and not access.sees(user):  # moved away: as for a user who is gone, this operator learns nothing
        return entry
    inputs = action.inputs_on_record(entry.inputs)
    now = storable(action.observe(api, user, inputs)) or {}
    if action.stamped and action.stamped in (entry.before or {}):
        then, stamp = (entry.before or {})[action.stamped], now.get(action.stamped)
        is_as_expected = stamp not in {then, None}
        # No time at all proves nothing, except where there is nothing to have a time.
        is_as_before = stamp == then and (then is not None or now.get("password") == NO_PASSWORD)
    else:
        expected = storable(action.expected(inputs))
        is_as_expected = bool(expected) and shows(expected or {}, now)
        # An older entry may hold fewer values.
        is_as_before = bool(expected) and entry.before is not None and shows(entry.before, now)
    if not (is_as_expected or is_as_before):
        return entry
    if not is_as_before:
        outcome, note = Outcome.SUCCEEDED, "The user was checked again: it has happened."
    elif is_as_expected:
        outcome, note = Outcome.NO_CHANGE, "The user was checked again: it was so before."
    else:
        outcome, note = Outcome.FAILED, "The user was checked again: it has not happened."
    operator = access.actor.operator
    by = f" Checked by {operator.email}." if operator else ""
    with transaction.atomic():  # the user is told if the entry is closed, also when the process dies in between
        closing = entries.close(entry, outcome, after=now, note=f"{note}{by}", durable=False)
        tell_user(closing, outcome, action.affected(UUID(entry.subject_id), inputs), user, user)
        changes.follow(closing, user)
    return closing
