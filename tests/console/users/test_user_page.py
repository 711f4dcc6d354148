"""The user page: the account with one call, and panels that load and fail separately."""

import json
import re
from html import unescape
from uuid import uuid4

import httpx
import pytest
from django.core import signing

from console.users.panels import PANELS
from tests.support.answers import ADA, BO, ENGINEERS, HOSTILE_NAMES, STAFF, ada, answer_panels, error, listing

URL = f"/o/acme/users/{ADA}/"
HTMX = {"HX-Request": "true"}
PANEL_CALLS = {
    "password": ["password"],
    "devices": ["devices", "bypassMFA"],
    "groups": ["memberOfGroups"],
    "sessions": ["sessions"],
}


@pytest.fixture
def whole(browser_of, helpdesk):
    """Return a function that gets a full page as a helpdesk agent."""
    return lambda url=URL: browser_of(helpdesk).get(url)


@pytest.fixture
def panel(browser_of, helpdesk):
    """Return a function that gets a panel as htmx does."""
    return lambda key, query="": browser_of(helpdesk).get(f"{URL}panels/{key}/{query}", headers=HTMX)


def words_of(response):
    """Return the text of the page without tags and with single spaces."""
    parts = response.text.replace("<", ">\x00<").split(">")
    return " ".join(unescape(" ".join(part for part in parts if "<" not in part).replace("\x00", "")).split())


@pytest.mark.parametrize("person", ["org_admin", "helpdesk", "auditor"])
def test_user_page_is_for_every_member_and_needs_one_call(browser_of, request, pingone, person):
    call = pingone.get(f"/users/{ADA}").respond(json=ada())

    response = browser_of(request.getfixturevalue(person)).get(URL)

    assert call.call_count == 1
    words = words_of(response)
    for shown in ("Ada Berg", "ada.berg", "ada.berg@acme.test", "203.0.113.24", "Staff", "Analyst", str(ADA)):
        assert shown in words


@pytest.mark.parametrize("path", ["", "?panels=all", "panels/groups/"])
def test_user_page_is_not_found_for_strangers(browser_of, stranger, acme, pingone, path):
    assert browser_of(stranger).get(URL + path).status_code == 404


def test_unknown_panel_is_not_found(whole, pingone):
    assert whole(f"{URL}panels/secrets/").status_code == 404


def test_missing_user_page_links_to_the_search(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    response = whole()

    assert response.status_code == 404
    assert "PingOne cannot find this" in response.text
    assert 'href="/o/acme/users/"><svg' in response.text.split("<h1>")[1]  # Search again


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No lock on the account. Password and MFA not read yet."),
        ({"enabled": False}, "Deactivated. They cannot sign in until someone activates them."),
        ({"enabled": False}, "How to fix it: Activate"),
        ({"account": {"status": "LOCKED"}}, "Locked. It stays locked until someone unlocks it."),
        ({"account": {"status": "LOCKED", "unlockAt": "2099-12-01T09:30:00Z"}}, "It unlocks on 1 Dec 2099 at 09:30."),
        ({"account": {"status": "LOCKED", "lockedAt": "2026-11-20T09:30:00Z"}}, "Locked since 20 Nov 2026, 09:30"),
        ({"lifecycle": {"status": "VERIFICATION_REQUIRED"}}, "Not verified. They cannot sign in until"),
        ({"lastSignOn": None}, "Last sign-in Never"),
        ({"mfaEnabled": False}, "MFA Off"),
        ({"mfaEnabled": True}, "MFA On"),
        ({"identityProvider": {"type": "SAML"}}, "Signs in with SAML"),
    ],
)
def test_account_is_explained_in_words(whole, pingone, changes, said):
    pingone.get(f"/users/{ADA}").respond(json=ada(**changes))

    assert said in words_of(whole()).replace(" .", ".").replace(" :", ":").replace(" ,", ",")


def test_suggested_actions_stand_out_and_deletion_is_apart(browser_of, org_admin, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False, account={"status": "LOCKED"}))

    page = browser_of(org_admin).get(URL).text

    account, profile = page.split('id="account"')[1].split('id="profile"')
    buttons = re.findall(r'class="(btn btn-sm[^"]*)"[^>]*>([^<]+)<', account)
    helpful = [label for style, label in buttons if "btn-primary" in style]
    assert helpful == [label for _, label in buttons][:2] == ["Activate", "Unlock account"]
    assert "Delete user" not in account
    assert "Delete user" in profile


def test_user_without_a_name_is_shown_by_username(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(name=None))

    assert "<bdi>ada.berg</bdi></h1>" in whole().text


def test_custom_attributes_are_part_of_the_profile(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(
        json=ada(costCentre="4711", skills=["forklift", "first aid"], badge={"colour": "red"}, contractor=False)
    )

    words = words_of(whole())

    for shown in ("costCentre 4711", "skills forklift first aid", 'badge {"colour": "red"}', "contractor false"):
        assert shown in words


@pytest.mark.parametrize("panel_", PANELS, ids=lambda panel: panel.key)
def test_each_panel_needs_one_call_and_mfa_two(panel, pingone, panel_):
    calls = [pingone.get(f"/users/{ADA}/{path}").respond(json={}) for path in PANEL_CALLS[panel_.key]]

    response = panel(panel_.key)

    assert [call.call_count for call in calls] == [1] * len(calls)
    assert response.status_code == 200
    assert 'class="user-panel"' in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize("panel_", PANELS, ids=lambda panel: panel.key)
def test_failed_panel_shows_the_cause_in_place(panel, pingone, panel_):
    for path in PANEL_CALLS[panel_.key]:
        pingone.get(f"/users/{ADA}/{path}").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))

    response = panel(panel_.key)

    assert "PingOne does not allow this" in response.text
    assert f'hx-get="{URL}panels/{panel_.key}/"' in response.text
    assert "HX-Retarget" not in response.headers


def test_page_shows_all_panels_without_javascript(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    answer_panels(pingone)

    words = words_of(whole(f"{URL}?panels=all"))

    for shown in (
        "Field engineers Direct",
        "Text message",
        "Password locked after too many wrong passwords. It unlocks in 2 minutes, at",
        "Last active 20 Nov 2026",
    ):
        assert shown in words


def known_of(response):
    return dict(re.findall(r'class="known" name="(\w+)" value="([^"]+)"', response.text))


@pytest.fixture
def verdict(browser_of, helpdesk):
    """Return a function that sends the page's data back as htmx does and gets the verdict."""
    return lambda known: browser_of(helpdesk).get(f"{URL}standing/", known, headers=HTMX)


def locked_out(pingone):
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "PASSWORD_LOCKED_OUT", "secondsUntilUnlock": 700})
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", {"id": str(BO), "type": "SMS"}))
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={"bypassMFAEnabledUntil": "2099-12-01T09:30:00Z"})


def test_verdict_follows_the_panels_in_any_order_without_a_call(whole, panel, verdict, pingone):
    call = pingone.get(f"/users/{ADA}").respond(json=ada())
    locked_out(pingone)
    known = known_of(whole())
    assert "Password and MFA not read yet." in words_of(verdict(known))

    devices, password = known_of(panel("devices")), known_of(panel("password"))
    calls = len(pingone.calls)

    assert "No lock on the account. Password not read yet." in words_of(verdict(known | devices))
    assert "Password locked after too many wrong passwords." in words_of(verdict(known | password))
    words = words_of(verdict(known | devices | password))
    for said in ("It unlocks in 12 minutes, at", "It ends on 1 Dec 2099", "How to fix it: Unlock password"):
        assert said in words
    assert len(pingone.calls) == calls
    assert call.call_count == 1


def test_verdict_is_the_same_with_all_panels(whole, verdict, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    locked_out(pingone)
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json={})
    pingone.get(f"/users/{ADA}/sessions").respond(json={})
    response = whole(f"{URL}?panels=all")

    def head(response):
        shown = response.text.split('id="standing"')[1].split("</section>")[0]
        return re.sub(r'name="(submission|csrfmiddlewaretoken)" value="[^"]+"', "", shown)

    assert "Password locked after too many wrong passwords." in response.text
    assert head(verdict(known_of(response))) == head(response)


def test_verdict_reports_a_password_that_could_not_be_read(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    answer_panels(pingone)
    pingone.get(f"/users/{ADA}/password").respond(500, json=error("UNEXPECTED_ERROR"))

    assert "No lock on the account. Password could not be read." in words_of(whole(f"{URL}?panels=all"))


def refused(pingone, *paths):
    for path in paths:
        pingone.get(f"/users/{ADA}/{path}").respond(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))


def test_verdict_reports_a_panel_that_failed_to_load(whole, panel, verdict, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    refused(pingone, "devices", "bypassMFA", "password")
    known = known_of(whole())

    with_mfa = known | known_of(panel("devices"))
    with_both = with_mfa | known_of(panel("password"))

    assert "No lock on the account. Password not read yet. MFA could not be read." in words_of(verdict(with_mfa))
    assert "No lock on the account. Password and MFA could not be read." in words_of(verdict(with_both))


def test_verdict_reads_a_panel_that_loads_at_the_second_try(whole, panel, verdict, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    refused(pingone, "password")
    known = known_of(whole())
    failed = known_of(panel("password"))
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "OK"})

    loaded = known_of(panel("password"))

    assert failed.keys() == loaded.keys() == {"password"}
    assert "MFA not read yet." in words_of(verdict(known | loaded))
    assert "The password works." in words_of(verdict(known | loaded))


def test_page_with_all_panels_keeps_the_failure_for_the_verdict(whole, verdict, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    answer_panels(pingone)
    refused(pingone, "devices")

    assert "MFA could not be read." in words_of(verdict(known_of(whole(f"{URL}?panels=all"))))


def test_failed_panel_that_no_verdict_needs_leaves_nothing(panel, pingone):
    refused(pingone, "sessions")

    assert known_of(panel("sessions")) == {}


def test_suggested_actions_are_buttons_with_their_full_names(whole, verdict, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(account={"status": "LOCKED"}))
    locked = {"id": str(BO), "type": "SMS", "lock": {"status": "LOCKED"}}
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", locked))
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={})
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "PASSWORD_LOCKED_OUT"})
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json={})
    pingone.get(f"/users/{ADA}/sessions").respond(json={})

    head = verdict(known_of(whole(f"{URL}?panels=all"))).text

    targets = re.findall(r'(?:<form method="post" action|<a [^>]*href)="([^"]+)"', head)
    labels = [unescape(label) for label in re.findall(r'class="btn[^>]*>([^<]+)<', head)]
    actions = f"{URL}actions/"
    assert dict(zip(labels, targets, strict=True)) == {
        "Unlock account": f"{actions}user.unlock/",
        "Unlock password": f"{actions}password.unlock/",
        "Set temporary password": f"{actions}password.set-temporary/",
        "Unlock MFA device: Text message": f"{actions}device.unlock/",
        "Bypass MFA": f"{actions}mfa.bypass/",
    }
    assert f'name="device_id" value="{BO}"' in head


@pytest.mark.parametrize("known", [{}, {"user": "forged"}])
def test_verdict_without_valid_data_changes_nothing(verdict, acme, known):
    assert verdict(known).status_code == 204


def test_page_data_is_not_valid_for_another_user(browser_of, helpdesk, whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    other = f"/o/acme/users/{BO}/standing/"

    assert browser_of(helpdesk).get(other, known_of(whole()), headers=HTMX).status_code == 204


def test_page_data_has_no_name_address_or_number(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    carried = signing.loads(known_of(whole())["user"], salt=f"console.users.carried User {ADA}")

    assert not [part for part in ("Berg", "acme.test", "+46", "203.0.113") if part in json.dumps(carried)]


def test_auditor_sees_no_suggested_actions(browser_of, auditor, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False))

    assert "How to fix it" not in browser_of(auditor).get(URL).text


@pytest.mark.parametrize("path", [paths[0] for paths in PANEL_CALLS.values()])
def test_failed_panel_keeps_the_other_panels(whole, pingone, path):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    answer_panels(pingone)
    pingone.get(f"/users/{ADA}/{path}").respond(500, json=error("UNEXPECTED_ERROR"))

    response = whole(f"{URL}?panels=all")

    assert response.status_code == 200
    assert response.text.count("data-failure=") == 1
    assert response.text.count('class="user-panel"') == 3


@pytest.mark.parametrize(
    ("status", "bypass", "said"),
    [
        (200, {}, None),
        (200, {"bypassMFAEnabledUntil": "2099-12-01T09:30:00Z"}, "MFA bypass until 1 Dec 2099, 09:30"),
        (403, error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"), "The MFA bypass could not be read."),
    ],
)
def test_mfa_bypass_is_shown_with_the_devices(panel, pingone, status, bypass, said):
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", {"id": str(BO), "type": "SMS"}))
    pingone.get(f"/users/{ADA}/bypassMFA").respond(status, json=bypass)

    words = words_of(panel("devices"))

    assert "Text message" in words
    assert said in words if said else "bypass" not in words


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1 session, which may have expired."), (10, "10 sessions, some may have expired.")]
)
def test_sessions_that_may_have_expired_are_called_so_without_a_call(panel, pingone, count, said):
    wire = pingone.get(f"/users/{ADA}/sessions").respond(
        json=listing("sessions", *({"id": str(uuid4())} for _ in range(count)))
    )

    assert said in words_of(panel("sessions"))
    assert wire.call_count == 1


def test_panel_is_also_a_page(whole, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships"))

    response = whole(f"{URL}panels/groups/")

    assert "Ada Berg" in response.text
    assert "Not in any groups." in response.text


def test_groups_panel_has_pages(panel, pingone):
    inherited = {"id": str(ENGINEERS), "name": "All of Lund", "type": "INDIRECT"}
    second = pingone.get(f"/users/{ADA}/memberOfGroups", params={"cursor": "a&b"}).respond(
        json=listing("groupMemberships", inherited)
    )
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(json=listing("groupMemberships", inherited, cursor="a%26b"))
    more = unescape(panel("groups").text.split('href="')[1].split('"')[0])

    response = panel("groups", "?" + more.split("?")[1])

    assert second.called
    assert "Through another group" in response.text
    assert "More groups" not in response.text


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_names_are_escaped(whole, pingone, name):
    hostile = ada(
        name={"given": name, "formatted": name},
        username=name,
        email=name,
        mobilePhone=name,
        title=name,
        address={"streetAddress": name},
        identityProvider={"type": name},
        lifecycle={"status": name},
        lastSignOn={"at": "2026-11-20T07:02:55.666Z", "remoteIp": name},
        _embedded={"population": {"id": str(STAFF), "name": name}},
        **{name: name, "list": [name], "object": {name: name}},
    )
    pingone.get(f"/users/{ADA}").mock(return_value=httpx.Response(200, content=json.dumps(hostile)))
    answer_panels(pingone, name)

    response = whole(f"{URL}?panels=all")

    assert response.status_code == 200
    assert "<script>alert" not in response.text
    assert "<img src=x" not in response.text
    assert unescape(response.text).count(name.translate({0: "\ufffd", 0x1B: "\ufffd", 0xD83D: "\ufffd"})) > 10
