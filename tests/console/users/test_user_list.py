"""The user list: search with one call to PingOne, filters, pages and failures."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.cache import cache
from django.urls import reverse

from pingone_integration.models import Connection
from tests.support.answers import ADA, BO, ENGINEERS, HOSTILE_NAMES, STAFF, ada, bo, error, listing

URL = "/o/acme/users/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/o/acme/users/"}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


@pytest.fixture
def populations(pingone):
    """Mock the populations for the filter, which only a full page reads."""
    answer = listing("populations", {"id": str(STAFF), "name": "Staff"}, {"id": str(BO), "name": "Partners"})
    return pingone.get("/populations").respond(json=answer)


@pytest.fixture
def whole(browser_of, helpdesk):
    """Return a function that gets the list as a helpdesk agent."""
    return lambda url=URL, **headers: browser_of(helpdesk).get(url, headers=headers)


@pytest.fixture
def results(browser_of, helpdesk):
    """Return a function that gets only the results of a search, as htmx does."""
    return lambda url=URL, **headers: browser_of(helpdesk).get(url, headers=HTMX | headers)


def text_of(response):
    return unescape(response.text)


@pytest.mark.parametrize("person", ["org_admin", "helpdesk", "auditor"])
def test_user_list_is_for_every_member(browser_of, request, pingone, populations, person):
    pingone.get("/users").respond(json=listing("users", ada(), bo()))

    response = browser_of(request.getfixturevalue(person)).get(URL)

    assert "Ada Berg" in response.text
    assert f'href="/o/acme/users/{ADA}/"' in response.text
    assert "bo.ek" in response.text  # shown because there is no name


@pytest.mark.parametrize("url", [URL, f"{URL}?q={ADA}", f"{URL}group-choices/?group_search=a"])
def test_user_list_is_not_found_for_strangers(browser_of, stranger, acme, pingone, url):
    assert browser_of(stranger).get(url).status_code == 404


def test_page_needs_one_call_after_the_populations_are_cached(whole, pingone, populations):
    calls = pingone.get("/users").respond(json=listing("users", ada(), bo()))
    whole()
    whole(f"{URL}?population={STAFF}")

    assert (calls.call_count, populations.call_count) == (2, 1)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "Active"),
        ({"enabled": False}, "Deactivated"),
        ({"account": {"status": "LOCKED"}}, "Locked"),
        ({"account": {"status": "LOCKED", "unlockAt": "2099-12-01T09:30:00Z"}}, "Locked until 1 Dec 2099, 09:30"),
        ({"lifecycle": {"status": "VERIFICATION_REQUIRED"}}, "Not verified"),
        ({"_embedded": {"password": {"status": "OK"}}}, "Active"),
        ({"_embedded": {"password": {"status": "PASSWORD_LOCKED_OUT"}}}, "Password locked"),
        ({"_embedded": {"password": {"status": "PASSWORD_EXPIRED"}}}, "Password expired"),
        ({"_embedded": {"password": {"status": "NO_PASSWORD"}}}, "No password"),
        ({"_embedded": {"password": {"status": None}}}, "Active"),
        ({"account": None}, "Unknown"),
    ],
)
def test_row_shows_the_status_with_one_call(results, pingone, changes, status):
    call = pingone.get("/users").respond(json=listing("users", ada(**changes)))

    cell = results().text.split('data-label="Status">')[1].split("</td>")[0]

    assert " ".join(re.sub("<[^>]*>", "", cell).split()) == status
    assert 'data-answer="yes"' not in cell
    assert call.call_count == 1


def test_row_leads_to_the_user_and_tells_times_exactly(results, pingone):
    until = {"status": "LOCKED", "unlockAt": "2099-12-01T09:30:00Z"}
    pingone.get("/users").respond(json=listing("users", ada(account=until), bo(username="{name} {0} {{x}}")))

    rows = results().text

    assert f'href="{reverse("user", args=["acme", ADA])}"' in rows
    assert 'Locked until <time datetime="2099-12-01T09:30:00Z"' in rows
    assert '<time datetime="2026-11-20T06:41:12Z" title="2026-11-20 06:41:12 UTC">20 Nov 2026, 06:41</time>' in rows
    assert "<bdi>{name} {0} {{x}}</bdi>" in rows  # a username is no place to fill in


def test_search_while_typing_needs_one_call(results, pingone):
    call = pingone.get("/users").respond(json=listing("users", ada()))

    response = results(f"{URL}?q=ada&population=&enabled=&limit=50")

    assert call.call_count == 1
    assert call.calls.last.request.url.params["limit"] == "50"
    assert 'username sw "ada"' in call.calls.last.request.url.params["filter"]
    assert "Ada Berg" in response.text
    assert "<html" not in response.text


def test_filters_narrow_the_search(whole, pingone, populations):
    call = pingone.get("/users").respond(json=listing("users", ada()))
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Field engineers"})

    response = whole(f"{URL}?population={STAFF}&group={ENGINEERS}&enabled=false")

    assert call.calls.last.request.url.params["filter"] == (
        f'population.id eq "{STAFF}" and memberOfGroups[id eq "{ENGINEERS}"] and enabled eq false'
    )
    assert "Field engineers" in response.text
    assert f'<option value="{STAFF}" selected>Staff</option>' in response.text


def test_list_works_without_the_names_for_the_filters(whole, pingone):
    pingone.get("/users").respond(json=listing("users", ada()))
    pingone.get("/populations").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))
    pingone.get(f"/groups/{ENGINEERS}").respond(404, json=error("NOT_FOUND"))

    response = whole(f"{URL}?population={STAFF}&group={ENGINEERS}")

    assert "Ada Berg" in response.text
    assert f'<option value="{STAFF}" selected>Population {STAFF}</option>' in response.text


@pytest.mark.parametrize("htmx", [False, True])
def test_search_for_a_user_id_leads_to_the_user(whole, results, pingone, htmx):
    response = (results if htmx else whole)(f"{URL}?q=%20{str(ADA).upper()}")

    assert response.headers["HX-Redirect" if htmx else "Location"].startswith(f"/o/acme/users/{ADA}/")


def test_pages_follow_the_cursor_of_pingone_and_keep_the_search(whole, pingone, populations):
    second = pingone.get("/users", params={"cursor": "to-two"}).respond(json=listing("users", bo(), back="to-one"))
    first = pingone.get("/users", params={"limit": 50}).respond(json=listing("users", ada(), cursor="to-two"))
    url = unescape(whole(f"{URL}?q=a+b&limit=50").text.split('rel="next" href="')[1].split('"')[0])
    query = parse_qs(urlsplit(url).query)
    assert (query["q"], query["limit"], first.called) == (["a b"], ["50"], True)

    response = whole(url)

    assert second.called
    assert "bo.ek" in response.text
    assert 'rel="next"' not in response.text
    assert 'rel="prev"' in response.text
    assert 'href="/o/acme/users/?q=a+b&amp;limit=50"' in response.text  # the first page


def test_short_page_says_that_more_users_follow(whole, pingone, populations):
    pingone.get("/users").respond(json=listing("users", ada(), cursor="on"))

    assert "1 user on this page, more on the next" in whole().text


def test_number_of_users_is_shown_if_pingone_counts(whole, pingone, populations):
    pingone.get("/users").respond(json=listing("users", ada(), count=1284))

    assert "1284 users" in whole().text


def test_empty_page_in_the_middle_links_to_the_next(whole, pingone, populations):
    pingone.get("/users").respond(json=listing("users", cursor="on"))

    response = whole()

    assert "No users on this page" in response.text
    assert 'rel="next"' in response.text


def test_empty_last_page_links_back(whole, pingone, populations):
    pingone.get("/users").respond(json={"_links": {}, "size": 0})

    response = whole(f"{URL}?q=ada&cursor=0.abc")

    assert "No more users" in response.text
    assert "First page" in response.text


def test_empty_environment_differs_from_an_empty_result(whole, pingone, populations):
    pingone.get("/users").respond(json={"size": 0})

    assert "There are no users in the populations" in whole().text
    assert "No user found" in whole(f"{URL}?enabled=true").text


def test_empty_result_shows_the_search_and_a_wider_search(whole, pingone, populations):
    pingone.get("/users").respond(json=listing("users"))

    response = whole(f"{URL}?q=lind,+mara&population={STAFF}")

    assert "names starting with “lind mara”, in any order, within the filters above" in text_of(response)
    assert "try Müller, Mueller and Muller" in text_of(response)
    assert 'href="/o/acme/users/?q=lind%2C+mara">Search without filters' in response.text


@pytest.mark.parametrize("query", ["limit=7", "limit=-1", "limit=x", "limit=100000", "limit="])
def test_unknown_page_size_becomes_the_smallest(whole, pingone, populations, query):
    call = pingone.get("/users").respond(json=listing("users", ada()))

    assert whole(f"{URL}?{query}").status_code == 200
    assert call.calls.last.request.url.params["limit"] == "25"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("population=staff", "This is not a population."),
        ("group=engineers", "This is not a group."),
        ("enabled=perhaps", "perhaps is not one of the available choices."),
        ("q=%00", "Null characters are not allowed."),
        ("filter=title+eq+%22A", "A closing quotation mark is missing."),
    ],
)
@pytest.mark.parametrize("htmx", [False, True])
def test_invalid_search_is_explained_without_a_call(whole, results, pingone, query, complaint, htmx):
    if not htmx:
        pingone.get("/populations").respond(json=listing("populations"))

    response = (results if htmx else whole)(f"{URL}?{query}")

    assert response.status_code == 422
    assert complaint in text_of(response)
    assert "See the message next to the field." in response.text


@pytest.mark.parametrize("htmx", [False, True])
def test_refused_filter_is_explained_at_its_field(whole, results, pingone, htmx):
    if not htmx:
        pingone.get("/populations").respond(json=listing("populations"))
    pingone.get("/users").respond(
        400, json=error("INVALID_DATA", "INVALID_FILTER", "filter", supportedAttributes=["username", "<b>email"])
    )

    response = (results if htmx else whole)(f'{URL}?filter=mfaEnabled eq "true"')

    assert response.status_code == 422
    field = response.text.split('"innerHTML:#filter-errors"' if htmx else 'id="filter-errors"')[1].split("</div>")[0]
    assert "You can filter by username, &lt;b&gt;email." in field


def test_refused_filter_lists_the_known_attributes(results, pingone):
    pingone.get("/users").respond(400, json=error("INVALID_DATA", "INVALID_FILTER", "filter"))

    assert "You can filter by username, email, name.given" in results(f'{URL}?filter=x eq "y"').text


@pytest.mark.parametrize("htmx", [False, True])
def test_failure_is_shown_in_place_and_keeps_the_search(whole, results, pingone, htmx):
    if not htmx:
        pingone.get("/populations").respond(json=listing("populations"))
    pingone.get("/users").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))
    response = (results if htmx else whole)(f"{URL}?q=ada&limit=50")

    assert response.status_code == 403
    assert "PingOne does not allow this" in response.text
    assert "a8f8ecb4-df02-4e4a-a94d-a60c3299d5b6" in response.text
    assert 'href="/o/acme/users/?q=ada&amp;limit=50"' in response.text  # Try again
    assert htmx or 'value="ada"' in response.text


def test_missing_connection_is_reported_without_a_call(whole, acme, pingone):
    acme.connection.state = Connection.State.NOT_CONNECTED
    acme.connection.save()

    response = whole(f"{URL}?q=ada")

    assert response.status_code == 409
    assert "This organization is not connected to PingOne" in response.text
    assert 'value="ada"' in response.text


@pytest.mark.parametrize("fail", [httpx.ConnectError, httpx.ReadTimeout])
def test_unreachable_pingone_is_shown_in_place(results, pingone, fail):
    pingone.get("/users").mock(side_effect=fail)

    response = results(f"{URL}?q=ada")

    assert response.status_code in {502, 504}
    assert "Try again" in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize("htmx", [False, True])
def test_refused_cursor_leads_to_the_first_page_with_a_notice(browser_of, helpdesk, pingone, htmx):
    browser = browser_of(helpdesk)
    pingone.get("/users", params__contains={"cursor": "old"}).respond(400, json=error("INVALID_REQUEST"))
    pingone.get("/users").respond(json=listing("users", ada(), bo()))
    if not htmx:
        pingone.get("/populations").respond(json=listing("populations"))

    response = browser.get(f"{URL}?q=ada&cursor=0.old", headers=HTMX if htmx else {}, follow=True)

    assert response.redirect_chain == [(f"{URL}?q=ada", 302)]
    assert "Ada Berg" in response.text
    assert "The list is back on its first page" in response.text


def test_cursor_of_an_old_token_leads_to_the_first_page_without_a_call(browser_of, helpdesk, pingone):
    Connection.objects.update(token_version=3)

    assert browser_of(helpdesk).get(f"{URL}?cursor=2.abc").headers["Location"] == URL


@pytest.mark.parametrize(
    ("before", "after", "header"),
    [
        ("", "q=a", "HX-Push-Url"),  # first search: Back leads to the full list
        ("q=a", "q=ad", "HX-Replace-Url"),  # the same search, typed further
        ("q=ad", "q=ad&limit=50", "HX-Push-Url"),
        ("q=ad", "q=ad&cursor=0.x", "HX-Push-Url"),
        ("q=ad", "q=ad", "HX-Replace-Url"),
    ],
)
def test_url_follows_the_search(results, pingone, before, after, header):
    pingone.get("/users").respond(json=listing("users", ada(), bo()))

    response = results(f"{URL}?{after}&population=&enabled=", **{"HX-Current-URL": f"http://testserver{URL}?{before}"})

    assert response.headers[header] == f"{URL}?{after}"


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_names_are_escaped(whole, pingone, populations, name):
    hostile = ada(name={"given": name}, username=name, email=name, _embedded={"population": {"name": name}})
    pingone.get("/users").mock(return_value=httpx.Response(200, content=json.dumps(listing("users", hostile))))

    response = whole()

    assert response.status_code == 200
    shown = text_of(response)
    assert name.translate({0: "\ufffd", 0x1B: "\ufffd", 0xD83D: "\ufffd"}) in shown
    assert "<script>alert" not in response.text
    assert "<img src=x" not in response.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><b>x', "{{7*7}}", "\u202ex"])
def test_hostile_search_text_is_escaped(whole, pingone, populations, text):
    pingone.get("/users").respond(json=listing("users"))

    response = whole(f"{URL}?q={text}")

    assert "<script>alert" not in response.text
    assert '"><b>' not in response.text
    assert text in text_of(response)


def test_group_choices_appear_while_typing(results, pingone):
    pingone.get("/groups").respond(json=listing("groups", {"id": str(ENGINEERS), "name": "<b>Field"}, cursor="on"))

    response = results(f"{URL}group-choices/?group_search=fie&q=ada&limit=25")

    assert f'href="/o/acme/users/?q=ada&amp;group={ENGINEERS}"' in response.text
    assert "&lt;b&gt;Field" in response.text
    assert "More groups match." in response.text


def test_group_choices_work_without_javascript(whole, pingone, populations):
    pingone.get("/users").respond(json=listing("users", ada()))
    pingone.get("/groups").respond(json=listing("groups", {"id": str(ENGINEERS), "name": "Field engineers"}))

    response = whole(f"{URL}?group_search=fie")

    assert f'href="/o/acme/users/?group={ENGINEERS}"' in response.text


def test_name_of_the_chosen_group_needs_no_call(results, whole, pingone, populations):
    pingone.get("/groups").respond(json=listing("groups", {"id": str(ENGINEERS), "name": "Field engineers"}))
    pingone.get("/users").respond(json=listing("users", ada()))
    results(f"{URL}group-choices/?group_search=fie")

    assert "Field engineers" in whole(f"{URL}?group={ENGINEERS}").text


def test_failed_group_search_keeps_the_rest_of_the_page(results, pingone):
    pingone.get("/groups").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))

    response = results(f"{URL}group-choices/?group_search=fie")

    assert "PingOne does not allow this" in response.text
    assert "HX-Retarget" not in response.headers


@pytest.mark.parametrize(
    ("url", "htmx", "opens"),
    [
        (f"{URL}?q=ada", False, True),  # a link of a ticket system, or Enter without JavaScript
        (f"{URL}?q=ada&population={STAFF}&enabled=true", False, True),
        (f"{URL}?q=ada&entered=1", True, True),  # Enter
        (f"{URL}?q=ada", True, False),  # still typing
        (f"{URL}?q=ada&show=list", False, False),  # back from the user's page
        (f"{URL}?enabled=true", False, False),
        (f"{URL}?enabled=true&entered=1", True, False),
        (URL, False, False),
    ],
)
def test_only_match_of_an_entered_search_opens(whole, results, pingone, url, htmx, opens):
    call = pingone.get("/users").respond(json=listing("users", ada()))
    if not htmx and not opens:
        pingone.get("/populations").respond(json=listing("populations"))

    response = (results if htmx else whole)(url)

    assert response.headers.get("HX-Redirect" if htmx else "Location") == (f"/o/acme/users/{ADA}/" if opens else None)
    assert call.call_count == 1


@pytest.mark.parametrize(
    "answer", [listing("users", ada(), bo()), listing("users", ada(), cursor="on"), listing("users")], ids=len
)
def test_entered_search_with_another_number_of_matches_stays_a_list(results, pingone, answer):
    pingone.get("/users").respond(json=answer)

    assert results(f"{URL}?q=ada&entered=1").status_code == 200


def test_way_back_from_the_only_match_is_the_list(results, pingone):
    pingone.get("/users").respond(json=listing("users", ada()))

    response = results(f"{URL}?q=ad", **{"HX-Current-URL": f"http://testserver{URL}?q=a"})

    assert response.headers["HX-Replace-Url"] == f"{URL}?q=ad&show=list"
    response = results(f"{URL}?q=ad&entered=&limit=25", **{"HX-Current-URL": f"http://testserver{URL}?q=a&show=list"})
    assert response.headers["HX-Redirect"] == f"/o/acme/users/{ADA}/"


@pytest.mark.parametrize("typed", [f"{ADA}", f"{{{str(ADA).upper()}}}", f"ID: {ADA}", f"https://x.test/users/{ADA}"])
def test_user_id_that_nobody_has_is_searched_as_text_with_one_more_call(browser_of, helpdesk, pingone, typed):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))
    call = pingone.get("/users").respond(json=listing("users", bo(username=str(ADA)), ada()))
    pingone.get("/populations").respond(json=listing("populations"))

    response = browser_of(helpdesk).get(URL, {"q": typed}, follow=True)

    assert response.status_code == 200
    found = call.calls.last.request.url.params["filter"].lower()
    assert f'username sw "{ADA}"' in found
    assert f'externalid sw "{ADA}"' in found
    assert call.call_count == 1


def test_user_id_that_somebody_has_costs_one_call(browser_of, helpdesk, pingone):
    call = pingone.get(f"/users/{ADA}").respond(json=ada())

    response = browser_of(helpdesk).get(URL, {"q": f"ID: {ADA}"}, follow=True)

    assert "Ada Berg" in response.text
    assert call.call_count == 1


def test_unknown_user_id_in_an_address_is_not_found(browser_of, helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    assert browser_of(helpdesk).get(f"{URL}{ADA}/").status_code == 404


@pytest.mark.parametrize("text", ["Wolfeschlegelstein " * 30, "佐藤" * 400, "a " * 300])
def test_search_that_is_too_long_is_shortened_and_says_so(results, pingone, text):
    call = pingone.get("/users").respond(json=listing("users"))

    response = results(f"{URL}?q={text}&population={STAFF}&enabled=true")

    assert response.status_code == 200
    assert "It was shortened to “" in text_of(response)
    assert f'population.id eq "{STAFF}" and enabled eq true' in call.calls.last.request.url.params["filter"]


def test_national_phone_number_is_searched_with_the_countries_of_the_organization(results, pingone, acme):
    call = pingone.get("/users").respond(json=listing("users", ada(), bo()))
    assert "add the country code" in results(f"{URL}?q=070-987 65 41").text
    acme.countries = "SE NO"
    acme.save()

    response = results(f"{URL}?q=070-987 65 41")

    assert "add the country code" not in response.text
    assert 'mobilePhone sw "+46.709876541"' in call.calls.last.request.url.params["filter"]
