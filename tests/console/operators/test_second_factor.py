"""The second factor: demanded by role, set up before anything else."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from console.models import AuditEntry, Membership, Operator, Organization
from console.operators.accounts import set_password_link
from console.rights.permissions import Permission
from console.rights.roles import Rights
from tests.support.passkey import Passkey
from tests.support.people import make_operator
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago
from tests.support.small_environment import browser

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"
PASSWORD = "correct horse battery"
POLICY = "/o/acme/settings/policies/second-factor/"
ENROLMENT = "/accounts/2fa/"


@pytest.fixture(autouse=True)
def _demanded(settings: Any) -> None:
    settings.SECOND_FACTOR_DEMANDED = True


def signed_in(operator: Operator) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": operator.email, "password": PASSWORD})
    return client


def set_up(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert client.post("/accounts/2fa/totp/activate/", {"code": code}).status_code == 302


@pytest.mark.parametrize("role", Membership.Role.values)
def test_second_factor_is_set_up_before_anything_else(
    acme: Organization, role: str, django_capture_on_commit_callbacks: Any
) -> None:
    """Also after an upgrade: whoever has none is led there, and not locked out."""
    client = signed_in(make_operator("person@acme.test", acme, role))
    for path in ("/o/acme/", "/o/acme/users/", "/o/acme/audit/"):
        assert client.get(path)["Location"] == ENROLMENT
    assert client.get("/o/acme/users/", headers={"HX-Request": "true"})["HX-Redirect"] == ENROLMENT
    assert (
        client.post("/o/acme/settings/members/", {"email": "x@acme.test", "role": "auditor"})["Location"] == ENROLMENT
    )
    assert not acme.invitations.exists()
    assert "Acme asks for a second factor. Set one up to continue." in client.get(ENROLMENT).content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        set_up(client)

    assert client.get("/o/acme/").status_code == 200


FACTORS = {
    "set up an app": "totp/activate/",
    "remove the app": "totp/deactivate/",
    "add a key": "webauthn/add/",
    "rename a key": "webauthn/keys/{key}/edit/",
    "remove a key": "webauthn/keys/{key}/remove/",
    "new recovery codes": "recovery-codes/generate/",
}


@pytest.mark.parametrize("page", FACTORS.values(), ids=FACTORS)
def test_open_session_changes_no_factor(helpdesk: Operator, page: str) -> None:
    """Whoever sits down at an open desk would add a key of their own, and come back with it."""
    key = Passkey(helpdesk).added
    if page != "totp/activate/":
        TOTP.activate(helpdesk, SECRET)
    before = list(Authenticator.objects.order_by("pk").values())
    left_open = signed_in_long_ago(browser(helpdesk))

    for answer in (left_open.get(address := f"/accounts/2fa/{page.format(key=key)}"), left_open.post(address, {})):
        assert answer["Location"].startswith(("/accounts/reauthenticate/?", "/accounts/2fa/reauthenticate/?"))
    assert list(Authenticator.objects.order_by("pk").values()) == before


def test_new_password_by_email_leaves_the_second_factor(helpdesk: Operator, settings: Any) -> None:
    """Whoever reads their mail has one factor, and not both."""
    TOTP.activate(helpdesk, SECRET)
    thief = Client()
    form = thief.get(set_password_link(helpdesk).removeprefix(settings.PUBLIC_URL), follow=True)
    new = "a long new password"
    thief.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert thief.get("/o/acme/")["Location"].startswith("/accounts/login/")

    signed = thief.post("/accounts/login/", {"login": helpdesk.email, "password": new})

    assert signed["Location"].startswith("/accounts/2fa/authenticate/")
    assert thief.get("/o/acme/")["Location"].startswith("/accounts/login/")


def test_stranger_is_not_led_to_a_second_factor(acme: Organization, stranger: Operator) -> None:
    assert signed_in(stranger).get("/o/acme/").status_code == 404


def test_recovery_codes_alone_are_no_second_factor(
    acme: Organization, helpdesk: Operator, org_admin: Operator, settings: Any
) -> None:
    factor = TOTP.activate(helpdesk, SECRET).instance
    client = browser(helpdesk)
    assert client.get("/o/acme/").status_code == 200
    factor.type = "recovery_codes"
    factor.save()

    assert client.get("/o/acme/")["Location"] == ENROLMENT
    settings.SECOND_FACTOR_DEMANDED = False
    assert "Two-factor: on." not in browser(org_admin).get("/o/acme/settings/members/").text


def remove(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302


@pytest.mark.parametrize("change", [set_up, remove])
def test_changed_second_factor_ends_the_sessions_that_were_signed_in_without_it(
    helpdesk: Operator, django_capture_on_commit_callbacks: Any, change: Callable[[Client], None]
) -> None:
    stolen, own = signed_in(helpdesk), signed_in(helpdesk)
    if change is remove:
        TOTP.activate(helpdesk, SECRET)

    with django_capture_on_commit_callbacks(execute=True):
        change(own)

    assert stolen.get("/o/acme/")["Location"].startswith("/accounts/login/")
    assert own.get("/accounts/2fa/").status_code == 200


def test_org_admin_decides_by_role_signed_in_afresh_and_on_record(
    acme: Organization, org_admin: Operator, helpdesk: Operator, auditor: Operator
) -> None:
    TOTP.activate(org_admin, SECRET)
    roles = {"demanded": ["org_admin", "auditor"]}
    assert browser(org_admin, fresh=False).post(POLICY, roles)["Location"].startswith("/accounts/reauthenticate/")
    assert browser(helpdesk).get("/o/acme/")["Location"] == ENROLMENT

    browser(org_admin, fresh=True).post(POLICY, roles)

    assert browser(helpdesk).get("/o/acme/").status_code == 200
    assert browser(auditor).get("/o/acme/")["Location"] == ENROLMENT
    entry = AuditEntry.objects.get(action="second-factor.policy-changed")
    assert (entry.before, entry.after) == (
        {"second_factor_optional": []},
        {"second_factor_optional": ["helpdesk_agent"]},
    )


def test_role_that_sets_policies_does_not_switch_second_factors_off(acme: Organization, helpdesk: Operator) -> None:
    give(helpdesk, Rights(pages=Rights().pages | {Permission.MANAGE_POLICIES}))
    TOTP.activate(helpdesk, SECRET)

    assert browser(helpdesk, fresh=True).post(POLICY, {"demanded": []}).status_code == 403


def test_page_of_the_roles_says_where_the_server_asks_for_none(org_admin: Operator, settings: Any) -> None:
    told = "This server asks nobody for a second factor"
    TOTP.activate(org_admin, SECRET)
    client = browser(org_admin)
    assert told not in client.get("/o/acme/settings/policies/").content.decode()
    settings.SECOND_FACTOR_DEMANDED = False

    assert told in client.get("/o/acme/settings/policies/").content.decode()
