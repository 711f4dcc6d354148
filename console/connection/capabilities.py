"""The capabilities of a connection: a verdict for each of the console's actions, without trying any."""

from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import ACTIONS
from console.connection.checks import advice_of
from pingone_integration.checks import BY_KEY, Finding, State, Subject, finding_of, run
from pingone_integration.checks.model import sentences
from pingone_integration.checks.rights import CHANGERS, READERS, granting, roles_held
from pingone_integration.connection.role_assignments import Held
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text


class Verdict(StrEnum):
    CAN = "can"
    CANNOT = "cannot"
    CANNOT_TELL = "cannot-tell"

    @property
    def label(self) -> Text:
        return _LOOKS[self][0]

    @property
    def icon(self) -> str:
        return _LOOKS[self][1]

    @property
    def tone(self) -> str:
        """Return Tabler's name of the color."""
        return _LOOKS[self][2]


_LOOKS: dict[Verdict, tuple[Text, str, str]] = {  # label, icon, tone
    Verdict.CAN: (_("Yes"), "circle-check", "success"),
    Verdict.CANNOT: (_("No"), "alert-circle", "danger"),
    Verdict.CANNOT_TELL: (_("Unknown"), "info-circle", "secondary"),
}


@dataclass(frozen=True)
class _Row:
    action: Text  # as on its button
    permission: str  # PingOne's; empty if it depends on the endpoint
    role: Text  # a role in PingOne that has it


@dataclass(frozen=True, kw_only=True)
class Capability(_Row):
    """A row with its verdict: whether the administrator's roles allow the action, why, and how to fix it."""

    verdict: Verdict
    because: Text
    fix: Text = ""


_READS = tuple(_Row(name, "dir:read:user", READERS) for name in (_("Get user"), _("List users")))
_ACTIONS = tuple(_Row(action.name, action.pingone_permission, CHANGERS) for action in ACTIONS)
_CALL_API = _Row(_("Call API"), "", format_lazy(_("{role} for users, groups and populations"), role=CHANGERS))
_CHECK_ROLES = _("Check that administrator's roles in PingOne.")


def capabilities(subject: Subject) -> list[Capability]:
    """Return a row for each read, each action of the catalogue, and Call API.

    Read the same as the checks: the managed environment, one user, and the administrator's roles.
    """
    environment = run(BY_KEY["managed-environment"], subject).finding
    if environment.kind:  # it cannot be read, so nothing inside it can be read
        verdict = _verdict(environment)
        rows = (*_READS, *_ACTIONS, _CALL_API)
        told = (_capability(row, verdict, environment.text, advice_of(environment)) for row in rows)
        return [_proven(one, subject) for one in told]
    reading, held = run(BY_KEY["read-users"], subject).finding, _held(subject)
    about_calls = _("Any endpoint of the environment can be called. The administrator's roles decide what is allowed.")
    return [
        *(_read(row, reading) for row in _READS),
        *(_proven(_change(row, held), subject) for row in _ACTIONS),
        _capability(_CALL_API, Verdict.CAN, about_calls),
    ]


def _proven(capability: Capability, subject: Subject) -> Capability:
    """Return the capability by the console's own record, if PingOne's answers do not show it."""
    if capability.verdict != Verdict.CANNOT_TELL or not capability.permission:
        return capability
    worked = subject.evidence(capability.permission)
    return replace(capability, verdict=Verdict.CAN, because=worked, fix="") if worked else capability


def _read(row: _Row, finding: Finding) -> Capability:
    because = _("Users can be read.") if finding.state == State.PASSED else finding.text
    return _capability(row, _verdict(finding), because, advice_of(finding))


def _change(row: _Row, held: Held | Finding | None) -> Capability:
    if isinstance(held, Finding):
        return _capability(row, Verdict.CANNOT_TELL, held.text, advice_of(held))
    if held is None:
        hidden = _("PingOne does not show which roles the administrator who connected has.")
        return _capability(row, Verdict.CANNOT_TELL, hidden, _CHECK_ROLES)
    roles = roles_held(held)
    allowed = held.allows(row.permission)
    if allowed is None:
        because = sentences(roles, _("There may be more roles that PingOne does not show."))
        return _capability(row, Verdict.CANNOT_TELL, because, _CHECK_ROLES)
    if not allowed:
        missing = format_lazy(_("Missing: {permissions}."), permissions=row.permission)
        return _capability(row, Verdict.CANNOT, sentences(missing, roles), granting(CHANGERS))
    if row.permission in held.in_populations:
        because = sentences(_("Only for users in some populations."), roles)
        return _capability(row, Verdict.CAN, because, granting(CHANGERS))
    return _capability(row, Verdict.CAN, roles)


def _capability(row: _Row, verdict: Verdict, because: Text, fix: Text = "") -> Capability:
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
