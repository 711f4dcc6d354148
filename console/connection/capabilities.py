"""The capabilities of a connection: a verdict for each of the console's actions, without trying any."""

from dataclasses import dataclass
from enum import StrEnum

from console.actions.catalogue import ACTIONS
from console.connection.checks import advice_of
from pingone_integration.checks import BY_KEY, Finding, State, Subject, finding_of, run
from pingone_integration.checks.rights import CHANGERS, READERS, granting
from pingone_integration.connection.role_assignments import Held
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text


class Verdict(StrEnum):
    CAN = "can"
    CANNOT = "cannot"
    CANNOT_TELL = "cannot-tell"

    @property
    def label(self) -> str:
        return {Verdict.CAN: "Yes", Verdict.CANNOT: "No", Verdict.CANNOT_TELL: "Cannot tell"}[self]


@dataclass(frozen=True)
class _Row:
    action: Text  # as on its button
    permission: str  # PingOne's
    role: str  # a role in PingOne that has it


@dataclass(frozen=True, kw_only=True)
class Capability(_Row):
    """A row with its verdict: whether the administrator's roles allow the action, why, and how to fix it."""

    verdict: Verdict
    because: str
    fix: str = ""


_READS = tuple(_Row(name, "dir:read:user", READERS) for name in ("Get user", "List users"))
_ACTIONS = tuple(_Row(action.name, action.pingone_permission, CHANGERS) for action in ACTIONS)
_CALL_API = _Row("Call API", "that of the endpoint", f"{CHANGERS} for users, groups and populations")


def capabilities(subject: Subject) -> list[Capability]:
    """Return a row for each read, each action of the catalogue, and Call API.

    Read the same as the checks: the managed environment, one user, and the administrator's roles.
    """
    environment = run(BY_KEY["managed-environment"], subject).finding
    if environment.kind:  # it cannot be read, so nothing inside it can be read
        verdict = _verdict(environment)
        rows = (*_READS, *_ACTIONS, _CALL_API)
        return [_capability(row, verdict, environment.text, advice_of(environment)) for row in rows]
    reading, held = run(BY_KEY["read-users"], subject).finding, _held(subject)
    about_calls = "Any endpoint of the environment can be called; the administrator's roles decide about each."
    return [
        *(_read(row, reading) for row in _READS),
        *(_change(row, held) for row in _ACTIONS),
        _capability(_CALL_API, Verdict.CAN, about_calls),
    ]


def _read(row: _Row, finding: Finding) -> Capability:
    because = "Users have just been read." if finding.state == State.PASSED else finding.text
    return _capability(row, _verdict(finding), because, advice_of(finding))


def _change(row: _Row, held: Held | Finding | None) -> Capability:
    if isinstance(held, Finding):
        return _capability(row, Verdict.CANNOT_TELL, held.text, advice_of(held))
    if held is None:
        because = "PingOne does not show the administrator who connected which roles they hold, and nothing is tried."
        return _capability(row, Verdict.CANNOT_TELL, because, "Look at that administrator's roles in PingOne.")
    roles = f"Roles held: {', '.join(sorted(held.roles)) or 'none on this environment'}."
    allowed = held.allows(row.permission)
    if allowed is None:
        because = f"{roles} There may be others that PingOne does not show."
        return _capability(row, Verdict.CANNOT_TELL, because, "Look at that administrator's roles in PingOne.")
    if not allowed:
        return _capability(row, Verdict.CANNOT, f"{row.permission} is missing. {roles}", granting(CHANGERS))
    if row.permission in held.in_populations:
        return _capability(row, Verdict.CAN, f"Only for users of some populations. {roles}", granting(CHANGERS))
    return _capability(row, Verdict.CAN, roles)


def _capability(row: _Row, verdict: Verdict, because: str, fix: str = "") -> Capability:
    return Capability(row.action, row.permission, row.role, verdict=verdict, because=because, fix=fix)


def _verdict(finding: Finding) -> Verdict:
    if finding.state in {State.PASSED, State.WARNING}:
        return Verdict.CAN
    return Verdict.CANNOT if finding.state == State.FAILED else Verdict.CANNOT_TELL


def _held(subject: Subject) -> Held | Finding | None:
    """Return the roles, or a finding if PingOne did not answer, or None if it does not show them."""
    try:
        return subject.held
    except PingOneError as error:
        return finding_of(error)
