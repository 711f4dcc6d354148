"""Who may do what to whom: one table to read, of roles, populations, protection, actions and ways in.

Everybody gives a reason. `acts`: PingOne gets the write. `asked`: the operator has to sign in again, and then it acts.
A command line has no sign-in, so it ends there. `refused`: not at all; a user outside one's populations as one who does
not exist. Every cell is tried through every way in that the action has.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from console.models import Membership, Operator, Organization
from console.perform import guards
from console.rights.roles import BUILT_IN, FRESH_SIGN_IN, REASON, Rights
from tests.support.answers import ADA, STAFF
from tests.support.record import happened
from tests.support.rights import give
from tests.support.small_environment import SmallEnvironment, browser, call_api, command, send

TABLE = """
Operator        sees the users of   Ada is             deactivate  activate  delete   any API
org admin       all populations     nobody special     acts        acts      acts     acts
org admin       all populations     an administrator   asked       asked     asked    asked
agent           all populations     nobody special     acts        acts      refused  refused
agent           all populations     an administrator   refused     refused   refused  refused
agent           Staff               nobody special     acts        acts      refused  refused
agent           Staff               an administrator   refused     refused   refused  refused
agent           Partners            nobody special     refused     refused   refused  refused
night desk      all populations     nobody special     asked       refused   refused  refused
night desk      Staff               nobody special     asked       refused   refused  refused
night desk      Partners            nobody special     refused     refused   refused  refused
manager         all populations     nobody special     acts        acts      acts     acts
manager         Staff               nobody special     acts        acts      acts     refused
manager         Staff               an administrator   refused     refused   refused  refused
auditor         all populations     nobody special     refused     refused   refused  refused
in a lock down:
org admin       all populations     nobody special     acts        refused   acts     refused
agent           all populations     nobody special     acts        refused   refused  refused
"""
# The night desk may only deactivate, with a reason and a fresh sign-in. A manager has all of an org admin's rights.
NIGHT_DESK = Rights(actions={"user.deactivate": frozenset({REASON, FRESH_SIGN_IN})})
REASON_GIVEN = "Left the company"
POPULATIONS = {"Staff": STAFF, "Partners": UUID(int=77)}
WRITES: dict[str, tuple[str, str, Any]] = {
    "user.deactivate": ("PUT", "/enabled", {"enabled": False}),
    "user.activate": ("PUT", "/enabled", {"enabled": True}),
    "user.delete": ("DELETE", "", None),
}


@dataclass
class Case:
    environment: SmallEnvironment
    organization: Organization
    operator: Operator
    action: str = ""
    fresh: bool = False
    clients: dict[bool, Client] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        if self.fresh not in self.clients:
            self.clients[self.fresh] = browser(self.operator, fresh=self.fresh)
        return self.clients[self.fresh]


def page(case: Case) -> str:
    return send(case.client, case.action, username="ada.berg", reason=REASON_GIVEN)


def fragment(case: Case) -> str:
    return send(case.client, case.action, htmx=True, username="ada.berg", reason=REASON_GIVEN)


def on_command_line(case: Case) -> str:
    return command(case.operator, case.action, "--user", str(ADA), "--reason", REASON_GIVEN)


def undo(case: Case) -> str:
    """Undo the opposite, which somebody else did."""
    undone = {"user.deactivate": "user.activate", "user.activate": "user.deactivate"}[case.action]
    before, after = {"enabled": undone == "user.deactivate"}, {"enabled": undone == "user.activate"}
    other = Operator.objects.get(email="other@acme.test")
    entry = happened(case.organization, other, action=undone, before=before, after=after, population_id=STAFF)
    sent = {"submission": str(uuid4()), "reason": REASON_GIVEN}
    response: Any = case.client.post(f"/o/acme/audit/{entry.entry}/undo/", sent)
    return str(response.headers.get("Location", "")) or str(response.content.decode())


def any_api(case: Case) -> str:
    """Send the request that activates, deactivates or deletes by Call API."""
    method, below, body = WRITES[case.action]
    return call_api(case.client, method, f"users/{ADA}{below}", body, reason=REASON_GIVEN)


WAYS: dict[str, tuple[Callable[[Case], str], ...]] = {
    "user.deactivate": (page, fragment, on_command_line, undo),
    "user.activate": (page, fragment, on_command_line, undo),
    "user.delete": (page, fragment),
}


def rows() -> list[Any]:
    found, is_locked_down = [], False
    for line in TABLE.strip().splitlines()[1:]:
        if line == "in a lock down:":
            is_locked_down = True
            continue
        role, sees, ada, *expected = (cell.strip() for cell in line.replace("   ", "  ").split("  ") if cell.strip())
        name = f"{role}, {sees}, {ada}{', locked down' if is_locked_down else ''}"
        found.append(pytest.param(role, sees, ada, is_locked_down, expected, id=name))
    return found


@pytest.fixture
def operator_who_is(acme: Organization, helpdesk: Operator, auditor: Operator, org_admin: Operator) -> Any:
    """Return a function that returns an operator with this role, who sees the users of this population."""
    acme.role_overrides = {}  # the defaults of a new organization
    acme.save()

    def operator(role: str, sees: str) -> Operator:
        found = {"org admin": org_admin, "auditor": auditor}.get(role, helpdesk)
        if role == "night desk":
            give(found, NIGHT_DESK)
        if role == "manager":
            give(found, BUILT_IN[Membership.Role.ORG_ADMIN])
        if sees in POPULATIONS:
            Membership.objects.filter(operator=found).update(populations=[str(POPULATIONS[sees])])
        return found

    return operator


def outcome(case: Case, way: Callable[[Case], str]) -> str:
    case.environment.users[ADA]["enabled"] = case.action != "user.activate"
    case.environment.requests.clear()
    said = way(case)
    if case.environment.writes:
        return "acts"
    return "asked" if "reauthenticate" in said or "Sign in again" in said else "refused"


@pytest.mark.parametrize(("role", "sees", "ada", "is_locked_down", "expected"), rows())
def test_everybody_may_do_what_the_table_says(
    acme, environment, operator_who_is, make_other, role, sees, ada, is_locked_down, expected
):
    case = Case(environment, acme, operator_who_is(role, sees))
    if ada == "an administrator":
        environment.roles.add(ADA)
    if is_locked_down:
        Organization.objects.update(locked_down_at=timezone.now(), lock_down_reason="Attack")

    *of_actions, of_any_api = expected
    cells = [(action, way, cell) for action, cell in zip(WRITES, of_actions, strict=True) for way in WAYS[action]]
    cells += [("user.activate", any_api, of_any_api)]
    for case.action, way, cell in cells:
        case.fresh = way is any_api and cell != "asked"  # it asks everybody: tests/console/call_api
        said = outcome(case, way)
        if way is on_command_line and cell == "refused" and said == "asked":
            continue  # it ends there before the user is known
        assert said == cell, f"{case.action} by {way.__name__}"
        if cell == "asked" and way is not on_command_line:
            case.fresh = True
            assert outcome(case, way) == "acts", f"{case.action} by {way.__name__}, after a fresh sign-in"


@pytest.fixture
def make_other(acme: Organization) -> Operator:
    """Create another org admin, whose actions are undone."""
    other = Operator.objects.create_user("other@acme.test")
    Membership.objects.create(organization=acme, operator=other, role=Membership.Role.ORG_ADMIN)
    return other


@pytest.mark.parametrize(
    ("guard", "role", "sees", "ada", "is_locked_down"),
    [
        ("_populations", "agent", "Partners", "nobody special", False),
        ("_protected_targets", "agent", "all populations", "an administrator", False),
        ("_demands_of_role", "night desk", "all populations", "nobody special", False),
        ("_lock_down", "agent", "all populations", "nobody special", True),
    ],
)
def test_table_depends_on_each_guard(
    acme, environment, operator_who_is, make_other, monkeypatch, guard, role, sees, ada, is_locked_down
):
    for name in ("BEFORE_READING", "AFTER_READING"):
        kept = tuple(one for one in getattr(guards, name) if one.__name__ != guard)
        monkeypatch.setattr(guards, name, kept)
    line = next(row for row in rows() if row.values[:4] == (role, sees, ada, is_locked_down))

    with pytest.raises(AssertionError, match="by"):
        test_everybody_may_do_what_the_table_says(
            acme, environment, operator_who_is, make_other, role, sees, ada, is_locked_down, line.values[4]
        )
