"""Who may do what to whom: one table to read, tried through every way in.

`acts`: PingOne gets the write. `asked`: the operator is asked for a reason and to sign in again, and with both it acts.
`refused`: nobody of this role can do it. A command line has no sign-in, so what is `asked` ends there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from console.access import enter_org
from console.models import Membership, Operator, Organization, ProtectedMark
from tests.support.answers import ADA, ENGINEERS
from tests.support.people import make_operator
from tests.support.performing import on_record
from tests.support.small_environment import (
    ADMINS,
    TEAM,
    SmallEnvironment,
    browser,
    call_api,
    command,
    read_groups,
    send,
)


@dataclass
class Case:
    """One case of the table: Ada, protected in some way, and the operator."""

    environment: SmallEnvironment
    organization: Organization
    operator: Operator
    fresh: bool = False

    @property
    def reason(self) -> str:
        return "Left the company" if self.fresh else ""

    @property
    def client(self) -> Any:
        return browser(self.operator, fresh=self.fresh)


# How Ada is protected -------------------------------------------------------------------------------------------------


def nobody(case: Case) -> None:
    read_groups(case.organization)


def role(case: Case) -> None:
    case.environment.roles.add(ADA)


def group(case: Case) -> None:
    case.environment.add_group(ADMINS, "Admins")
    case.environment.roles.add(ADMINS)
    case.environment.members[ADA].add(ADMINS)
    read_groups(case.organization)


def group_unknown_to_the_table(case: Case) -> None:
    read_groups(case.organization)
    case.environment.add_group(ADMINS, "Admins")
    case.environment.roles.add(ADMINS)
    case.environment.members[ADA].add(ADMINS)


def group_nested_in_it(case: Case) -> None:
    group(case)
    case.environment.add_group(TEAM, "Team")
    case.environment.members[ADA] = {TEAM}
    case.environment.nested[TEAM].add(ADMINS)
    read_groups(case.organization)


def nesting_the_other_way(case: Case) -> None:
    group_nested_in_it(case)
    case.environment.nested.clear()
    case.environment.nested[ADMINS].add(TEAM)
    read_groups(case.organization)


def dynamic_group_nested_in_it(case: Case) -> None:
    group_nested_in_it(case)
    case.environment.members[ADA] = set()
    case.environment.indirect[ADA].add(TEAM)
    case.environment.add_group(TEAM, "Team", condition='title eq "Boss"')
    read_groups(case.organization)


def operator_by_email(case: Case) -> None:
    make_operator("ADA.berg@acme.test", case.organization, Membership.Role.AUDITOR)


def operator_by_username(case: Case) -> None:
    case.environment.users[ADA]["username"] = "\uff21da.berg@Acme.Test"  # a full-width A
    case.environment.users[ADA]["email"] = "other@acme.test"
    operator_by_email(case)


def mark(case: Case) -> None:
    ProtectedMark.objects.create(
        organization=case.organization, kind="user", target_id=ADA, reason="Chair", marked_by=case.operator
    )


def marked_group(case: Case) -> None:
    case.environment.members[ADA].add(ENGINEERS)
    ProtectedMark.objects.create(
        organization=case.organization, kind="group", target_id=ENGINEERS, reason="Board", marked_by=case.operator
    )


def connection(case: Case) -> None:
    case.organization.connection.consented_by_id = str(ADA).upper()
    case.organization.connection.save()


def roles_not_shown(case: Case) -> None:
    case.environment.status["/roleAssignments"] = 403


def read_that_fails(case: Case) -> None:
    case.environment.status[f"/users/{ADA}/roleAssignments"] = 500


# Ways in --------------------------------------------------------------------------------------------------------------


def page(case: Case) -> Any:
    return send(case.client, "user.deactivate", reason=case.reason)


def fragment(case: Case) -> Any:
    return send(case.client, "user.deactivate", htmx=True, reason=case.reason)


def several(case: Case) -> Any:
    case.environment.add_group(UUID(int=3 << 64), "Readers")
    sent = {"add": "1", "group_ids": [str(UUID(int=3 << 64))], "submission": str(uuid4()), "confirmed": "1"}
    response: Any = case.client.post(f"/o/acme/users/{ADA}/groups/", sent | {"reason": case.reason})
    return response.headers.get("Location", "")


def undo(case: Case) -> Any:
    access = enter_org(case.operator, "acme")
    entry = on_record(access, "user.activate", "succeeded", before={"enabled": False}, after={"enabled": True})
    response: Any = case.client.post(
        f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4()), "reason": case.reason}
    )
    return response.headers.get("Location", "")


def on_command_line(case: Case) -> str:
    return command(case.operator, "user.deactivate", "--user", str(ADA), "--reason", "Left")


def api(case: Case) -> str:
    return call_api(case.client, "PUT", f"users/{ADA}/enabled", {"enabled": False})


WAYS: dict[str, Callable[[Case], Any]] = {
    "page": page,
    "fragment": fragment,
    "several": several,
    "undo": undo,
    "command": on_command_line,
    "call api": api,
}

# The table ------------------------------------------------------------------------------------------------------------

TABLE = """
Ada is protected by           agent     org admin
nobody                        acts      acts
role                          refused   asked
group                         refused   asked
group_unknown_to_the_table    refused   asked
group_nested_in_it            refused   asked
nesting_the_other_way         refused   asked
dynamic_group_nested_in_it    refused   asked
operator_by_email             refused   asked
operator_by_username          refused   asked
mark                          refused   asked
marked_group                  refused   asked
connection                    refused   refused
roles_not_shown               refused   asked
read_that_fails               refused   refused
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]


def outcome(case: Case, way: Callable[[Case], Any]) -> str:
    case.environment.requests.clear()
    said = str(way(case))
    if case.environment.writes:
        return "acts"
    return "asked" if "reauthenticate" in said or "Sign in again" in said else "refused"


# Every row by one way in, and a row of each kind by every way in: all ways lead through the same guard.
CASES = [
    pytest.param(*row, way, id=f"{row[0]} by {way}")
    for row in ROWS
    for way in WAYS
    if way == "page" or row[0] in {"nobody", "role", "connection"}
]


@pytest.fixture(autouse=True)
def _open_door_of_call_api(monkeypatch):
    """Every write there asks for a fresh sign-in: the table is about the guard behind it."""
    monkeypatch.setattr("console.views.call_api.fresh.is_fresh", lambda _request: True)


@pytest.mark.parametrize(("protected", "agent", "org_admin_", "way"), CASES)
def test_table_of_protected_users(acme, helpdesk, org_admin, environment, protected, agent, org_admin_, way):
    case = Case(environment, acme, org_admin)
    globals()[protected](case)
    case.operator = helpdesk
    assert outcome(case, WAYS[way]) == agent

    environment.users[ADA]["enabled"] = True
    case.operator = org_admin
    assert outcome(case, WAYS[way]) == org_admin_
    if way != "command" and org_admin_ != "acts":
        environment.users[ADA]["enabled"] = True
        case.fresh = True
        assert outcome(case, WAYS[way]) == ("acts" if org_admin_ == "asked" else "refused")
