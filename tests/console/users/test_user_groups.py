"""Adding a user to several groups: search by name, copy from another user, and warnings before the change."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.test import Client

from console.models import AuditEntry, Operator, TicketPolicy
from tests.support.answers import ADA, BO, ENGINEERS, HOSTILE_NAMES, ada, bo, error, listing, shows_joined_group

PAGE = f"/o/acme/users/{ADA}/groups/"
PANEL = f"/o/acme/users/{ADA}/panels/groups/"
HTMX = {"HX-Request": "true", "HX-Target": "user-groups"}
TYPING = {"HX-Request": "true", "HX-Target": "group-choices"}
ADMINS = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2911")
FIELD = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2912")
NAMES = {ENGINEERS: "Engineers", ADMINS: "Admins", FIELD: "Field"}


def group(group_id: UUID, **more: Any) -> dict[str, Any]:
    return {"id": str(group_id), "name": NAMES[group_id]} | more


def member_of(group_id: UUID, kind: str = "DIRECT", **more: Any) -> dict[str, Any]:
    return {"id": str(group_id), "type": kind, "_embedded": {"group": group(group_id, **more)}}


@pytest.fixture
def directory(pingone: Any) -> Any:
    """Mock Ada without groups, and Admins with administrator roles. Each test mocks its own writes."""
    pingone._assert_all_called = False
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{BO}").respond(json=bo())
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships"))
    pingone.get("/groups").respond(json=listing("groups", *map(group, NAMES)))
    pingone.get("/users").respond(json=listing("users", ada(), bo()))
    for one in NAMES:
        pingone.get(f"/groups/{one}").respond(json=group(one))
        roles = [{"id": str(BO)}] if one == ADMINS else []
        pingone.get(f"/groups/{one}/roleAssignments").respond(json=listing("roleAssignments", *roles))
        shows_joined_group(pingone, ADA, one)
    return pingone


@pytest.fixture
def client(browser_of: Callable[..., Client], helpdesk: Operator) -> Client:
    return browser_of(helpdesk)


def join(client: Client, *chosen: UUID, htmx: bool = False, **more: str) -> Any:
    data = {"add": "1", "submission": str(uuid4()), "group_ids": [str(one) for one in chosen]} | more
    return client.post(PAGE, data, headers=HTMX if htmx else {})


def told(client: Client) -> str:
    page: str = client.get(f"/o/acme/users/{ADA}/").text
    return page[page.index('id="notices"') : page.index('class="page-heading"')]


def test_panel_links_to_the_page_only_with_permission(client, browser_of, auditor, directory):
    assert f'href="{PAGE}"' in client.get(PANEL, headers=HTMX).text
    assert PAGE not in browser_of(auditor).get(PANEL, headers=HTMX).text
    assert browser_of(auditor).get(PAGE).status_code == 403
    assert browser_of(auditor).post(PAGE).status_code == 403


def test_panel_explains_inherited_memberships(client, directory):
    by_filter = member_of(ENGINEERS, "INDIRECT", userFilter='title eq "<b>Engineer</b>"')
    directory.get(f"/users/{ADA}/memberOfGroups").respond(
        json=listing("groupMemberships", by_filter, member_of(FIELD, "INDIRECT"), member_of(ADMINS))
    )

    page = client.get(PANEL, headers=HTMX).text

    assert "Automatic: they match the group's filter" in page
    assert "title eq &quot;&lt;b&gt;Engineer&lt;/b&gt;&quot;" in page
    assert "Through another group" in page


def test_group_search_needs_one_call_for_all_groups(client, directory):
    page = client.get(PAGE, {"q": "e"}, headers=TYPING).text

    assert "<html" not in page
    assert 'id="joining"' not in page  # only the search results
    assert f'value="{ENGINEERS}"' in page
    assert sorted(call.request.url.path.rsplit("/", 1)[-1] for call in directory.calls) == sorted(
        [str(ADA), "memberOfGroups", "groups"]
    )


def test_group_search_keeps_the_ticked_groups(client, directory):
    page = client.get(PAGE, {"q": "e", "group_ids": [str(FIELD)]}, headers=TYPING).text

    assert f'value="{FIELD}" checked' in page
    assert page.count(f'value="{FIELD}"') == 1


def test_each_group_found_has_a_button_that_adds_to_it_alone(client, directory):
    page = client.get(PAGE, {"q": "e", "group_ids": [str(FIELD)]}, headers=TYPING).text

    buttons = re.findall(r'<button [^>]*name="group_ids" value="([^"]+)"\s+aria-label="([^"]+)"', page)
    assert buttons == [(str(ENGINEERS), "Add to Engineers"), (str(ADMINS), "Add to Admins")]


def test_search_button_adds_to_no_group(client, directory):
    page = join(client, FIELD, look="groups", q="e").text

    assert f'value="{FIELD}" checked' in page
    assert all(call.request.method == "GET" for call in directory.calls)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("found", "hindrance"),
    [
        ({"population": {"id": str(BO)}}, "Only for users in another population"),
        ({"sourceType": "GATEWAY"}, "An external directory manages its members"),
    ],
)
def test_group_that_cannot_be_joined_shows_the_reason(client, directory, found, hindrance):
    directory.get("/groups").respond(json=listing("groups", group(ENGINEERS, **found)))

    page = client.get(PAGE, {"q": "e"}).text

    assert hindrance in page
    assert f'value="{ENGINEERS}"' not in page


def test_current_group_is_not_offered(client, directory):
    directory.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships", member_of(ENGINEERS)))

    page = client.get(PAGE, {"q": "e"}).text

    assert "Already a member" in page
    assert f'value="{ENGINEERS}"' not in page
    assert f'value="{FIELD}"' in page


@pytest.mark.parametrize("sought", [{"q": "e"}, {"like_id": str(BO)}])
def test_current_group_beyond_the_first_hundred_is_not_offered(client, directory, sought):
    """The group is the last of 260, which PingOne lists on three pages."""
    many = [{"id": str(uuid4()), "type": "DIRECT"} for _ in range(259)] + [member_of(ENGINEERS)]

    def page(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", "0"))
        cursor = str(start + 100) if start < 200 else ""
        return httpx.Response(200, json=listing("groupMemberships", *many[start : start + 100], cursor=cursor))

    directory.get(f"/users/{ADA}/memberOfGroups").mock(side_effect=page)
    directory.get(f"/users/{BO}/memberOfGroups").respond(
        json=listing("groupMemberships", member_of(ENGINEERS), member_of(FIELD))
    )

    text = client.get(PAGE, sought).text

    assert "Already a member" in text
    assert f'value="{ENGINEERS}"' not in text
    assert f'value="{FIELD}"' in text


def test_each_group_is_a_separate_action_on_record(client, directory):
    refused = httpx.Response(400, json=error("INVALID_DATA", "CONSTRAINT_VIOLATION", "id"))
    wire = directory.post(f"/users/{ADA}/memberOfGroups").mock(side_effect=[refused, httpx.Response(201, json={})])

    response = join(client, ENGINEERS, FIELD, ticket="INC1")

    assert (response.status_code, response.url) == (302, f"/o/acme/users/{ADA}/")
    assert [json.loads(call.request.content)["id"] for call in wire.calls] == [str(ENGINEERS), str(FIELD)]
    entries = AuditEntry.objects.current().order_by("started_at")
    assert [(entry.action, entry.outcome, entry.ticket) for entry in entries] == [
        ("group.add", "failed", "INC1"),
        ("group.add", "succeeded", "INC1"),
    ]
    summary = told(client)
    assert "Added Ada Berg to Field." in summary
    assert "Could not add Ada Berg to Engineers." in summary
    assert "/o/acme/troubleshooting/#kind-" in summary


def test_notices_tell_a_known_from_an_unknown_outcome(client, directory):
    directory.get(f"/users/{ADA}/memberOfGroups/{FIELD}").respond(json=member_of(FIELD))
    directory.post(f"/users/{ADA}/memberOfGroups").mock(
        side_effect=[httpx.Response(201, json={}), httpx.ReadTimeout("too late")]
    )

    join(client, FIELD, ENGINEERS)

    summary = told(client)
    assert "Ada Berg was already in Field." in summary
    assert "We do not know whether Ada Berg was added to Engineers." in summary
    assert "Added Ada Berg" not in summary


def test_notice_lists_all_groups_that_were_joined(client, directory):
    directory.post(f"/users/{ADA}/memberOfGroups").respond(201, json={})

    join(client, FIELD, ENGINEERS)

    assert "Added Ada Berg to 2 groups: Field, Engineers." in told(client)


def test_double_submit_joins_once(client, directory):
    wire = directory.post(f"/users/{ADA}/memberOfGroups").respond(201, json={})
    submission = str(uuid4())

    join(client, FIELD, submission=submission)
    join(client, FIELD, submission=submission)

    assert wire.call_count == 1


def test_group_with_administrator_roles_needs_confirmation(client, directory):
    wire = directory.post(f"/users/{ADA}/memberOfGroups").respond(201, json={})

    asked = join(client, ADMINS, FIELD, htmx=True)

    assert asked.status_code == 200
    assert asked.text.count("Gives administrator roles") == 1
    assert not wire.called
    assert not AuditEntry.objects.exists()

    answered = join(client, ADMINS, FIELD, htmx=True, confirmed="1")
    assert answered["HX-Redirect"] == f"/o/acme/users/{ADA}/"
    assert wire.call_count == 1  # the other group: no agent makes an administrator, confirmed or not


def test_form_needs_one_to_twenty_groups(client, directory):
    assert "Choose at least one group." in join(client).text

    directory.get(path__regex=r"/groups/").respond(404, json=error("NOT_FOUND"))
    assert "Choose at most 20 groups at once." in join(client, *(uuid4() for _ in range(21))).text
    assert client.post(PAGE, {"add": "1", "submission": str(uuid4()), "group_ids": "../x"}).status_code == 422
    assert not AuditEntry.objects.exists()


def test_form_needs_a_required_ticket(client, acme, directory):
    TicketPolicy.objects.create(organization=acme, action="group.add", requirement="required")

    response = join(client, FIELD)

    assert response.status_code == 422
    assert f'value="{FIELD}" checked' in response.text


def test_groups_of_another_user_are_previewed(client, directory):
    directory.get(f"/users/{BO}/memberOfGroups").respond(
        json=listing(
            "groupMemberships",
            member_of(ENGINEERS, "INDIRECT", userFilter='title eq "Engineer"'),
            member_of(ADMINS),
            member_of(FIELD),
        )
    )

    page = client.post(PAGE, {"look": "people", "like_id": str(BO)}).text

    assert "Groups of" in page
    assert f'value="{FIELD}" checked' in page
    assert f'value="{ADMINS}" checked' not in page
    assert f'value="{ADMINS}"' in page
    assert "Gives administrator roles" in page
    assert "Automatic, so it cannot be copied" in page
    assert f'value="{ENGINEERS}"' not in page
    assert not AuditEntry.objects.exists()


def test_user_to_copy_from_is_found_by_name(client, directory):
    page = client.get(PAGE, {"like": "b"}, headers=TYPING).text

    assert f'name="like_id" value="{BO}"' in page
    assert f'name="like_id" value="{ADA}"' not in page


@pytest.mark.parametrize("headers", [{}, TYPING], ids=["whole page", "fragment"])
@pytest.mark.parametrize(("field", "text"), [("like", "\u00e9" * 256), ("like", "x" * 300), ("q", "x" * 300)])
def test_long_search_is_answered(client, directory, field, text, headers):
    page = client.get(PAGE, {field: text}, headers=headers)

    assert page.status_code == 200
    assert ("was shortened to" if field == "like" else "at most 256 characters") in page.text


def test_missing_user_is_not_found(client, directory):
    directory.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    assert client.get(PAGE).status_code == 404


def test_failed_group_search_is_shown_in_place(client, directory):
    directory.get("/groups").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))

    page = client.get(PAGE, {"q": "e"})

    assert page.status_code == 200
    assert 'data-failure="missing-permission"' in page.text


def test_hostile_names_are_escaped(client, directory):
    name = " ".join(HOSTILE_NAMES.values())[:2000]
    evil = group(ENGINEERS, name=name, description=name)
    directory.get("/groups").respond(content=json.dumps(listing("groups", evil)))
    directory.get(f"/groups/{ENGINEERS}").respond(content=json.dumps(evil))
    directory.get("/users").respond(content=json.dumps(listing("users", bo(username=name, name={"given": name}))))
    directory.get(f"/users/{BO}").respond(content=json.dumps(bo(name={"given": name})))
    directory.get(f"/users/{BO}/memberOfGroups").respond(
        content=json.dumps(listing("groupMemberships", {"id": str(FIELD), "type": "DIRECT", "name": name}))
    )
    directory.post(f"/users/{ADA}/memberOfGroups").respond(201, json={})

    pages = client.get(PAGE, {"q": "e", "like": "b", "like_id": str(BO)}).text
    join(client, ENGINEERS)

    assert "<script>alert" not in pages + told(client)
    assert "<img src=x" not in pages


def test_copied_groups_are_ticked_up_to_the_limit(client, directory):
    many = [{"id": str(uuid4()), "type": "DIRECT", "name": "Some"} for _ in range(30)]
    directory.get(f"/users/{BO}/memberOfGroups").respond(json=listing("groupMemberships", *many))
    roles = directory.get(path__regex=r"/groups/[^/]+/roleAssignments$").respond(json=listing("roleAssignments"))

    page = client.get(PAGE, {"like_id": str(BO)}).text

    assert page.count('name="group_ids"') == 30
    assert page.count(" checked>") == 20
    assert roles.call_count == 20
