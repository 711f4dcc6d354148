"""What a connection can do at PingOne: each of the console's actions, judged without trying any."""

from dataclasses import dataclass
from enum import StrEnum

from console.actions.catalogue import BY_KEY as ACTION_BY_KEY
from console.connection.checks import advice_of
from pingone_integration.checks import BY_KEY, Finding, State, Subject, finding_of, run
from pingone_integration.checks.rights import CHANGERS, READERS, granting
from pingone_integration.connection.role_assignments import Held
from pingone_integration.errors import PingOneError


class Verdict(StrEnum):
    CAN = "can"
    CANNOT = "cannot"
    CANNOT_TELL = "cannot-tell"

    @property
    def label(self) -> str:
        return {Verdict.CAN: "Yes", Verdict.CANNOT: "No", Verdict.CANNOT_TELL: "Cannot tell"}[self]


@dataclass(frozen=True, kw_only=True)
class Capability:
    """One row: an action, whether the administrator's roles allow it, why, what helps, and which role gives it."""

    action: str
    permission: str  # PingOne's
    role: str
    verdict: Verdict
    because: str
    fix: str = ""


@dataclass(frozen=True)
class _Row:
    label: str
    key: str = ""  # in the catalogue; empty for what only reads users

    @property
    def permission(self) -> str:
        return ACTION_BY_KEY[self.key].pingone_permission if self.key else "dir:read:user"


_ROWS = (
    _Row("Create user", "user.create"),
    _Row("Get user"),
    _Row("Update user", "user.update"),
    _Row("List users"),
    _Row("Deactivate user", "user.deactivate"),
    _Row("Activate user", "user.activate"),
    _Row("Unlock user", "user.unlock"),
    _Row("Send password recovery code", "password.send-recovery-code"),
    _Row("Add user to group", "group.add"),
    _Row("Remove user from group", "group.remove"),
)


def capabilities(subject: Subject) -> list[Capability]:
    """Reads what the checks read: the managed environment, one user, and the administrator's roles."""
    environment = run(BY_KEY["managed-environment"], subject).finding
    if environment.kind:  # it cannot be read, and nothing below it either
        verdict = _verdict(environment)
        alike = [_capability(row, verdict, environment.text, advice_of(environment)) for row in _ROWS]
        return [*alike, _call_api(verdict, environment.text, advice_of(environment))]
    reading, held = run(BY_KEY["read-users"], subject).finding, _held(subject)
    about_calls = "Any endpoint of the environment can be called; the administrator's roles decide about each."
    return [
        *(_change(row, held) if row.key else _read(row, reading) for row in _ROWS),
        _call_api(Verdict.CAN, about_calls),
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
    role = CHANGERS if row.key else READERS
    return Capability(action=row.label, permission=row.permission, role=role, verdict=verdict, because=because, fix=fix)


def _call_api(verdict: Verdict, because: str, fix: str = "") -> Capability:
    return Capability(
        action="Call API",
        permission="that of the endpoint",
        role=f"{CHANGERS} for users, groups and populations",
        verdict=verdict,
        because=because,
        fix=fix,
    )


def _verdict(finding: Finding) -> Verdict:
    if finding.state in {State.PASSED, State.WARNING}:
        return Verdict.CAN
    return Verdict.CANNOT if finding.state == State.FAILED else Verdict.CANNOT_TELL


def _held(subject: Subject) -> Held | Finding | None:
    """The roles; a finding where PingOne did not answer; None where it does not show them."""
    try:
        return subject.held
    except PingOneError as error:
        return finding_of(error)
