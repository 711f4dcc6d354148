"""Access checks of every URL: strangers, and members without the permission, are refused."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
from django.conf import settings
from django.test import Client

from console.access import Permission
from console.models import Membership, Operator, Organization
from console.rights.roles import BUILT_IN
from tests.support.addresses import ALLAUTH, EVERY_ADDRESS, FOR_OPERATORS, OURS, Address
from tests.support.people import make_operator

NOTHING_BEHIND = "public: there is nothing behind it"
WITHOUT_ACCOUNT = "public: people who cannot sign in have no account here"
RIGHTS: dict[str, Permission | str] = {
    # Written by hand, independently of the views: a view's own declaration must agree with this table. The key of a
    # URL without a name is its route.
    "home": "operator",
    "theme": "public: the sign-in page has the switch, too",
    "accounts/signup/": NOTHING_BEHIND,
    "accounts/email/": NOTHING_BEHIND,
    "accounts/confirm-email/": NOTHING_BEHIND,
    "accounts/confirm-email/<str:key>/": NOTHING_BEHIND,
    "accounts/password/set/": NOTHING_BEHIND,
    "accounts/login/code/confirm/": NOTHING_BEHIND,
    "accounts/reauthenticate/code/": NOTHING_BEHIND,
    "accounts/reauthenticate/code/confirm/": NOTHING_BEHIND,
    "single-sign-on-start": "public: nobody has signed in yet",
    "single-sign-on-callback": "public: the state in the browser session is the proof",
    "single-sign-on-link": "operator",
    "mapped-groups": Permission.MANAGE_MEMBERS,  # to change it, an org admin
    "user-language": "public: users without an account choose the language of their pages",
    "connect-callback": "operator",  # the returned state identifies the organization, which is entered afterwards
    "recover": WITHOUT_ACCOUNT,
    "start-recovery": WITHOUT_ACCOUNT,
    "recovery-code": WITHOUT_ACCOUNT,
    "send-recovery-code-again": WITHOUT_ACCOUNT,
    "recovery-answer": WITHOUT_ACCOUNT,
    "recovery-device": WITHOUT_ACCOUNT,
    "recovery-device-code": WITHOUT_ACCOUNT,
    "recovery-choice": WITHOUT_ACCOUNT,
    "recovery-password": WITHOUT_ACCOUNT,
    "restart-recovery": WITHOUT_ACCOUNT,
    "not-me": "public: users have no account here: the secret of the link is the proof",
    "organization": Permission.ENTER,
    "users": Permission.VIEW_USERS,
    "user-group-choices": Permission.VIEW_USERS,
    "new-user": Permission.CREATE_USERS,
    "new-user-existing": Permission.CREATE_USERS,
    "onboard": Permission.CREATE_USERS,  # and each action's own to start it
    "user": Permission.VIEW_USERS,
    "user-groups": Permission.CHANGE_GROUPS,
    "user-panel": Permission.VIEW_USERS,
    "user-standing": Permission.VIEW_USERS,
    "user-action": Permission.VIEW_USERS,  # and the action's own, which test_outcomes.py covers
    "working-on": Permission.VIEW_USERS,
    "audit": Permission.VIEW_AUDIT,
    "audit-export": Permission.EXPORT_AUDIT,
    "audit-entry": Permission.VIEW_AUDIT,
    "audit-read-again": Permission.VIEW_AUDIT,  # and the action's own
    "undo": Permission.VIEW_USERS,  # and that of the inverse action
    "groups": Permission.VIEW_USERS,
    "group": Permission.VIEW_USERS,
    "export-group-members": Permission.EXPORT_USERS,
    "populations": Permission.VIEW_USERS,
    "sync-populations": Permission.SYNC_POPULATIONS,
    "inactive": Permission.VIEW_USERS,
    "inactive-export": Permission.EXPORT_USERS,
    "rules": Permission.MANAGE_POLICIES,
    "new-rule": Permission.MANAGE_POLICIES,
    "edit-rule": Permission.MANAGE_POLICIES,
    "rule": Permission.MANAGE_POLICIES,
    "crawls": Permission.MANAGE_POLICIES,
    "plan-runs": Permission.VIEW_USERS,
    "plan-run": Permission.VIEW_USERS,  # and each action's own to decide
    "bring-back": Permission.VIEW_USERS,  # and each action's own to start it
    "user-plans": Permission.VIEW_USERS,
    "start-plan": Permission.VIEW_USERS,  # and each action's own to start it
    "approvals": Permission.VIEW_USERS,
    "approval": Permission.VIEW_USERS,  # and what is asked for, to decide about it
    "approval-rules": Permission.MANAGE_POLICIES,  # and org admins only
    "jobs": Permission.RUN_JOBS,
    "job-news": Permission.RUN_JOBS,
    "new-job": Permission.RUN_JOBS,  # and the action's own
    "upload-list": Permission.RUN_JOBS,
    "new-job-columns": Permission.RUN_JOBS,
    "job-template": Permission.RUN_JOBS,  # and the action's own
    "job-file": Permission.RUN_JOBS,
    "job": Permission.RUN_JOBS,  # and the action's own to start it
    "call-api": Permission.CALL_API,
    "save-api-call": Permission.CALL_API,
    "forget-api-call": Permission.CALL_API,
    "troubleshooting": Permission.ENTER,
    "explain-error": Permission.ENTER,
    "connection-checks": Permission.MANAGE_CONNECTION,
    "connection-check": Permission.MANAGE_CONNECTION,
    "capabilities": Permission.MANAGE_CONNECTION,
    "support-text": Permission.MANAGE_CONNECTION,
    "correct-auth-url": Permission.MANAGE_CONNECTION,
    "policies": Permission.MANAGE_POLICIES,
    "limits": Permission.MANAGE_POLICIES,
    "lift-limit": Permission.MANAGE_POLICIES,  # and not whoever reached it
    "protect-user": Permission.MANAGE_MEMBERS,
    "protect-group": Permission.MANAGE_MEMBERS,
    "ticket-policies": Permission.MANAGE_POLICIES,
    "user-mails": Permission.MANAGE_POLICIES,
    "directory": Permission.MANAGE_POLICIES,  # and only org admins
    "templates": Permission.MANAGE_POLICIES,  # and only org admins, as the next three
    "new-template": Permission.MANAGE_POLICIES,
    "template": Permission.MANAGE_POLICIES,
    "delete-template": Permission.MANAGE_POLICIES,
    "plans": Permission.MANAGE_POLICIES,  # and only org admins, here and below
    "plan": Permission.MANAGE_POLICIES,
    "edit-plan": Permission.MANAGE_POLICIES,
    "export-plan": Permission.MANAGE_POLICIES,
    "delete-plan": Permission.MANAGE_POLICIES,
    "new-plan": Permission.MANAGE_POLICIES,
    "import-plan": Permission.MANAGE_POLICIES,
    "lock-down": Permission.MANAGE_POLICIES,
    "recovery-settings": Permission.MANAGE_POLICIES,
    "recovery-rules": Permission.MANAGE_POLICIES,
    "count-addresses": Permission.MANAGE_POLICIES,
    "recoveries": Permission.VIEW_USERS,
    "release-recovery": Permission.RECOVER_PASSWORDS,
    "recovery-previews": Permission.MANAGE_POLICIES,
    "recovery-preview": Permission.MANAGE_POLICIES,
    "second-factor-policy": Permission.MANAGE_POLICIES,  # and org admins only
    "copy-role": Permission.MANAGE_POLICIES,
    "role": Permission.MANAGE_POLICIES,
    "rename-role": Permission.MANAGE_POLICIES,
    "delete-role": Permission.MANAGE_POLICIES,
    "view-as": Permission.MANAGE_MEMBERS,
    "stop-viewing": Permission.ENTER,  # also with the rights of the member viewed as
    "invitation": "public: the invited person has no account yet: the secret of the link is the proof",
    "send-invitation-again": Permission.MANAGE_MEMBERS,
    "withdraw-invitation": Permission.MANAGE_MEMBERS,
    "members": Permission.MANAGE_MEMBERS,
    "member": Permission.MANAGE_MEMBERS,
    "change-role": Permission.MANAGE_MEMBERS,
    "member-populations": Permission.MANAGE_MEMBERS,
    "remove-member": Permission.MANAGE_MEMBERS,
    "member-plans": Permission.MANAGE_MEMBERS,  # and each action's own to take a plan over
    "reset-second-factor": Permission.MANAGE_MEMBERS,  # and org admins only
    "cancel-factor-reset": Permission.MANAGE_MEMBERS,
    "stop-factor-reset": "public: without their second factor nobody signs in: the secret of the link is the proof",
    "suspend-member": Permission.MANAGE_MEMBERS,
    "reactivate-member": Permission.MANAGE_MEMBERS,
    "end-member-sessions": Permission.MANAGE_MEMBERS,
    "connection": Permission.MANAGE_CONNECTION,
    "connection-place": Permission.MANAGE_CONNECTION,
    "connect": Permission.MANAGE_CONNECTION,
    "environments": Permission.MANAGE_CONNECTION,
    "disconnect": Permission.MANAGE_CONNECTION,
}
OF_AN_ORGANIZATION = [address for address in OURS if isinstance(RIGHTS.get(address.name), Permission)]
OF_AN_OPERATOR = [address for address in OURS if RIGHTS.get(address.name) == "operator"]
PAGES = [*OF_AN_ORGANIZATION, *OF_AN_OPERATOR, *(address for address in EVERY_ADDRESS if address.name in ALLAUTH)]

pytestmark = pytest.mark.django_db


def walk(chosen: list[Address]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("address", chosen, ids=lambda address: address.path)


@pytest.fixture
def silent_pingone() -> Iterator[respx.MockRouter]:
    """Answer every request with 404, so that pages can call PingOne and nothing leaves this machine."""
    with respx.mock(assert_all_called=False) as router:
        router.route().respond(404, json={"id": "1", "code": "NOT_FOUND", "message": "none"})
        yield router


def test_url_table_has_exactly_our_urls() -> None:
    """The tests below use the table, so a new page needs its permission in it."""
    assert {address.name for address in OURS} == RIGHTS.keys()
    assert set(ALLAUTH) <= {address.name for address in EVERY_ADDRESS}


def test_view_needs_the_permission_in_the_table() -> None:
    def right(address: Address) -> str:
        kind, _, detail = address.door.partition(":")  # set by org_view, operator_view or public_view
        return {"org": detail, "public": f"public: {detail}"}.get(kind, kind)

    assert {address: right(address) for address in OURS} == {address: RIGHTS[address.name] for address in OURS}


def test_public_view_gives_its_reason() -> None:
    public = [right for right in RIGHTS.values() if right.startswith("public")]

    assert all(len(right.removeprefix("public: ")) > 10 for right in public)


def test_anonymous_visitor_is_redirected_to_sign_in(client: Client) -> None:
    for address in (*OF_AN_ORGANIZATION, *OF_AN_OPERATOR):
        for ask in (client.get, client.post):
            response: Any = ask(address.path)

            assert response.status_code == 302, address
            assert response["Location"].startswith("/accounts/login/?next=/"), address


@walk([address for address in EVERY_ADDRESS if ALLAUTH.get(address.name) == FOR_OPERATORS])
def test_allauth_pages_need_a_sign_in(client: Client, address: Address) -> None:
    response = client.get(address.path)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@walk([address for address in EVERY_ADDRESS if ALLAUTH.get(address.name) == "closed by a URL before it"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_unused_allauth_pages_are_not_found(client: Client, address: Address, method: str) -> None:
    assert getattr(client, method)(address.path).status_code == 404


def test_htmx_request_sends_the_whole_page_to_sign_in(client: Client) -> None:
    around = "http://testserver/o/acme/users/?q=ada&page=2"

    for address in (*OF_AN_ORGANIZATION, *(one for one in OF_AN_OPERATOR if one.name != "connect-callback")):
        response = client.get(address.path, headers={"HX-Request": "true", "HX-Current-URL": around})

        assert response.content == b"", address
        assert response["HX-Redirect"] == "/accounts/login/?next=/o/acme/users/%3Fq%3Dada%26page%3D2", address


@pytest.mark.parametrize(
    "claimed",
    [
        "https://evil.test/o/acme/",
        "//evil.test/",
        "javascript:alert(1)",
        "http://testserver@evil.test/",
        "",
        "http://[",
    ],
)
def test_sign_in_does_not_lead_back_to_another_site(client: Client, claimed: str) -> None:
    response = client.get("/o/acme/users/", headers={"HX-Request": "true", "HX-Current-URL": claimed})

    assert response["HX-Redirect"] == "/accounts/login/?next=/"


def test_stranger_gets_not_found(
    browser_of: Callable[[Operator], Client], acme: Organization, stranger: Operator
) -> None:
    browser = browser_of(stranger)

    for address in OF_AN_ORGANIZATION:
        for method in ("get", "post", "put", "delete"):
            response = getattr(browser, method)(address.path)

            assert response.status_code == 404, (method, address)
            assert b"Acme" not in response.content, (method, address)
            assert b"@acme.test" not in response.content, (method, address)


def test_stranger_cannot_tell_whether_an_organization_exists(
    browser_of: Callable[[Operator], Client], acme: Organization, stranger: Operator
) -> None:
    browser = browser_of(stranger)

    def seen(path: str) -> str:
        html = browser.get(path).content.decode().replace(path, "")
        return re.sub(r'(name="csrfmiddlewaretoken" value|"X-CSRFToken":) ?=?"[^"]*"', "", html)

    for address in OF_AN_ORGANIZATION:
        assert seen(address.path) == seen(address.path.replace("/acme/", "/nobody/")), address


@pytest.mark.parametrize("role", BUILT_IN)
def test_member_without_the_permission_is_refused(
    browser_of: Callable[[Operator], Client], acme: Organization, role: str
) -> None:
    browser = browser_of(make_operator("member@acme.test", acme, role))
    forbidden = [one for one in OF_AN_ORGANIZATION if RIGHTS[one.name] not in BUILT_IN[role].permissions]

    for address in forbidden:
        assert browser.get(address.path).status_code == 403, address
        assert browser.post(address.path).status_code == 403, address

    assert bool(forbidden) == (role != Membership.Role.ORG_ADMIN)


def test_revoked_permission_ends_at_once(browser_of: Callable[[Operator], Client], org_admin: Operator) -> None:
    browser = browser_of(org_admin)
    assert browser.get("/o/acme/settings/connection/").status_code == 200

    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.AUDITOR)
    assert browser.get("/o/acme/settings/connection/").status_code == 403

    Membership.objects.filter(operator=org_admin).delete()
    assert browser.get("/o/acme/").status_code == 404

    org_admin.is_active = False
    org_admin.save()
    assert browser.get("/").status_code == 302


@pytest.mark.database  # the one walk through all pages on PostgreSQL
@walk(PAGES)
def test_page_is_private_and_has_no_inline_code(
    browser_of: Callable[[Operator], Client], org_admin: Operator, silent_pingone: respx.MockRouter, address: Address
) -> None:
    response = browser_of(org_admin).get(address.path)

    assert response.status_code < 500 or "data-failure" in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert "HX-Request" in response["Vary"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-" not in policy
    assert response.streaming or inline(response.content.decode()) == []


def test_templates_have_no_inline_script_or_style() -> None:
    templates = list(Path(settings.BASE_DIR, "templates").rglob("*.html"))

    assert len(templates) > 20
    assert {file.name: found for file in templates if (found := inline(file.read_text()))} == {}


def inline(html: str) -> list[str]:
    """Return the inline scripts and styles. Blocks of JSON are data and do not count."""
    scripts = [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag and "application/json" not in tag]
    return scripts + re.findall(r"<style|\sstyle=|\son[a-z]+=\"|javascript:|hx-on", html)
