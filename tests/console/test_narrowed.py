"""Members who see the users of some populations only: everybody else is nobody for them, on every way in."""

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import visible_users
from console.access import OF_ALL_POPULATIONS, OrgAccess, enter_org
from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Membership, Operator, Organization
from console.perform.resolve import resolve
from console.users.panel_addresses import VALID_FOR
from console.users.panels import PANELS
from pingone_integration.errors import NotFound
from pingone_integration.models import SyncedPopulation
from tests.support.addresses import OURS, SOME_ID
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, listing
from tests.support.asking import HTMX, typed_for
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
    narrow,
    outsider,
    without_ids,
    writes_in,
)
from tests.support.performing import refused, run
from tests.support.synced import sync_populations

IN_PLACE = {"HX-Request": "true"}
SEARCHES = [
    "users/",
    f"users/?q={HIDDEN}",
    f"users/?q={OUTSIDER}&text=on",
    "users/?q=%2B46701234567",
    f"users/?population={PARTNERS}",
    f"users/?group={ENGINEERS}",
    f"users/?filter=username%20sw%20%22{HIDDEN}%22",
    "users/?cursor=1.of-another-filter",
    "users/?limit=200&show=list",
    f"groups/{ENGINEERS}/",
    f"groups/{ENGINEERS}/?q={HIDDEN}",
    f"groups/{ENGINEERS}/?add={HIDDEN}",
    f"groups/{ENGINEERS}/members.csv",
    "groups/",
    f"users/{ADA}/groups/?like={HIDDEN}",
    "users/new/",
    f"users/new/existing/?username={HIDDEN}.user&email={HIDDEN}@acme.test",
    f"users/{ADA}/actions/user.move/",
    "populations/",
    "audit/",
    f"audit/?user={OUTSIDER}",
    f"audit/?user={HOMELESS}",
    f"audit/?user={HIDDEN}",
    f"audit/?ticket=INC{HIDDEN}",
    "audit/?outcome=started",
    "audit/?action=user.deactivate",
]


@pytest.fixture
def agent(acme: Organization, helpdesk: Operator) -> Operator:
    """Return an agent with every right that a role can give, who sees the users of Staff."""
    give_every_right(acme)
    return narrow(helpdesk, STAFF)


@pytest.fixture
def access(agent: Operator) -> OrgAccess:
    return enter_org(agent, "acme")


@pytest.fixture
def asked() -> Iterator[list[httpx.Request]]:
    """Let PingOne answer about everybody, whatever the filter is. Return the requests."""
    with careless_pingone() as requests:
        yield requests


@pytest.fixture
def client(browser_of: Any, agent: Operator) -> Client:
    signed_in: Client = browser_of(agent)
    return signed_in


@pytest.fixture
def on_record(acme: Any, org_admin: Operator) -> list[AuditEntry]:
    """Return entries that the agent must not see: of the user outside, and of one whose population was not read."""
    return [
        entry_outside(acme, org_admin),
        entry_outside(acme, org_admin, population_id=None),
        entry_outside(acme, org_admin, outcome=None),
        entry_outside(acme, org_admin, user_id=HOMELESS, population_id=None, outcome="unknown"),
    ]


def paths_to(user_id: UUID, entries: list[AuditEntry]) -> list[str]:
    """Return every URL of the console with this user, each panel and action, and with each of these entries."""
    entry_pages = {"audit-entry", "audit-read-again", "undo"}
    addresses = {address.name: address.path for address in OURS if str(SOME_ID) in address.path}
    found = [path.replace(str(SOME_ID), str(user_id)) for name, path in addresses.items() if "/users/" in path]
    found += [f"/o/acme/users/{user_id}/panels/{panel.key}/" for panel in PANELS]
    found += [f"/o/acme/users/{user_id}/actions/{action.key}/" for action in ACTIONS if action.needs_user]
    found += [f"/o/acme/users/{user_id}/?panels=all", f"/o/acme/users/{user_id}/panels/groups/?cursor=1.on"]
    found += [
        addresses[name].replace(str(SOME_ID), str(entry.entry)) for name in sorted(entry_pages) for entry in entries
    ]
    return found


def answers(client: Client, path: str, user_id: UUID = OUTSIDER) -> Iterator[tuple[str, Any]]:
    """Yield the answers to reading the URL and to sending its form, as a page and as a fragment."""
    key = path.rstrip("/").rpartition("/")[2]
    typed = next((typed_for(action) for action in ACTIONS if action.key == key), {})
    form = {"group_ids": str(ENGINEERS), "add": "1", "confirmed": "1", "reason": "Asked for", **typed}
    for headers in ({}, HTMX):
        yield "GET", client.get(path, headers=headers)
        yield "POST", client.post(path, form | {"submission": str(uuid4())}, headers=headers)


def body_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode() if response.streaming else response.text


def test_user_outside_is_answered_as_nobody_at_every_url(client, asked):
    """Walk over every URL with a user: as for an ID that PingOne does not have, by status, words and address."""
    wrong = []
    for path in paths_to(OUTSIDER, []):
        if path.endswith("/protection/"):  # for org admins only, whom nothing narrows
            assert {outside.status_code for _, outside in answers(client, path)} == {403}
            continue
        nobody = [answer for _, answer in answers(client, path.replace(str(OUTSIDER), str(NOBODY)))]
        for (method, outside), missing in zip(answers(client, path), nobody, strict=True):
            is_same = without_ids(outside.text) == without_ids(missing.text)
            if not is_same or outside.status_code not in {404, 405} or HIDDEN in outside.text:
                wrong.append((method, path, outside.status_code, missing.status_code))

    assert not wrong
    assert not writes_in(asked)


def test_entry_of_a_user_outside_is_not_found_at_every_url(client, asked, on_record):
    before = AuditEntry.objects.count()
    wrong = [
        (method, path, response.status_code)
        for path in paths_to(OUTSIDER, on_record)
        if "/audit/" in path
        for method, response in answers(client, path)
        if response.status_code not in {404, 405} or HIDDEN in response.text
    ]

    assert not wrong
    assert not asked
    assert AuditEntry.objects.count() == before


def test_no_list_search_or_filter_shows_a_user_outside(client, asked, on_record):
    wrong = [
        (path, headers)
        for path in SEARCHES
        for headers in ({}, IN_PLACE)
        if HIDDEN in body_of(client.get(f"/o/acme/{path}", headers=headers))
        and not _says_only_what_was_typed(client, path, headers)
    ]

    assert not wrong


def _says_only_what_was_typed(client: Client, path: str, headers: dict[str, str]) -> bool:
    """Return whether the page repeats the search, and is the same as for a text that nobody has."""
    shown = body_of(client.get(f"/o/acme/{path}", headers=headers))
    for_nobody = body_of(client.get(f"/o/acme/{path.replace(HIDDEN, 'Qqqq')}", headers=headers))
    return without_ids(shown).replace(HIDDEN, "Qqqq") == without_ids(for_nobody)


def test_no_other_page_shows_a_user_outside(client, asked, on_record):
    """Walk over every other URL of the organization, also those that are not about users at all."""
    others = [one.path for one in OURS if one.path.startswith("/o/acme/") and "/users/" not in one.path]
    wrong = [
        (method, path)
        for path in others
        for method, response in answers(client, path.replace(str(SOME_ID), str(ENGINEERS)))
        if HIDDEN in body_of(response)
    ]

    assert not wrong


def test_users_are_read_in_one_place():
    """A page that read a user by itself would show everybody. `perform` reads first, and then asks a guard."""
    reads = re.compile(r"(?<![\w.])users\.(get|search)\b")
    console = Path(visible_users.__file__).parent
    found = {str(path.relative_to(console)) for path in console.rglob("*.py") if reads.search(path.read_text())}

    assert found == {
        *("visible_users.py", "perform/user_operation.py", "perform/resolve.py"),
        "call_api/api_call.py",  # never for a narrowed member
        *("protection/groups.py", "recovery/counting.py"),  # the worker, which shows nobody
        *("recovery/look_up.py", "recovery/search.py"),  # so are these
        "crawls/reading.py",  # so is this one; the pages that show what it found ask OrgAccess.sees_population
        *("plans/held.py", "plans/creating.py", "plans/manager.py"),  # so is this one
        "rules/effects.py",  # so is this one, with the rights of the rule's author
        "plans/usernames.py",  # whether a username is free, as PingOne itself tells whoever creates a user
        *("recovery/steps.py", "not_me/reports.py"),  # of the user themself
    }


def test_user_without_a_population_is_not_shown(client, asked):
    for path in ("", "?panels=all", "panels/sessions/", "actions/user.update/", "groups/", "standing/"):
        response = client.get(f"/o/acme/users/{HOMELESS}/{path}")
        assert (response.status_code, HIDDEN in response.text) == (404, False), path


def test_ticket_cannot_be_set_for_a_user_outside(client, asked):
    statuses = {
        client.post("/o/acme/working-on/", {"user_id": str(user_id), "ticket": "INC1"}).status_code
        for user_id in (OUTSIDER, HOMELESS, NOBODY)
    }

    assert statuses == {404}


def test_searched_id_of_a_user_outside_leads_where_that_of_nobody_does(client, asked):
    ends = {without_ids(client.get(f"/o/acme/users/?q={user_id}", follow=True).text) for user_id in (OUTSIDER, NOBODY)}

    assert len(ends) == 1


def test_groups_of_a_user_outside_cannot_be_copied(client, asked):
    for model in (OUTSIDER, NOBODY):
        response = client.get(f"/o/acme/users/{ADA}/groups/?like_id={model}")
        assert response.status_code == 404
        assert HIDDEN not in response.text


def test_counts_of_a_group_are_hidden(client, asked, browser_of, org_admin):
    for path in ("groups/", f"groups/{ENGINEERS}/", "users/", "populations/"):
        assert "4242" not in client.get(f"/o/acme/{path}").text
    assert "4242" in browser_of(org_admin).get(f"/o/acme/groups/{ENGINEERS}/").text


def test_list_asks_for_the_populations_in_its_one_call(client, agent, pingone):
    narrow(agent, STAFF, PARTNERS)
    searched = pingone.get("/users").respond(json=listing("users", ada()))

    client.get("/o/acme/users/?q=ada", headers=IN_PLACE)

    assert searched.call_count == 1
    sent = searched.calls[0].request.url.params["filter"]
    assert sent.startswith("(") and sent.endswith(  # noqa: PT018
        f') and (population.id eq "{STAFF}" or population.id eq "{PARTNERS}")'
    )


def test_pages_of_a_narrowed_member_need_no_further_query_or_call(client, asked):
    for path, queries in (("users/", 3), (f"users/{ADA}/", 5)):
        client.get(f"/o/acme/{path}")
        asked.clear()
        with CaptureQueriesContext(connection) as made:
            assert client.get(f"/o/acme/{path}").status_code == 200
        assert (len(made), len(asked)) == (queries, 1), path


def test_panel_of_the_page_that_read_its_user_needs_one_call(client, asked):
    page = client.get(f"/o/acme/users/{ADA}/").text
    url = page.split(f'hx-get="/o/acme/users/{ADA}/panels/sessions/')[1].split('"')[0].replace("&amp;", "&")
    asked.clear()

    response = client.get(f"/o/acme/users/{ADA}/panels/sessions/{url}", headers=IN_PLACE)

    assert "Firefox" in response.text
    assert len(asked) == 1
    assert f'hx-get="/o/acme/users/{ADA}/panels/sessions/{url}"' in response.text.replace("&amp;", "&")


@pytest.mark.parametrize("why", ["made up", "another user's", "another operator's", "too old", "taken away"])
def test_panel_without_a_valid_signature_reads_its_user_first(
    client, agent, asked, browser_of, org_admin, auditor, time_machine, why
):
    reader = browser_of(narrow(auditor, STAFF)) if why == "another operator's" else client
    page = reader.get(f"/o/acme/users/{ADA}/").text
    query = page.split(f'hx-get="/o/acme/users/{ADA}/panels/sessions/')[1].split('"')[0]
    user_id = OUTSIDER if why == "another user's" else ADA
    if why == "made up":
        query = f"?seen={STAFF}:1wAAAA:{'x' * 43}"
    if why == "too old":
        time_machine.move_to(timezone.now() + VALID_FOR + timedelta(seconds=1))
    if why == "taken away":
        narrow(agent, PARTNERS)
    asked.clear()

    response = client.get(f"/o/acme/users/{user_id}/panels/sessions/{query}", headers=IN_PLACE)

    assert asked[0].url.path.endswith(f"/users/{user_id}")
    is_visible = why not in {"another user's", "taken away"}
    assert response.status_code == (200 if is_visible else 404)
    assert len(asked) == (2 if is_visible else 1)
    assert HIDDEN not in response.text


@pytest.mark.parametrize("user_id", [OUTSIDER, HOMELESS])
def test_action_on_a_user_outside_is_refused_on_record_and_answered_as_for_nobody(access, asked, user_id):
    with pytest.raises(NotFound):
        run(access, "user.deactivate", user_id)

    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.subject_name) == ("refused", f"{HIDDEN}.user")  # for those who see everybody
    assert not writes_in(asked)
    with pytest.raises(NotFound):
        run(access, "user.deactivate", NOBODY)


def test_users_are_put_only_into_the_operators_populations(access, asked):
    profile = {"username": "new.one", "email": "new.one@acme.test"}
    for population_id in (PARTNERS, NOBODY, None):
        refused(run(access, "user.create", None, inputs={"profile": profile, "population_id": population_id}))
    for population_id in (PARTNERS, NOBODY):
        refused(run(access, "user.move", ADA, inputs={"population_id": population_id}))

    assert not writes_in(asked)


def test_user_is_moved_by_an_operator_of_both_populations(agent, access, asked):
    narrow(agent, STAFF, PARTNERS)

    run(access, "user.move", ADA, inputs={"population_id": PARTNERS})

    assert [request.method for request in writes_in(asked)] == ["PUT"]


def test_new_user_form_offers_only_the_operators_populations(client, asked):
    page = client.get("/o/acme/users/new/").text

    assert str(STAFF) in page
    assert str(PARTNERS) not in page
    assert "The environment&#x27;s default" not in page


def test_what_is_taken_away_is_gone_in_the_middle_of_a_command(agent, access, asked):
    """`access` is as it was when the command began."""
    narrow(agent, PARTNERS)

    with pytest.raises(NotFound):
        run(access, "user.deactivate", ADA)
    assert not writes_in(asked)


def test_export_ends_when_the_population_is_taken_away(client, agent, pingone):
    pages = [listing("users", ada(), cursor="on"), listing("users", ada(username="second.page"))]
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Engineers"})
    pingone.get("/users").mock(side_effect=[httpx.Response(200, json=page) for page in pages])
    response = client.get(f"/o/acme/groups/{ENGINEERS}/members.csv")
    stream = iter(response.streaming_content)
    shown = next(stream)
    narrow(agent, PARTNERS)

    rest = shown + b"".join(stream)

    assert b"ada.berg" in rest
    assert b"second.page" not in rest


@pytest.mark.parametrize("populations", [[], [NOBODY], ["not an ID"], {"all": True}, "all"])
def test_populations_that_are_gone_or_unreadable_show_nobody(client, agent, asked, populations):
    listed = [str(one) for one in populations] if isinstance(populations, list) else populations
    Membership.objects.filter(operator=agent).update(populations=listed)

    assert client.get(f"/o/acme/users/{ADA}/").status_code == 404
    listed_page = client.get("/o/acme/users/?show=list")
    assert "ada.berg" not in listed_page.text
    assert "There are no users in your populations." in listed_page.text


@pytest.mark.parametrize("address", [one for one in OURS if one.door.removeprefix("org:") in OF_ALL_POPULATIONS])
def test_settings_call_api_and_audit_export_are_for_members_who_see_everybody(client, asked, address):
    response = client.get(address.path)

    assert response.status_code == 403
    assert "for members who see all populations" in response.text
    assert not asked


def test_rights_of_all_populations_are_never_a_narrowed_members(access):
    for permission in OF_ALL_POPULATIONS:
        with pytest.raises(PermissionDenied):
            access.require(permission)


def test_org_admin_cannot_be_narrowed(org_admin, browser_of, asked):
    narrow(org_admin, PARTNERS)
    membership = Membership.objects.get(operator=org_admin)

    assert enter_org(org_admin, "acme").populations is None
    page = browser_of(org_admin).get(f"/o/acme/settings/members/{membership.pk}/")
    assert "Org admins see the users of all populations." in page.text


def test_log_shows_entries_of_users_in_the_operators_populations(client, acme, org_admin, on_record, asked):
    inside = entry_inside(acme, org_admin)

    log = client.get("/o/acme/audit/").text

    assert log.count('scope="row"') == 1
    assert f"/audit/{inside.entry}/" in log
    assert client.get(f"/o/acme/audit/{inside.entry}/").status_code == 200
    assert str(inside.entry) in client.get(f"/o/acme/users/{ADA}/").text  # recent activity


def test_pages_of_the_log_go_through_several_populations(client, agent, acme, org_admin, monkeypatch, asked):
    monkeypatch.setattr("console.audit.search.PAGE_SIZE", 2)
    narrow(agent, STAFF, PARTNERS, NOBODY)
    rows = [entry(acme, org_admin) for entry in [entry_inside, entry_outside] * 3]
    for number in range(3):
        entry_outside(acme, org_admin, population_id=ENGINEERS, ticket=f"INC{number}")

    shown, path = [], "/o/acme/audit/"
    while path:
        page = client.get(path).text
        shown += re.findall(r'<th scope="row"><a href="/o/acme/audit/([\w-]+)/">', page)
        older = re.search(r'href="(\?before=\d+)"', page)
        path = f"/o/acme/audit/{older[1]}" if older else ""

    assert shown == [str(row.entry) for row in reversed(rows)]


def test_home_page_names_the_operators_populations(client, acme, asked):
    sync_populations(acme, {STAFF: "Staff", PARTNERS: HIDDEN})

    page = client.get("/o/acme/").text

    assert "<bdi>Staff</bdi>" in page
    assert HIDDEN not in page


def test_entry_stores_the_population_of_its_user(access, org_admin, asked):
    run(access, "user.deactivate", ADA)
    run(enter_org(org_admin, "acme"), "user.deactivate", HOMELESS)

    stored = AuditEntry.objects.values_list("subject_id", "subject_population").distinct()
    assert set(stored) == {(str(ADA), STAFF), (str(HOMELESS), None)}


def test_name_that_a_user_got_outside_does_not_find_earlier_entries(client, acme, org_admin, asked):
    entry_inside(acme, org_admin, name="first.name")
    entry_outside(acme, org_admin, user_id=ADA, name="second.name")

    assert "first.name" in client.get("/o/acme/audit/?user=first").text
    assert "first.name" not in client.get("/o/acme/audit/?user=second").text


def test_checking_an_entry_again_tells_nothing_of_a_user_who_moved_away(acme, access, org_admin, asked):
    entry = entry_inside(acme, org_admin, user_id=OUTSIDER, outcome="unknown", before={"enabled": False})

    assert resolve(access, entry) == entry


def test_undo_of_a_user_who_moved_away_is_not_found(client, acme, org_admin, asked):
    as_now = {"before": {"enabled": False}, "after": {"enabled": True}, "action": "user.activate"}
    for changes in ({}, as_now):  # PingOne shows other values than the entry, and the same
        entry = entry_inside(acme, org_admin, user_id=OUTSIDER, **changes)
        response = client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
        assert response.status_code == 404
    assert not writes_in(asked)


@pytest.mark.parametrize("name", [str(OUTSIDER), f"{HIDDEN}.user", f"{HIDDEN}@acme.test", str(NOBODY)])
@pytest.mark.parametrize("arguments", [["show"], ["user.deactivate"], ["user.delete", "--username", f"{HIDDEN}.user"]])
def test_command_finds_and_changes_nobody_outside(agent, name, arguments):
    out, known = io.StringIO(), all_that_pingone_knows() | {"/users": listing("users", outsider())}
    with careless_pingone(known) as asked, pytest.raises((CommandError, SystemExit)) as told:
        call_command("pingone", "acme", *arguments, "--user", name, "--as", agent.email, "--json", stdout=out)

    assert HIDDEN not in (out.getvalue() + str(told.value)).replace(name, "")
    assert not writes_in(asked)


def test_member_without_a_right_in_the_organization_is_nobody(stranger, asked):
    with pytest.raises(Http404):
        enter_org(stranger, "acme")


class TestPopulationsOfAMember:
    """The choice on the member's page: all populations, also future ones, or these."""

    @pytest.fixture
    def url(self, acme: Organization, helpdesk: Operator) -> str:
        sync_populations(acme, {STAFF: "Staff", PARTNERS: "Partners"})
        return f"/o/acme/settings/members/{Membership.objects.get(operator=helpdesk).pk}/"

    @pytest.fixture
    def save(self, browser_of: Any, org_admin: Operator, url: str) -> Any:
        return lambda **typed: browser_of(org_admin).post(f"{url}populations/", typed, follow=True)

    def test_both_choices_are_saved_on_record_with_before_and_after(self, save, helpdesk):
        save(reach="these", populations=[str(STAFF)])
        assert enter_org(helpdesk, "acme").populations == frozenset({STAFF})
        save(reach="all")
        assert enter_org(helpdesk, "acme").populations is None

        narrowed, widened = AuditEntry.objects.filter(action="membership.populations-changed").order_by("sequence")
        these = {"populations": [{"id": str(STAFF), "name": "Staff"}]}
        everybody = {"populations": "all, also future ones"}
        assert (narrowed.before, narrowed.after) == (everybody, these)
        assert (widened.before, widened.after) == (these, everybody)
        assert narrowed.operator_email == "admin@acme.test"

    @pytest.mark.parametrize(
        ("typed", "mistake"),
        [
            ({}, "Choose all populations or these."),
            ({"reach": "these"}, "Choose at least one population."),
            ({"reach": "these", "populations": [str(NOBODY)]}, "Select a valid choice"),
            ({"reach": "future"}, "Select a valid choice"),
        ],
    )
    def test_mistake_changes_nothing(self, save, helpdesk, typed, mistake):
        narrow(helpdesk, STAFF)

        response = save(**typed)

        assert response.status_code == 422
        assert mistake in response.text
        assert enter_org(helpdesk, "acme").populations == frozenset({STAFF})

    def test_at_most_twenty_can_be_chosen(self, save, acme, helpdesk):
        many = [uuid4() for _ in range(21)]
        sync_populations(acme, dict.fromkeys(many, "More"))

        assert save(reach="these", populations=many).status_code == 422
        assert save(reach="these", populations=many[:20]).status_code == 200
        assert len(enter_org(helpdesk, "acme").populations or ()) == 20

    def test_population_that_is_gone_is_told_and_kept(self, save, url, helpdesk, browser_of, org_admin):
        save(reach="these", populations=[str(STAFF)])
        SyncedPopulation.objects.all().delete()

        page = browser_of(org_admin).get(url).text

        assert f"{STAFF}: This population no longer exists" in page
        assert enter_org(helpdesk, "acme").populations == frozenset({STAFF})

    def test_renamed_and_new_populations_change_nothing(self, save, acme, helpdesk):
        save(reach="these", populations=[str(STAFF)])
        SyncedPopulation.objects.filter(population_id=STAFF).update(name="Employees")
        sync_populations(acme, {NOBODY: "New"})

        assert enter_org(helpdesk, "acme").populations == frozenset({STAFF})

    def test_choice_is_refused_for_an_org_admin(self, browser_of, org_admin, url):
        own = Membership.objects.get(operator=org_admin)
        typed = {"reach": "these", "populations": [str(STAFF)]}

        response = browser_of(org_admin).post(f"/o/acme/settings/members/{own.pk}/populations/", typed, follow=True)

        assert "Org admins see the users of all populations." in response.text
        own.refresh_from_db()
        assert own.populations is None

    def test_narrowing_survives_a_change_of_the_role(self, save, helpdesk, org_admin):
        save(reach="these", populations=[str(STAFF)])
        membership = Membership.objects.filter(operator=helpdesk)
        membership.update(role=Membership.Role.ORG_ADMIN)
        assert enter_org(helpdesk, "acme").populations is None
        membership.update(role=Membership.Role.AUDITOR)

        assert enter_org(helpdesk, "acme").populations == frozenset({STAFF})

    def test_another_organizations_member_is_not_found(self, browser_of, org_admin, stranger, acme):
        theirs = Membership.objects.get(operator=stranger)

        response = browser_of(org_admin).post(f"/o/acme/settings/members/{theirs.pk}/populations/", {"reach": "all"})

        assert response.status_code == 404


def test_careless_pingone_answers_about_the_user_outside_to_those_who_see_them(browser_of, org_admin, asked):
    """Or the tests above would show nothing."""
    client = browser_of(org_admin)
    for path in ("users/", f"users/{OUTSIDER}/", f"groups/{ENGINEERS}/", f"users/{ADA}/groups/?like={HIDDEN}"):
        assert f"{HIDDEN}.user" in client.get(f"/o/acme/{path}").text
    assert json.dumps(outsider()) in json.dumps(all_that_pingone_knows())
