"""Undo of every action that has one, at the sandbox: all is as before, or the page says what does not come back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.cache import cache
from django.test import Client

from console.access import OrgAccess, enter_org
from console.actions.catalogue import ACTIONS, BY_KEY
from console.actions.outcome import Done, Refused
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator
from console.perform.undo import undo
from console.perform.user_operation import perform
from console.rights.roles import Rights
from pingone_integration import populations
from tests.support.presses import Person, new_name, new_person, org_admin_at
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.database

ALWAYS_NEW = {"updatedAt", "_links"}


@pytest.fixture
def org_admin(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    cache.clear()
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return org_admin_at(sandbox)


@pytest.fixture
def access(org_admin: Operator) -> OrgAccess:
    return enter_org(org_admin, "acme")


@pytest.fixture
def mara(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    return new_person(sandbox, administrator)


@pytest.fixture
def elsewhere(access: OrgAccess) -> UUID:
    return next(one.id for one in populations.all_of(access.pingone()) if not one.is_default)


@pytest.fixture
def make_group(administrator: httpx.Client, mara: Person) -> Callable[..., UUID]:
    """Return a function that makes a group with Mara, or without."""

    def make(*, bound: bool = False, joined: bool = True, **more: Any) -> UUID:
        body = {"name": new_name()} | ({"population": mara.ask()["population"]} if bound else {}) | more
        group_id = administrator.post("groups", json=body).raise_for_status().json()["id"]
        if joined:
            mara.send("POST", "/memberOfGroups", id=group_id)
        return UUID(group_id)

    return make


def state(mara: Person) -> dict[str, Any]:
    """Return all that PingOne says about the user, without times of change."""
    user = {name: value for name, value in mara.ask().items() if name not in ALWAYS_NEW}
    lists = {name: [one["id"] for one in mara.listed(name)] for name in ("memberOfGroups", "devices", "sessions")}
    return user | lists | {"password": mara.ask("/password")["status"], "bypass": mara.ask("/bypassMFA")}


def act(access: OrgAccess, mara: Person, key: str, inputs: dict[str, Any]) -> AuditEntry:
    result = perform(access, BY_KEY[key], mara.id, inputs, Circumstances())
    assert isinstance(result, Done), result
    return result.entry


def test_undo_of_every_action_restores_the_user(access, mara, make_group, elsewhere):
    member_of, other, kept = make_group(), make_group(joined=False), make_group(bound=True)
    mara.sandbox.pair_device(mara.id)
    mara.sandbox.begin_session(mara.id)
    changes = {"title": "Chief", "given_name": "Maria", "locality": "Lund", "username": new_name(), "nickname": "M"}
    story: list[tuple[str, dict[str, Any]]] = [
        ("user.deactivate", {}),
        ("user.update", {"changes": changes}),
        ("user.move", {"population_id": elsewhere}),
        ("group.remove", {"group_id": member_of}),
        ("group.remove", {"group_id": kept}),
        ("group.add", {"group_id": other}),
    ]
    for key, inputs in story:
        before = state(mara)
        entry = act(access, mara, key, inputs)
        assert state(mara) != before, key

        assert isinstance(undo(access, entry, Circumstances()), Done), key

        assert state(mara) == before, key
    mara.send("PUT", "/enabled", enabled=False)
    before = state(mara)
    assert isinstance(undo(access, act(access, mara, "user.activate", {}), Circumstances()), Done)
    assert state(mara) == before
    assert {key for key, _ in story} | {"user.activate"} == {action.key for action in ACTIONS if action.undo}


def test_profile_action_says_what_does_not_come_back(access, mara):
    """An email address that PingOne verified is the one value that Undo cannot restore: the form says so."""
    mara.sandbox.sql("UPDATE sandbox_user SET email_verified = 1 WHERE id = ?", mara.id)
    before = state(mara)
    entry = act(access, mara, "user.update", {"changes": {"email": f"{new_name()}@acme.test"}})

    undo(access, entry, Circumstances())

    after = state(mara)
    assert {name for name in after if after[name] != before[name]} == {"emailVerified"}
    assert "A changed email address has to be verified" in str(BY_KEY["user.update"].leaves)


def test_undo_of_a_move_adds_the_lost_memberships_again(org_admin, access, mara, make_group, elsewhere, browser_of):
    bound = [make_group(bound=True), make_group(bound=True)]
    make_group()
    automatic = make_group(bound=True, joined=False, userFilter=f'username eq "{mara.username}"')
    names = {one["id"]: one["name"] for one in mara.listed("memberOfGroups")}
    client: Client = browser_of(org_admin)

    page = client.get(f"{mara.page}actions/user.move/").text
    entry = act(access, mara, "user.move", {"population_id": elsewhere})
    client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})

    asked = page[page.index('class="action-loss"') :].split("</form>")[0]
    assert [names[str(one)] in asked for one in [*bound, automatic]] == [True] * 3
    assert asked.count("<li>") == 3
    assert entry.before is not None
    assert {one["id"] for one in entry.before["population_groups"]} == {str(one) for one in bound}
    additions = AuditEntry.objects.current().filter(action="group.add", outcome="succeeded")
    assert {entry.inputs["group_id"] for entry in additions} == {str(one) for one in bound}
    assert {one["id"] for one in mara.listed("memberOfGroups")} == names.keys()
    told = client.get(mara.page).text
    assert "to 2 groups: " in told
    assert 'class="notice-action"' not in told


def test_undo_of_a_move_lists_the_memberships_that_it_could_not_add(
    org_admin, access, mara, make_group, elsewhere, browser_of, administrator
):
    kept, gone = make_group(bound=True), make_group(bound=True)
    names = {one["id"]: one["name"] for one in mara.listed("memberOfGroups")}
    entry = act(access, mara, "user.move", {"population_id": elsewhere})
    administrator.delete(f"groups/{gone}").raise_for_status()
    client: Client = browser_of(org_admin)

    client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})

    told = client.get(mara.page).text
    assert f"to {names[str(kept)]}." in told
    assert f"Could not add Mara Lind to {names[str(gone)]}." in told
    assert [one["id"] for one in mara.listed("memberOfGroups")] == [str(kept)]


def test_undo_of_a_move_adds_nothing_without_the_permission(access, mara, make_group, elsewhere, monkeypatch):
    make_group(bound=True)
    entry = act(access, mara, "user.move", {"population_id": elsewhere})
    only_moves = Rights(actions={"user.move": frozenset()})
    monkeypatch.setattr("console.access.rights_of", lambda _membership: only_moves)

    result = undo(access.again(), entry, Circumstances())

    assert isinstance(result, Done)
    assert [type(told) for _step, told in result.then] == [Refused]
    assert mara.listed("memberOfGroups") == []
