"""Attacks of the desk on protected accounts. Each story: who does what, and what must not reach PingOne.

An agent, or whoever talked them into it or stole their session, wants an administrator's rights. Every story was seen
to succeed with its guard taken out, which `test_story_would_succeed_without_the_guard` repeats.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Membership, Operator, Organization, ProtectedMark
from console.perform import guards
from console.rights.roles import BUILT_IN
from tests.support.answers import ADA, ENGINEERS, STAFF
from tests.support.people import make_operator
from tests.support.performing import on_record
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago
from tests.support.small_environment import (
    ADMINS,
    TEAM,
    SmallEnvironment,
    browser,
    call_api,
    command,
    press,
    read_groups,
)


@dataclass
class Desk:
    """The attacker's session, and the environment."""

    agent: Operator
    client: Any
    acme: Organization
    environment: SmallEnvironment

    def ada_is_an_administrator(self) -> None:
        self.environment.roles.add(ADA)

    def admins_give_roles(self) -> None:
        self.environment.add_group(ADMINS, "Admins")
        self.environment.roles.add(ADMINS)
        read_groups(self.acme)


Steps = Callable[[Desk], object]


@dataclass(frozen=True)
class Story:
    title: str
    steps: Steps
    must_not_reach_pingone: str  # the beginning of a write


def temporary_password(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    page = press(desk.client, "password.set-temporary", htmx=True)
    assert "is a PingOne administrator. Ask an org admin." in page or desk.environment.writes


def temporary_password_by_command(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    command(desk.agent, "password.set-temporary", "--user", str(ADA))


def devices_and_password_of_a_member(desk: Desk) -> None:
    desk.admins_give_roles()
    desk.environment.members[ADA].add(ADMINS)
    press(desk.client, "mfa.disable")


def bypass_mfa(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    until = f"{timezone.now() + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    press(desk.client, "mfa.bypass", until=until, reason="Lost phone")


def join_by_the_answer_sent_along(desk: Desk) -> None:
    desk.admins_give_roles()
    sent = {"add": "1", "group_ids": [str(ADMINS)], "confirmed": "1", "submission": str(uuid4())}
    desk.client.post(f"/o/acme/users/{ADA}/groups/", sent)


def join_by_the_actions_own_address(desk: Desk) -> None:
    desk.admins_give_roles()
    press(desk.client, "group.add", group_id=str(ADMINS))


def join_by_undo(desk: Desk) -> None:
    desk.admins_give_roles()
    inside, outside = ({"group": "Admins", "direct_member": is_in} for is_in in (True, False))
    access = enter_org(desk.agent, "acme")
    entry = on_record(
        access, "group.remove", "succeeded", before=inside, after=outside, inputs={"group_id": str(ADMINS)}
    )
    desk.client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})


def join_by_the_undo_of_a_move(desk: Desk) -> None:
    desk.admins_give_roles()
    access = enter_org(desk.agent, "acme")
    groups = [{"id": str(ADMINS), "name": "Admins"}]
    before = {"population_id": str(ENGINEERS), "population_name": "Other", "population_groups": groups}
    after = {"population_id": str(STAFF), "population_name": "Staff", "population_groups": []}
    inputs = {"population_id": str(STAFF)}
    entry = on_record(access, "user.move", "succeeded", before=before, after=after, inputs=inputs)

    def moves(request: Any, path: str) -> Any:
        if path.endswith("/population"):
            other = {"id": str(ENGINEERS), "name": "Other"}
            desk.environment.users[ADA] |= {"population": other, "_embedded": {"population": other}}
        return written(request, path)

    written = desk.environment._written
    desk.environment._written = moves  # type: ignore[method-assign]
    desk.client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    assert f"PUT /users/{ADA}/population" in desk.environment.writes


def join_by_command(desk: Desk) -> None:
    desk.admins_give_roles()
    command(desk.agent, "group.add", "--user", str(ADA), "--group-id", str(ADMINS))


def join_with_a_new_user(desk: Desk) -> None:
    desk.admins_give_roles()
    sent = {"username": "me.too", "join": [str(ADMINS)], "submission": str(uuid4())}
    desk.client.post("/o/acme/users/new/", sent)


def join_a_group_that_is_nested_in_theirs(desk: Desk) -> None:
    desk.environment.add_group(TEAM, "Team")
    desk.environment.nested[TEAM].add(ADMINS)
    desk.admins_give_roles()
    press(desk.client, "group.add", group_id=str(TEAM))


def join_a_group_that_got_roles_after_the_reading(desk: Desk) -> None:
    read_groups(desk.acme)
    desk.environment.roles.add(ENGINEERS)
    press(desk.client, "group.add", group_id=str(ENGINEERS))


def join_by_a_title(desk: Desk) -> None:
    desk.environment.add_group(TEAM, "Team", condition='title eq "Head of IT"')
    desk.environment.nested[TEAM].add(ADMINS)
    desk.admins_give_roles()
    press(desk.client, "user.update", title="Head of IT")


def nest_my_group_in_theirs(desk: Desk) -> None:
    desk.admins_give_roles()
    call_api(desk.client, "POST", f"groups/{ENGINEERS}/memberOfGroups", {"id": str(ADMINS)})


def assign_myself_a_role(desk: Desk) -> None:
    call_api(desk.client, "POST", f"users/{ADA}/roleAssignments", {"role": {"id": str(TEAM)}})


def deactivate_by_another_spelling(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    call_api(desk.client, "PUT", f"/USERS/{str(ADA).upper()}/Enabled", {"enabled": False})


def delete_a_population_with_administrators(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    call_api(desk.client, "DELETE", f"populations/{STAFF}")


def deactivate_whose_rights_the_connection_has(desk: Desk) -> None:
    desk.acme.connection.consented_by_id = str(ADA)
    desk.acme.connection.save()
    press(desk.client, "user.deactivate")


def take_over_a_colleagues_account(desk: Desk) -> None:
    make_operator("ada.berg@acme.test", desk.acme, Membership.Role.ORG_ADMIN)
    press(desk.client, "password.set-temporary")


def reach_a_marked_user(desk: Desk) -> None:
    ProtectedMark.objects.create(
        organization=desk.acme, kind="user", target_id=ADA, reason="Chair", marked_by=desk.agent
    )
    press(desk.client, "user.update", email="thief@mail.test")


def change_the_address_then_send_the_code(desk: Desk) -> None:
    press(desk.client, "user.update", email="thief@mail.test")
    assert desk.environment.writes == [f"PATCH /users/{ADA}"]
    press(desk.client, "password.send-recovery-code", htmx=True)


def change_the_address_by_call_api_then_send_the_code(desk: Desk) -> None:
    call_api(desk.client, "PATCH", f"users/{ADA}", {"email": "thief@mail.test"})
    press(desk.client, "password.send-recovery-code", htmx=True)


def act_while_roles_cannot_be_read(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    desk.environment.status["/roleAssignments"] = 500
    press(desk.client, "user.deactivate")


def act_where_the_connection_may_not_read_roles(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    desk.environment.status["/roleAssignments"] = 403
    press(desk.client, "password.force-change")


def hide_among_many_groups(desk: Desk) -> None:
    desk.acme.group_reading.delete()
    for number in range(1, 12):
        desk.environment.members[ADA].add(desk.environment.add_group(UUID(int=number << 64), f"Group {number:02}"))
    desk.environment.roles.add(UUID(int=11 << 64))
    press(desk.client, "user.deactivate")


def act_while_something_else_answers_for_pingone(answer: Any) -> Steps:
    """A gateway answers the question for roles: with no list, with part of one, with items nobody can read."""

    def steps(desk: Desk) -> None:
        desk.ada_is_an_administrator()
        answers_instead(desk, "roleAssignments", answer)
        press(desk.client, "user.deactivate")

    return steps


def hide_the_memberships(desk: Desk) -> None:
    desk.acme.group_reading.delete()
    desk.environment.roles.add(ENGINEERS)
    desk.environment.indirect[ADA].add(ENGINEERS)
    answers_instead(desk, "memberOfGroups", {})
    press(desk.client, "user.deactivate")


def answers_instead(desk: Desk, what: str, answer: Any) -> None:
    known = desk.environment._of_user
    desk.environment._of_user = (  # type: ignore[method-assign]
        lambda user_id, below: answer if below == what else known(user_id, below)
    )


def reach_a_marked_user_whose_groups_are_not_shown(desk: Desk) -> None:
    """Where the connection may not read memberships, only harmless actions go on, and not on somebody known."""
    ProtectedMark.objects.create(
        organization=desk.acme, kind="user", target_id=ADA, reason="Chair", marked_by=desk.agent
    )
    desk.acme.group_reading.delete()
    desk.environment.status["/memberOfGroups"] = 403
    press(desk.client, "password.send-recovery-code")


def change_the_address_in_other_letters_then_send_the_code(desk: Desk) -> None:
    call_api(desk.client, "PATCH", f"users/{ADA}", {"Email": "thief@mail.test"})
    press(desk.client, "password.send-recovery-code", htmx=True)


def lose_the_title_that_keeps_them_out(desk: Desk) -> None:
    desk.environment.add_group(TEAM, "Team", condition='not (title eq "External")')
    desk.environment.nested[TEAM].add(ADMINS)
    desk.admins_give_roles()
    call_api(desk.client, "PATCH", f"users/{ADA}", {"title": None})


def act_on_a_member_of_a_group_that_just_got_roles(desk: Desk) -> None:
    """The table of today says that Engineers give no roles. An org admin changes that with Call API."""
    desk.environment.members[ADA].add(ENGINEERS)
    read_groups(desk.acme)
    boss = make_operator("boss@acme.test", desk.acme, Membership.Role.ORG_ADMIN)
    role = {"role": {"id": str(TEAM)}}
    call_api(browser(boss, fresh=True), "POST", f"groups/{ENGINEERS}/roleAssignments", role)
    desk.environment.roles.add(ENGINEERS)
    press(desk.client, "user.deactivate")


def act_on_a_member_of_a_group_nested_in_a_marked_one(desk: Desk) -> None:
    nest_in_a_marked_group(desk)
    desk.environment.members[ADA].add(ENGINEERS)
    press(desk.client, "user.deactivate")


def join_a_group_nested_in_a_marked_one(desk: Desk) -> None:
    nest_in_a_marked_group(desk)
    press(desk.client, "group.add", group_id=str(ENGINEERS))


def nest_in_a_marked_group(desk: Desk) -> None:
    desk.environment.add_group(TEAM, "Board")
    desk.environment.nested[ENGINEERS].add(TEAM)
    ProtectedMark.objects.create(
        organization=desk.acme, kind="group", target_id=TEAM, name="Board", reason="Board", marked_by=desk.agent
    )
    read_groups(desk.acme)


def take_a_title_where_roles_of_groups_are_not_shown(desk: Desk) -> None:
    """The connection may read the roles of users, and not those of groups. Any dynamic group may give some."""
    desk.environment.add_group(TEAM, "Team", condition='title eq "Head of IT"')
    desk.environment.status[f"/groups/{TEAM}/roleAssignments"] = 403
    read_groups(desk.acme)
    press(desk.client, "user.update", title="Head of IT")


def act_on_a_member_by_title_where_roles_of_groups_are_not_shown(desk: Desk) -> None:
    desk.environment.add_group(TEAM, "Team", condition='title eq "Head of IT"')
    desk.environment.status[f"/groups/{TEAM}/roleAssignments"] = 403
    read_groups(desk.acme)
    desk.environment.indirect[ADA].add(TEAM)
    press(desk.client, "user.deactivate")


def confirm_with_a_copied_role(desk: Desk) -> None:
    """A role copied from the org admins' has all their rights, but is not theirs."""
    desk.ada_is_an_administrator()
    give(desk.agent, BUILT_IN[Membership.Role.ORG_ADMIN])
    press(browser(desk.agent, fresh=True), "user.deactivate", reason="Because")


def use_a_stolen_session_of_an_org_admin(desk: Desk) -> None:
    desk.ada_is_an_administrator()
    Membership.objects.filter(operator=desk.agent).update(role=Membership.Role.ORG_ADMIN)
    press(signed_in_long_ago(desk.client), "user.deactivate", reason="Because")


PASSWORD, ENABLED = f"PUT /users/{ADA}/password", f"PUT /users/{ADA}/enabled"
JOINS, PROFILE = f"POST /users/{ADA}/memberOfGroups", f"PATCH /users/{ADA}"
MFA, CODE = f"PUT /users/{ADA}/mfaEnabled", f"POST /users/{ADA}/password"

NOT_AN_EMPTY_LIST: list[Any] = [
    {},
    {"status": "ok"},
    {"_embedded": {}},
    {"_embedded": {"other": []}},
    {"_embedded": {"roleAssignments": ["read me"]}},
    {"_embedded": {"roleAssignments": []}, "size": 1},
    {"_embedded": {"roleAssignments": []}, "_links": {"next": {"href": "https://api.pingone.test/?cursor=2"}}},
]

STORIES = [
    Story("Set an administrator's temporary password and read it", temporary_password, PASSWORD),
    Story("The same on the command line", temporary_password_by_command, PASSWORD),
    Story("Switch off the MFA of an administrator by group", devices_and_password_of_a_member, MFA),
    Story("Bypass an administrator's MFA", bypass_mfa, f"PUT /users/{ADA}/bypassMFA"),
    Story("Join their group: the question is answered before it is asked", join_by_the_answer_sent_along, JOINS),
    Story("Join their group by the action's own address", join_by_the_actions_own_address, JOINS),
    Story("Join their group by Undo", join_by_undo, JOINS),
    Story("Join their group by the further steps of an Undo", join_by_the_undo_of_a_move, JOINS),
    Story("Join their group on the command line", join_by_command, JOINS),
    Story("Create a user in their group", join_with_a_new_user, JOINS),
    Story("Join a group that is nested in theirs", join_a_group_that_is_nested_in_theirs, JOINS),
    Story("Join a group that got roles a minute ago", join_a_group_that_got_roles_after_the_reading, JOINS),
    Story("Take the title that their dynamic group asks for", join_by_a_title, PROFILE),
    Story("Nest one's own group in theirs", nest_my_group_in_theirs, f"POST /groups/{ENGINEERS}/memberOfGroups"),
    Story("Assign oneself a role by Call API", assign_myself_a_role, f"POST /users/{ADA}/roleAssignments"),
    Story("Deactivate an administrator by another spelling", deactivate_by_another_spelling, "PUT /USERS/"),
    Story("Delete the population of administrators", delete_a_population_with_administrators, "DELETE /populations/"),
    Story("Deactivate whose rights the connection has", deactivate_whose_rights_the_connection_has, ENABLED),
    Story("Take over an org admin's own account", take_over_a_colleagues_account, PASSWORD),
    Story("Reach the chair of the board", reach_a_marked_user, PROFILE),
    Story("Change the address, then send the code to it", change_the_address_then_send_the_code, CODE),
    Story("The same by Call API", change_the_address_by_call_api_then_send_the_code, CODE),
    Story("Act while the check fails", act_while_roles_cannot_be_read, ENABLED),
    Story("Act where the check is not allowed", act_where_the_connection_may_not_read_roles, CODE),
    Story("Hide an administrator among many groups", hide_among_many_groups, ENABLED),
    *(
        Story(f"Act while something else answers for PingOne: {answer}", steps, ENABLED)
        for answer in NOT_AN_EMPTY_LIST
        for steps in [act_while_something_else_answers_for_pingone(answer)]
    ),
    Story("Hide the memberships of an administrator", hide_the_memberships, ENABLED),
    Story("Reach the chair where groups are not shown", reach_a_marked_user_whose_groups_are_not_shown, CODE),
    Story("Change the address in other letters", change_the_address_in_other_letters_then_send_the_code, CODE),
    Story("Lose the title that keeps them out of the group", lose_the_title_that_keeps_them_out, PROFILE),
    Story("Act before the table knows", act_on_a_member_of_a_group_that_just_got_roles, ENABLED),
    Story("Act below a marked group", act_on_a_member_of_a_group_nested_in_a_marked_one, ENABLED),
    Story("Join below a marked group", join_a_group_nested_in_a_marked_one, JOINS),
    Story("Take a title where roles of groups are hidden", take_a_title_where_roles_of_groups_are_not_shown, PROFILE),
    Story("Act where they are", act_on_a_member_by_title_where_roles_of_groups_are_not_shown, ENABLED),
    Story("Confirm with a copied role", confirm_with_a_copied_role, ENABLED),
    Story("Use an org admin's stolen session", use_a_stolen_session_of_an_org_admin, ENABLED),
]


@pytest.fixture
def desk(acme, helpdesk, environment) -> Desk:
    return Desk(helpdesk, browser(helpdesk), acme, environment)


def succeeds(story: Story, desk: Desk) -> bool:
    story.steps(desk)
    return any(write.startswith(story.must_not_reach_pingone) for write in desk.environment.writes)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_story_does_not_succeed(desk, story):
    assert not succeeds(story, desk)
    refused = AuditEntry.objects.filter(outcome="refused")
    assert refused.exists()
    assert all(entry.note for entry in refused)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_story_would_succeed_without_the_guard(desk, monkeypatch, story):
    monkeypatch.setattr(guards, "AFTER_READING", ())

    assert succeeds(story, desk)
