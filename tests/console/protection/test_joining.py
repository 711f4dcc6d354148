"""Becoming an administrator: by a group that gives roles, by a nesting, or by values that its filter reads."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from console.access import enter_org
from console.models import ProtectedMark
from tests.support.answers import ADA, ENGINEERS, STAFF, ada
from tests.support.performing import on_record
from tests.support.small_environment import (
    ADMINS,
    TEAM,
    SmallEnvironment,
    browser,
    call_api,
    command,
    press,
    read_groups,
    send,
)

JOIN = {"id": str(TEAM)}


# How Team gives roles. Each returns whether the table is read afterwards.


def not_at_all(environment: SmallEnvironment) -> bool:
    return True


def itself(environment: SmallEnvironment) -> bool:
    environment.roles.add(TEAM)
    return True


def itself_unknown_to_the_table(environment: SmallEnvironment) -> bool:
    environment.roles.add(TEAM)
    return False


def nested_in_admins(environment: SmallEnvironment) -> bool:
    environment.roles.add(ADMINS)
    environment.nested[TEAM].add(ADMINS)
    return True


def nested_in_admins_lately(environment: SmallEnvironment) -> bool:
    return not nested_in_admins(environment)


def admins_nested_in_it(environment: SmallEnvironment) -> bool:
    environment.roles.add(ADMINS)
    environment.nested[ADMINS].add(TEAM)
    return True


def admins_nested_in_it_without_roles(environment: SmallEnvironment) -> bool:
    environment.nested[ADMINS].add(TEAM)
    return True


def read_by_the_filter_of_a_group_in_admins(environment: SmallEnvironment) -> bool:
    nested_in_admins(environment)
    environment.nested = defaultdict(set, {ENGINEERS: {ADMINS}})
    environment.add_group(ENGINEERS, "Engineers", condition=f'memberOfGroups[id eq "{TEAM}"]')
    return True


def marked(environment: SmallEnvironment) -> bool:
    return True


def not_readable(environment: SmallEnvironment) -> bool:
    environment.status[f"/groups/{TEAM}/roleAssignments"] = 500
    return False


HOW: dict[str, tuple[Callable[[SmallEnvironment], bool], str]] = {
    "not at all": (not_at_all, "acts"),
    "itself": (itself, "refused"),
    "itself, unknown to the table": (itself_unknown_to_the_table, "refused"),
    "nested in Admins": (nested_in_admins, "refused"),
    "nested in Admins since the reading": (nested_in_admins_lately, "refused"),
    "Admins are nested in it": (admins_nested_in_it, "refused"),
    "Admins are nested in it, and got roles since": (admins_nested_in_it_without_roles, "refused"),
    "a group in Admins reads it": (read_by_the_filter_of_a_group_in_admins, "refused"),
    "marked": (marked, "refused"),
    "cannot be read": (not_readable, "refused"),
}


def by_page(client: Any, agent: Any) -> None:
    press(client, "group.add", group_id=str(TEAM))


def by_fragment(client: Any, agent: Any) -> None:
    press(client, "group.add", htmx=True, group_id=str(TEAM))


def among_several(client: Any, agent: Any) -> None:
    sent = {"add": "1", "group_ids": [str(TEAM)], "submission": str(uuid4()), "confirmed": "1"}
    client.post(f"/o/acme/users/{ADA}/groups/", sent)


def with_a_new_user(client: Any, agent: Any) -> None:
    client.post("/o/acme/users/new/", {"username": "new.one", "join": [str(TEAM)], "submission": str(uuid4())})


def by_undo(client: Any, agent: Any) -> None:
    state = {"group": "Team", "direct_member": True}
    removed = {"group_id": str(TEAM)}
    entry = on_record(
        enter_org(agent, "acme"),
        "group.remove",
        "succeeded",
        before=state,
        after=state | {"direct_member": False},
        inputs=removed,
    )
    client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})


def by_command(client: Any, agent: Any) -> None:
    command(agent, "group.add", "--user", str(ADA), "--group-id", str(TEAM))


def by_call_api(client: Any, agent: Any) -> None:
    call_api(client, "POST", f"users/{ADA}/memberOfGroups", JOIN)


def by_nesting(client: Any, agent: Any) -> None:
    call_api(client, "POST", f"groups/{ENGINEERS}/memberOfGroups", JOIN)


WAYS = [by_page, by_fragment, among_several, with_a_new_user, by_undo, by_command, by_call_api, by_nesting]
CASES = [(how, way) for how in HOW for way in WAYS if way is by_page or how in {"not at all", "itself"}]


def joins(environment: SmallEnvironment) -> bool:
    return any(write.endswith("/memberOfGroups") for write in environment.writes)


@pytest.mark.parametrize(("how", "way"), CASES)
def test_agent_makes_nobody_an_administrator_by_a_group(acme, helpdesk, org_admin, environment, how, way):
    environment.add_group(TEAM, "Team")
    environment.add_group(ADMINS, "Admins")
    prepare, expected = HOW[how]
    if not prepare(environment):
        read_groups_without(environment, acme)
    else:
        read_groups(acme)
    if how.endswith("got roles since"):
        environment.roles.add(ADMINS)
    if how == "marked":
        ProtectedMark.objects.create(
            organization=acme, kind="group", target_id=TEAM, reason="Board", marked_by=org_admin
        )
    environment.requests.clear()

    way(browser(helpdesk), helpdesk)

    assert joins(environment) == (expected == "acts")


def read_groups_without(environment: SmallEnvironment, organization: Any) -> None:
    """Read the table before the state that the test is about."""
    kept = environment.roles, environment.nested, environment.status, environment.groups
    environment.roles, environment.status = set(), {}
    environment.nested = defaultdict(set)
    environment.groups = {one: group for one, group in kept[3].items() if one != TEAM}
    read_groups(organization)
    environment.roles, environment.nested, environment.status, environment.groups = kept


# What an agent changes of Ada while a group in Admins has this filter, and whether that goes through.
VALUES = [
    ('title eq "Boss"', "user.update", {"title": "Boss"}, "refused"),
    ('name.family eq "Boss"', "user.update", {"given_name": "Boss"}, "refused"),  # a part counts as the whole
    ('costCenter eq "1" or title eq "x"', "user.update", {"title": "Chief"}, "refused"),
    ('title eq "nickname"', "user.update", {"nickname": "Boss"}, "acts"),
    (f'population.id eq "{STAFF}"', "user.move", {"population_id": str(ENGINEERS)}, "refused"),
    ('title eq "Boss"', "user.move", {"population_id": str(ENGINEERS)}, "acts"),
    ("enabled eq true", "user.activate", {}, "refused"),
    ('title eq "Boss"', "user.activate", {}, "acts"),
    ("(((", "user.update", {"title": "Chief"}, "refused"),  # not understood: may read anything
    ('title eq "Boss"', "user.create", {"username": "new.one", "title": "Boss"}, "refused"),
    ('title eq "Boss"', "user.create", {"username": "new.one"}, "acts"),
    (f'population.id eq "{STAFF}"', "user.create", {"username": "new.one"}, "refused"),
]


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize(("condition", "key", "typed", "expected"), VALUES)
def test_values_that_a_giving_filter_reads_count_as_joining(
    acme, helpdesk, environment, condition, key, typed, expected, has_table
):
    environment.add_group(TEAM, "Team", condition=condition)
    environment.add_group(ADMINS, "Admins")
    nested_in_admins(environment)
    if has_table:
        read_groups(acme)
    else:
        acme.group_reading.delete()
    if key == "user.activate":
        environment.users[ADA] = ada(enabled=False)
    environment.requests.clear()

    if key == "user.create":
        browser(helpdesk).post("/o/acme/users/new/", {"submission": str(uuid4())} | typed)
    else:
        send(browser(helpdesk), key, **typed)

    assert bool(environment.writes) == (expected == "acts"), environment.writes


def test_org_admin_confirms_a_joining_and_both_are_on_record(acme, org_admin, environment):
    environment.add_group(TEAM, "Team")
    environment.roles.add(TEAM)

    asked = press(browser(org_admin, fresh=False), "group.add", group_id=str(TEAM))
    assert asked.startswith("/accounts/reauthenticate/")
    assert not joins(environment)

    press(browser(org_admin, fresh=True), "group.add", group_id=str(TEAM), reason="New administrator")
    assert joins(environment)


def test_groups_without_a_table_are_asked_up_to_ten(acme, helpdesk, environment):
    acme.group_reading.delete()
    for number in range(10):
        environment.members[ADA].add(environment.add_group(UUID(int=number + 1 << 64), f"Group {number}"))
    press(browser(helpdesk), "user.deactivate")
    assert environment.writes

    environment.requests.clear()
    environment.members[ADA].add(environment.add_group(UUID(int=99 << 64), "One more"))
    said = press(browser(helpdesk), "user.deactivate")
    assert not environment.writes
    assert "could not find out" in said
