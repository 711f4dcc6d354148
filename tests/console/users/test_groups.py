"""Group pages: search, details, members and the CSV export."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx
from django.http import HttpResponse
from django.test import Client

from console.models import AuditEntry, Operator

FIELD = "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910"
MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
HOSTILE = "<b>=cmd</b> {{ 7*7 }} \u202eevil"

BrowserOf = Callable[[Operator], Client]


def field_engineers(**changes: Any) -> dict[str, Any]:
    return {"id": FIELD, "name": "Field engineers", "directMemberCounts": {"users": 41}} | changes


def mara(**changes: Any) -> dict[str, Any]:
    return {"id": MARA, "username": "mara.lind", "name": {"given": "Mara", "family": "Lind"}, "enabled": True} | changes


def users_page(*members: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    links = {"next": {"href": f"https://api.pingone.test/v1/users?cursor={cursor}"}} if cursor else {}
    return {"_embedded": {"users": list(members)}, "_links": links, "size": len(members)}


def groups_page(*found: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    links = {"next": {"href": f"https://api.pingone.test/v1/groups?cursor={cursor}"}} if cursor else {}
    return {"_embedded": {"groups": list(found)}, "_links": links, "count": len(found)}


def answer(pingone: respx.MockRouter, group: dict[str, Any], *members: dict[str, Any], roles: int = 0) -> None:
    pingone.get(f"/groups/{FIELD}").respond(json=group)
    pingone.get(f"/groups/{FIELD}/roleAssignments").respond(
        json={"_embedded": {"roleAssignments": [{"id": MARA}] * roles}}
    )
    pingone.get("/users").respond(json=users_page(*members))


def text_of(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_group_list_needs_one_call(browser_of: BrowserOf, auditor: Operator, pingone: respx.MockRouter) -> None:
    route = pingone.get("/groups").respond(
        json=groups_page(field_engineers(), field_engineers(id=MARA, name="Adults", userFilter='title eq "x"'))
    )

    text = text_of(browser_of(auditor).get("/o/acme/groups/"))  # type: ignore[arg-type]

    assert "Field engineers" in text
    assert "Static" in text
    assert "Dynamic" in text
    assert "41" in text
    assert route.call_count == 1
    assert "filter" not in route.calls.last.request.url.params


def test_group_search_compares_name_prefixes_and_has_pages(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    route = pingone.get("/groups").respond(json=groups_page(field_engineers(), cursor="abc"))
    client = browser_of(helpdesk)

    text = client.get("/o/acme/groups/?q=Fi%22eld").content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', text)
    assert following
    client.get(following[1].replace("&amp;", "&"))

    asked = [call.request.url.params for call in route.calls]
    assert [params["filter"] for params in asked] == ['name sw "Fi\\"eld"'] * 2
    assert asked[1]["cursor"] == "abc"


def test_stale_cursor_leads_back_to_the_first_page(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    pingone.get("/groups").respond(json=groups_page(field_engineers()))

    response = browser_of(helpdesk).get("/o/acme/groups/?q=Field&cursor=99.abc", follow=True)

    assert response.redirect_chain == [("/o/acme/groups/?q=Field", 302)]
    assert "The list is back on its first page" in response.content.decode()
    assert "/o/acme/troubleshooting/#kind-stale-cursor" in response.content.decode()


def test_group_page_shows_details_and_members(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers(description="Outdoor crew", totalMemberCounts={"users": 50}), mara())

    text = text_of(browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/"))  # type: ignore[arg-type]

    assert "Outdoor crew" in text
    assert "50, 41 of them direct" in text
    assert "Mara Lind" in text
    assert f"/users/{MARA}/actions/group.remove/?group_id={FIELD}" in text
    assert pingone.calls.call_count == 3
    assert "administrator roles" not in text
    assert f'href="/o/acme/audit/?group={FIELD}"' in text


@pytest.mark.parametrize(
    ("total", "direct", "said"),
    [
        (None, None, "\u2013"),
        (None, 41, "41 direct"),
        (50, None, "50"),
        (41, 41, "41"),
        (50, 41, "50, 41 of them direct"),
        (0, 0, "0"),
    ],
)
def test_group_page_shows_the_known_number_of_members(
    browser_of: BrowserOf,
    helpdesk: Operator,
    pingone: respx.MockRouter,
    total: int | None,
    direct: int | None,
    said: str,
) -> None:
    counts = {"totalMemberCounts": {"users": total}, "directMemberCounts": {"users": direct}}
    answer(pingone, field_engineers(**counts))

    text = text_of(browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/"))  # type: ignore[arg-type]

    assert f"<dt>Members</dt> <dd> {said} </dd>" in text


def test_member_search_is_limited_to_the_group(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers())

    text = text_of(browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/?q=mara@acme.test"))  # type: ignore[arg-type]

    asked = next(call.request.url for call in pingone.calls if call.request.url.path.endswith("/users"))
    assert asked.params["filter"].endswith(f'and memberOfGroups[id eq "{FIELD}"]')
    assert 'email sw "mara@acme.test"' in asked.params["filter"]
    assert "No members match “mara@acme.test”." in text


def test_group_page_finds_users_to_add(
    browser_of: BrowserOf, helpdesk: Operator, auditor: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers(), mara())
    add = f"/users/{MARA}/actions/group.add/?group_id={FIELD}"

    assert add in browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/?add=mara").content.decode()
    assert add not in browser_of(auditor).get(f"/o/acme/groups/{FIELD}/?add=mara").content.decode()


def test_group_page_warns_about_administrator_roles(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers(), roles=1)

    assert "This group gives administrator roles." in text_of(
        browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/")  # type: ignore[arg-type]
    )


def test_group_that_gives_roles_offers_its_members_to_org_admins_alone(
    browser_of: BrowserOf, helpdesk: Operator, org_admin: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers(), mara(), roles=1)
    page = f"/o/acme/groups/{FIELD}/"

    of_agent = browser_of(helpdesk).get(page).content.decode()
    of_admin = browser_of(org_admin).get(page).content.decode()

    assert "/actions/group.remove/" in of_admin
    assert 'id="add-heading"' in of_admin
    assert "/actions/" not in of_agent
    assert 'id="add-heading"' not in of_agent
    assert f"Ask an org admin of Acme: {org_admin.email}." in of_agent


def test_group_page_shows_partial_failures_in_place(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    pingone.get(f"/groups/{FIELD}").respond(json=field_engineers())
    pingone.get(f"/groups/{FIELD}/roleAssignments").respond(403, json={"code": "ACCESS_FAILED"})
    pingone.get("/users").respond(500, json={"code": "UNEXPECTED_ERROR", "id": "e-77"})

    response = browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/")

    assert response.status_code == 200
    assert "Field engineers" in response.content.decode()
    assert "e-77" in response.content.decode()
    assert "Could not be read" in response.content.decode()


def test_missing_group_is_not_found(browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter) -> None:
    pingone.get(f"/groups/{FIELD}").respond(404, json={"code": "NOT_FOUND"})
    pingone.get(f"/groups/{FIELD}/roleAssignments").respond(404, json={"code": "NOT_FOUND"})
    pingone.get("/users").respond(json=users_page())

    assert browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/").status_code == 404


def test_too_long_search_for_a_member_is_shortened_and_says_so(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    answer(pingone, field_engineers())

    response = browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/", {"q": "\U0001f600" * 250})

    assert "It was shortened to" in response.content.decode()


def test_member_export_is_safe_for_spreadsheets_and_on_record(
    browser_of: BrowserOf, auditor: Operator, pingone: respx.MockRouter
) -> None:
    pingone.get(f"/groups/{FIELD}").respond(json=field_engineers())
    pages = [users_page(mara(username="=1+1"), cursor="abc"), users_page(mara(email="m@acme.test", enabled=False))]
    pingone.get("/users").mock(side_effect=[httpx.Response(200, json=page) for page in pages])

    response = browser_of(auditor).get(f"/o/acme/groups/{FIELD}/members.csv")

    lines = b"".join(response.streaming_content).decode().removeprefix("\ufeff").splitlines()  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == f'attachment; filename="group-{FIELD}.csv"'
    assert lines == [
        "User ID,Username,Name,E-mail,Population,Enabled",
        f"{MARA},'=1+1,Mara Lind,,,True",
        f"{MARA},mara.lind,Mara Lind,m@acme.test,,False",
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id, entry.operator) == ("group.members-exported", FIELD, auditor)


def test_interrupted_export_is_marked_incomplete(
    browser_of: BrowserOf, auditor: Operator, pingone: respx.MockRouter
) -> None:
    pingone.get(f"/groups/{FIELD}").respond(json=field_engineers())
    answers = [httpx.Response(200, json=users_page(mara(), cursor="abc")), httpx.Response(400, json={})]
    pingone.get("/users").mock(side_effect=answers)

    response = browser_of(auditor).get(f"/o/acme/groups/{FIELD}/members.csv")

    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[-1].startswith("INCOMPLETE: ")


def test_export_of_a_list_without_end_stops(
    browser_of: BrowserOf, auditor: Operator, pingone: respx.MockRouter
) -> None:
    pingone.get(f"/groups/{FIELD}").respond(json=field_engineers())
    route = pingone.get("/users").respond(json=users_page(cursor="abc"))

    response = browser_of(auditor).get(f"/o/acme/groups/{FIELD}/members.csv")

    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[-1].startswith("INCOMPLETE: ")
    assert route.call_count == 2


def test_member_export_is_not_for_agents(browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter) -> None:
    answer(pingone, field_engineers())

    assert "members.csv" not in browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/").content.decode()
    assert browser_of(helpdesk).get(f"/o/acme/groups/{FIELD}/members.csv").status_code == 403


@pytest.mark.parametrize("page", ["", f"{FIELD}/"])
def test_hostile_group_names_are_escaped(
    browser_of: BrowserOf, helpdesk: Operator, pingone: respx.MockRouter, page: str
) -> None:
    hostile = field_engineers(name=HOSTILE, description=HOSTILE, userFilter=HOSTILE)
    if page:
        answer(pingone, hostile, mara(username=HOSTILE, email=HOSTILE, name={"given": HOSTILE}))
    else:
        pingone.get("/groups").respond(json=groups_page(hostile))

    text = browser_of(helpdesk).get(f"/o/acme/groups/{page}").content.decode()

    assert "<b>=cmd" not in text
    assert "&lt;b&gt;=cmd&lt;/b&gt; {{ 7*7 }}" in text
