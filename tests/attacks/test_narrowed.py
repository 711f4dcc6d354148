"""Stories of an agent who sees one population and wants to reach, or learn of, a user outside it.

Each story has the steps of the attack and what must happen instead. PingOne answers about everybody, whatever is asked.
"""

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator, Organization
from console.perform import guards
from console.perform.guards import Ruling
from console.perform.several import perform_each
from pingone_integration.errors import NotFound
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, listing
from tests.support.narrowed import (
    HIDDEN,
    HOMELESS,
    NOBODY,
    OUTSIDER,
    PARTNERS,
    all_that_pingone_knows,
    careless_pingone,
    entry_inside,
    entry_outside,
    give_every_right,
    homeless,
    narrow,
    outsider,
    without_ids,
    writes_in,
)
from tests.support.performing import run

IN_PLACE = {"HX-Request": "true"}
USERS = "/o/acme/users/"


@pytest.fixture
def agent(acme: Organization, helpdesk: Operator) -> Operator:
    give_every_right(acme)
    return narrow(helpdesk, STAFF)


@pytest.fixture
def asked() -> Iterator[list[httpx.Request]]:
    with careless_pingone() as requests:
        yield requests


@pytest.fixture
def attacker(browser_of: Any, agent: Operator, asked: list[httpx.Request]) -> Client:
    signed_in: Client = browser_of(agent)
    return signed_in


def pressed(**typed: Any) -> dict[str, Any]:
    return {"submission": str(uuid4()), "reason": "Asked for", **typed}


def test_reset_of_a_password_by_the_actions_own_url(attacker, asked):
    """The agent knows the ID from a ticket, and posts the form of "set temporary password" for it."""
    answer = attacker.post(f"{USERS}{OUTSIDER}/actions/password.set-temporary/", pressed())

    assert answer.status_code == 404
    assert not writes_in(asked)


def test_tries_on_somebody_outside_are_on_record_and_so_are_those_on_nobody(attacker, acme, org_admin):
    """The agent tries IDs by every form. The org admin sees that, and the agent sees no difference."""
    entry = entry_inside(acme, org_admin, user_id=OUTSIDER)
    addresses = ["actions/user.deactivate/", "groups/"]
    for one in (OUTSIDER, NOBODY):
        for address in addresses:
            attacker.post(f"{USERS}{one}/{address}", pressed(group_ids=str(ENGINEERS), add="1", confirmed="1"))
        attacker.post("/o/acme/working-on/", {"user_id": str(one), "ticket": "X"})
    attacker.post(f"/o/acme/audit/{entry.entry}/undo/", pressed())

    tried = [row.inputs for row in AuditEntry.objects.filter(action="access.refused").order_by("sequence")]
    doors = ["user-action user.deactivate", "user-groups", "set-ticket"]
    expected = [{"page": door, "user": str(one)} for one in (OUTSIDER, NOBODY) for door in doors]
    assert tried == [*expected, {"page": "undo user.deactivate", "user": str(OUTSIDER)}]
    assert "Not allowed" not in attacker.get("/o/acme/audit/").text


def test_several_actions_at_once_skip_the_page(agent, asked):
    """The agent's request goes straight to the actions, one after the other, without a page that read the user."""
    step = Step(action=BY_KEY["group.add"], inputs={"group_id": ENGINEERS}, names={"group": "Engineers"})

    with pytest.raises(NotFound):
        perform_each(enter_org(agent, "acme"), OUTSIDER, [step, step], Circumstances())
    assert not writes_in(asked)


def test_panel_url_of_another_user(attacker, asked):
    """The agent takes the signed panel URL of a user they see, and changes the ID in it."""
    page = attacker.get(f"{USERS}{ADA}/").text
    signed = page.split(f'hx-get="{USERS}{ADA}/panels/devices/')[1].split('"')[0]

    answer = attacker.get(f"{USERS}{OUTSIDER}/panels/devices/{signed}", headers=IN_PLACE)

    assert (answer.status_code, HIDDEN in answer.text) == (404, False)


def test_panel_url_of_a_colleague(browser_of, agent, auditor):
    """A colleague opened a user's page. The user moved away since, and the agent gets the panel's URL from them."""
    known = all_that_pingone_knows()
    with careless_pingone(known):
        page = browser_of(narrow(auditor, STAFF)).get(f"{USERS}{ADA}/").text
        signed = page.split(f'hx-get="{USERS}{ADA}/panels/devices/')[1].split('"')[0]
        known[f"/users/{ADA}"] = outsider(id=str(ADA))
        answer = browser_of(agent).get(f"{USERS}{ADA}/panels/devices/{signed}", headers=IN_PLACE)

    assert answer.status_code == 404


def test_panel_url_of_a_population_that_was_taken_away(attacker, agent):
    """The agent keeps a user's page open, and the org admin takes the population away."""
    page = attacker.get(f"{USERS}{ADA}/").text
    signed = page.split(f'hx-get="{USERS}{ADA}/panels/devices/')[1].split('"')[0]
    narrow(agent, PARTNERS)

    answer = attacker.get(f"{USERS}{ADA}/panels/devices/{signed}", headers=IN_PLACE)

    assert answer.status_code == 404


def test_groups_page_lists_its_members(attacker):
    """Everybody is in one group. The agent reads its members, searches among them and downloads them."""
    pages = [f"groups/{ENGINEERS}/", f"groups/{ENGINEERS}/?q=z", f"groups/{ENGINEERS}/?add=z"]
    shown = "".join(attacker.get(f"/o/acme/{page}").text for page in pages)
    export = b"".join(attacker.get(f"/o/acme/groups/{ENGINEERS}/members.csv").streaming_content).decode()

    assert "ada.berg" in shown
    assert "ada.berg" in export
    assert HIDDEN not in shown + export


def test_counts_of_a_group_tell_of_others(attacker):
    """The agent adds their user to a group and removes them again, and compares the counts with the members listed."""
    assert not [page for page in ("groups/", f"groups/{ENGINEERS}/") if "4242" in attacker.get(f"/o/acme/{page}").text]


def test_typed_filter_reaches_out_of_the_populations(attacker):
    """The agent types a SCIM filter that closes the bracket, one that PingOne reads otherwise, and a population."""
    for typed in (
        'title eq "x") or (username sw "Z"',
        f'population.id eq "{PARTNERS}"',
        r'title eq "\\" or username sw "',
    ):
        answer = attacker.get(USERS, {"filter": typed, "show": "list"})
        assert f"{HIDDEN}.user" not in answer.text
        assert "4242" not in answer.text


def test_cursor_of_an_earlier_list(attacker):
    """The agent was narrowed a minute ago, and goes on in a list from before."""
    answer = attacker.get(USERS, {"cursor": "1.of-all-users"})

    assert f"{HIDDEN}.user" not in answer.text


def test_count_of_matches_confirms_a_guess(browser_of, agent):
    """PingOne counts the matches of a guess about somebody outside, on a page without a row that may be shown."""
    attacker = browser_of(agent)
    known = all_that_pingone_knows() | {"/users": listing("users", outsider(), count=1, cursor="on")}
    with careless_pingone(known):
        guessed = attacker.get(USERS, {"q": f"{HIDDEN}.user"})
    with careless_pingone(known | {"/users": listing("users")}):
        wrong = attacker.get(USERS, {"q": f"{HIDDEN}.user"})

    assert guessed.status_code == wrong.status_code == 200  # not a redirect to the only match
    assert "1 user" not in guessed.text
    assert "more on the next" not in guessed.text


def test_id_in_the_search_box_tells_whether_it_exists(attacker):
    """The agent searches for an ID: of somebody outside, and of nobody."""
    ends = {without_ids(attacker.get(USERS, {"q": str(one)}, follow=True).text) for one in (OUTSIDER, NOBODY)}

    assert len(ends) == 1


def test_ids_of_pingones_error_tell_that_there_is_nobody(attacker):
    """Only for a missing user PingOne itself answers 404, with IDs that a page would show."""
    outside, missing = (without_ids(attacker.get(f"{USERS}{one}/").text) for one in (OUTSIDER, NOBODY))

    assert outside == missing


def test_groups_are_copied_from_somebody_outside(attacker):
    """The agent looks for a user whose groups to copy, and then names the ID of somebody outside."""
    found = attacker.get(f"{USERS}{ADA}/groups/", {"like": "Z"})
    copied = attacker.get(f"{USERS}{ADA}/groups/", {"like_id": str(OUTSIDER)})

    assert HIDDEN not in found.text
    assert (copied.status_code, HIDDEN in copied.text) == (404, False)


def test_hint_at_a_new_user_shows_who_has_the_address(attacker):
    """The agent types addresses into the form for a new user, which shows who has them already."""
    hint = attacker.get(f"{USERS}new/existing/", {"email": f"{HIDDEN}@acme.test"}, headers=IN_PLACE)

    assert HIDDEN not in hint.text


def test_user_is_moved_out_and_created_outside(attacker, asked):
    """The agent moves a user where nobody looks for them, and creates another one there."""
    attacker.post(f"{USERS}{ADA}/actions/user.move/", pressed(population_id=str(PARTNERS)))
    for population in (str(PARTNERS), ""):
        typed = {"username": "shadow", "email": "shadow@acme.test", "population_id": population}
        attacker.post(f"{USERS}new/", pressed(**typed))

    assert not writes_in(asked)


def test_undo_of_an_administrators_entry(attacker, acme, org_admin, asked):
    """The agent undoes the deactivation of somebody outside by the entry's ID, and of somebody who moved away."""
    entries = [entry_outside(acme, org_admin), entry_inside(acme, org_admin, user_id=OUTSIDER)]
    answers = [attacker.post(f"/o/acme/audit/{entry.entry}/undo/", pressed()) for entry in entries]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert not writes_in(asked)


def test_audit_log_tells_of_others(attacker, acme, org_admin):
    """The agent filters the log by ID, name and ticket, opens an entry by its ID, and reads it again."""
    entry = entry_outside(acme, org_admin, outcome="unknown")
    entry_outside(acme, org_admin, user_id=HOMELESS, population_id=None)
    filters: list[dict[str, str]] = [{}, {"user": str(OUTSIDER)}, {"user": HIDDEN}, {"ticket": "INC"}]

    assert not [one for one in filters if f"{HIDDEN}.user" in attacker.get("/o/acme/audit/", one).text]
    assert attacker.get(f"/o/acme/audit/{entry.entry}/").status_code == 404
    assert attacker.post(f"/o/acme/audit/{entry.entry}/read-again/").status_code == 404


def test_audit_log_tells_the_new_name_of_somebody_who_left(attacker, acme, org_admin):
    """A user left the population and was renamed. The agent guesses new names until an old entry is found."""
    entry_inside(acme, org_admin, name="first.name")
    entry_outside(acme, org_admin, user_id=ADA, name="second.name")

    assert "first.name" not in attacker.get("/o/acme/audit/", {"user": "second"}).text


def test_whole_log_and_api_by_an_agent_with_every_right(attacker, asked):
    """A role gives Call API, members and the audit export. Each of them would reach everybody."""
    pages = ["audit/export/csv/", "audit/export/jsonl/", "call-api/", "settings/members/", "settings/policies/"]

    assert {attacker.get(f"/o/acme/{page}").status_code for page in pages} == {403}
    assert not asked


def test_command_line_asks_no_page(agent):
    """The agent has a shell: the command finds the user by username, address and ID, and deactivates them."""
    known = all_that_pingone_knows() | {"/users": listing("users", outsider())}
    for name in (f"{HIDDEN}.user", f"{HIDDEN}@acme.test", str(OUTSIDER)):
        for action in ("show", "user.deactivate"):
            out = io.StringIO()
            with careless_pingone(known) as asked, pytest.raises((CommandError, SystemExit)):
                call_command("pingone", "acme", action, "--user", name, "--as", agent.email, stdout=out)
            assert not out.getvalue()
            assert not writes_in(asked)


def test_ticket_is_set_for_somebody_outside(attacker):
    """The agent sets the ticket of any ID, and sees by the answer whether it is a user."""
    answers = [attacker.post("/o/acme/working-on/", {"user_id": str(one), "ticket": "X"}) for one in (OUTSIDER, NOBODY)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_population_that_is_gone_opens_all(attacker, agent, asked):
    """The agent's only population is deleted at PingOne. A search without a population would be a search of all."""
    narrow(agent)

    assert "ada.berg" not in attacker.get(USERS, {"show": "list"}).text
    assert not [request for request in asked if request.url.path.endswith("/users")]
    assert attacker.get(f"{USERS}{ADA}/").status_code == 404


def test_rights_are_taken_away_while_a_command_runs(agent, asked):
    """The agent's command has begun when the org admin takes the population away."""
    access = enter_org(agent, "acme")
    narrow(agent, PARTNERS)

    with pytest.raises(NotFound):
        run(access, "user.deactivate", ADA)
    assert not writes_in(asked)


def test_name_of_somebody_outside_in_a_refusal(attacker, acme, org_admin, monkeypatch):
    """Adding to groups is refused before PingOne is asked, and the notice takes the name from an earlier entry."""
    entry_outside(acme, org_admin)
    monkeypatch.setattr(guards, "BEFORE_READING", (lambda *_: Ruling(refusal="Not now."),))
    typed = pressed(group_ids=str(ENGINEERS), add="1", confirmed="1")

    answer = attacker.post(f"{USERS}{OUTSIDER}/groups/", typed)

    assert (answer.status_code, HIDDEN in answer.text) == (404, False)
    assert not AuditEntry.objects.filter(action="group.add").exists()


def test_row_without_a_population(browser_of, agent):
    """A user whose population PingOne does not tell could be anybody."""
    attacker = browser_of(agent)
    known = all_that_pingone_knows() | {"/users": listing("users", ada(), homeless())}
    with careless_pingone(known):
        shown = attacker.get(USERS, {"show": "list"}).text
        assert attacker.get(f"{USERS}{HOMELESS}/").status_code == 404
    assert "ada.berg" in shown
    assert HIDDEN not in shown
