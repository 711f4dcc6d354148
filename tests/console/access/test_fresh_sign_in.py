"""Where an open session is not enough. The tables are for reading: every address that writes is in one of them."""

import re
from collections.abc import Callable, Iterator

import pytest
import respx
from django.test import Client

from console.models import Operator, Organization
from console.sessions.fresh import DEMANDED
from tests.support.addresses import EVERY_ADDRESS, OURS, Address
from tests.support.sessions import signed_in_long_ago

pytestmark = pytest.mark.django_db

ASKED = {
    "settings": """connection connect disconnect correct-auth-url environments copy-role role rename-role delete-role
        ticket-policies limits lift-limit user-mails lock-down recovery-settings recovery-rules members change-role
        member-populations remove-member protect-user protect-group directory second-factor-policy
        crawls rule new-rule edit-rule
        send-invitation-again withdraw-invitation suspend-member reactivate-member end-member-sessions
        reset-second-factor cancel-factor-reset mapped-groups new-template template delete-template delete-plan
         approval-rules""",
    "saving a plan, and nothing else of its editor": "new-plan edit-plan",
    "exports": "audit-export export-group-members inactive-export job-file",
    "starting a job, and nothing else of it": "job",
    "approving, and no other decision": "approval",
    "the operator's other sessions": "usersessions_list",
    "the operator's link to the identity provider": "single-sign-on-link",
}
NOT_ASKED = {
    "reads": """home organization users user-group-choices new-user-existing user user-panel user-standing audit
        sent-resets sent-reset job-news
        audit-entry groups group populations jobs job-template support-text policies member recovery-previews
        recovery-preview connection-place connection-check capabilities recoveries explain-error troubleshooting
         connection-checks audit-read-again view-as stop-viewing plan-runs user-plans templates
         inactive rules plans plan export-plan approvals""",
    "opens a file in the editor, and stores nothing": "import-plan",
    "is part of a job, or of a flow that began with a fresh sign-in": """new-job upload-list new-job-columns
        connect-callback""",
    "acts on a user: the role decides, and `perform` asks": """user-action user-groups new-user undo release-recovery
        working-on start-plan plan-run bring-back onboard member-plans""",
    "asks before it sends a write": "call-api save-api-call forget-api-call",
    "signs in, or again": "single-sign-on-start single-sign-on-callback",
    "changes nothing that anybody relies on": "sync-populations count-addresses theme user-language",
    "is for users without an account": """recover start-recovery recovery-code send-recovery-code-again recovery-choice
        recovery-password restart-recovery not-me recovery-answer recovery-device recovery-device-code""",
    "has the secret of a mailed link as its proof": "invitation stop-factor-reset",
    "answers with nothing": """accounts/signup/ accounts/email/ accounts/confirm-email/
        accounts/confirm-email/<str:key>/ accounts/password/set/ accounts/login/code/confirm/
        accounts/reauthenticate/code/ accounts/reauthenticate/code/confirm/""",
}
READS_WITH_A_FORM = {"audit-read-again", "connection-check", "explain-error", "view-as", "stop-viewing"}
EXPORTS = frozenset(ASKED["exports"].split())
ADDRESSES = [one for one in EVERY_ADDRESS if one.name in DEMANDED]
DOES = {"approval": "approve"}  # the button that demands it; of a job: start
AGAIN = "/accounts/reauthenticate/?next="


@pytest.fixture
def silent_pingone() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        router.route().respond(404, json={"id": "1", "code": "NOT_FOUND", "message": "none"})
        yield router


def send(client: Client, address: Address, **headers: str) -> str:
    """Return where the answer leads."""
    way = client.get if address.name in EXPORTS else client.post
    answer = way(address.path, {"do": DOES.get(address.name, "start")}, headers=headers)
    return str(answer.get("Location") or answer.get("HX-Redirect") or "")


def names_in(table: dict[str, str]) -> list[str]:
    return [name for names in table.values() for name in names.split()]


def test_every_address_is_in_one_of_the_tables() -> None:
    every = {address.name for address in OURS} | {"usersessions_list"}

    assert sorted([*names_in(ASKED), *names_in(NOT_ASKED)]) == sorted(every)
    assert DEMANDED.keys() == set(names_in(ASKED))


def test_what_is_listed_as_a_read_takes_no_form_but_these(
    browser_of: Callable[[Operator], Client], org_admin: Operator, silent_pingone: respx.MockRouter
) -> None:
    """A page that learns to change something has to decide anew."""
    reads = [one for one in OURS if one.name in NOT_ASKED["reads"].split()]
    statuses = {one.name: signed_in_long_ago(browser_of(org_admin)).post(one.path).status_code for one in reads}

    assert {name for name, status in statuses.items() if status != 405} == READS_WITH_A_FORM


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name)
def test_open_session_is_not_enough(
    browser_of: Callable[[Operator], Client], org_admin: Operator, silent_pingone: respx.MockRouter, address: Address
) -> None:
    before = Organization.objects.values().get()
    stale = signed_in_long_ago(browser_of(org_admin))

    assert send(stale, address).startswith(AGAIN)
    if address.name != "usersessions_list":  # no fragment
        assert send(stale, address, **{"HX-Request": "true"}).startswith(AGAIN)
    assert Organization.objects.values().get() == before
    assert not silent_pingone.calls

    assert not send(browser_of(org_admin), address).startswith(AGAIN)


def test_stranger_is_not_asked_to_sign_in_again(
    browser_of: Callable[[Operator], Client], acme: Organization, stranger: Operator
) -> None:
    stale = signed_in_long_ago(browser_of(stranger))

    for address in ADDRESSES:
        if address.path.startswith("/o/"):
            assert stale.post(address.path, {"do": "start"}).status_code == 404


@pytest.mark.parametrize(
    ("place", "typed", "shown"),
    [
        ("policies/limits/", {"codes": "4321"}, 'value="4321"'),
        ("policies/tickets/", {"countries": "SE NO DK"}, 'value="SE NO DK"'),
        ("policies/lock-down/", {"reason": "Callers lie"}, "Callers lie"),
        ("members/", {"email": "new@acme.test"}, 'value="new@acme.test"'),
        ("recovery/", {"sign_in_url": "https://login.acme.test/"}, 'value="https://login.acme.test/"'),
    ],
)
def test_what_was_typed_is_kept_and_nothing_is_changed(
    browser_of: Callable[[Operator], Client], org_admin: Operator, place: str, typed: dict[str, str], shown: str
) -> None:
    stale = signed_in_long_ago(browser_of(org_admin))
    asked = stale.post(f"/o/acme/settings/{place}", typed)

    proved = stale.post(asked["Location"], {"password": "correct horse battery"})

    assert proved["Location"] == f"/o/acme/settings/{place}"
    again = stale.get(proved["Location"]).text
    assert shown in again
    assert "Nothing was changed yet." in again


@pytest.mark.parametrize("place", ["connection/", "connection/connect/"])
def test_form_of_the_connection_keeps_all_but_the_secret(
    browser_of: Callable[[Operator], Client], org_admin: Operator, place: str
) -> None:
    stale = signed_in_long_ago(browser_of(org_admin))
    typed = {
        "client_id": "11111111-3f2e-4d1c-8b0a-9f8e7d6c5b4a",
        "client_secret": "the-secret-canary",
        "auth_url": "https://auth.pingone.com",
        "environment_id": "22222222-9a34-4f0d-8c55-2f6e0d9a7711",
        "client_authentication": "client_secret_post",
        "end_access": "on",
    }
    asked = stale.post(f"/o/acme/settings/{place}", typed)
    assert "the-secret-canary" not in str(dict(stale.session))

    proved = stale.post(asked["Location"], {"password": "correct horse battery"})

    assert proved["Location"] == "/o/acme/settings/connection/"
    page = stale.get(proved["Location"]).text
    for name in ("client_id", "auth_url", "environment_id"):
        assert f'value="{typed[name]}"' in page
    assert re.search(r'value="client_secret_post"[^>]*checked', page)
    assert "the-secret-canary" not in page
    assert not re.search(r'name="end_access"[^>]*checked', page)
    assert "A client secret is not kept" in page
    assert "A client secret is not kept" not in stale.get(proved["Location"]).text


def test_pages_of_settings_say_it_before_anything_is_typed(
    browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    told = "Changes on this page need a fresh sign-in."
    stale, fresh = signed_in_long_ago(browser_of(org_admin)), browser_of(org_admin)

    for page in ("settings/members/", "settings/policies/", "settings/policies/limits/", "settings/connection/"):
        assert told in stale.get(f"/o/acme/{page}").text
        assert told not in fresh.get(f"/o/acme/{page}").text
    assert told not in stale.get("/o/acme/audit/").text
    assert f"{AGAIN}%2Fo%2Facme%2Fsettings%2Fmembers%2F" in stale.get("/o/acme/settings/members/").text
