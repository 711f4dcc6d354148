"""Switching account recovery on: per population, by org admins, with a look at the change, and on record."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import respx
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from console.access import Permission, enter_org
from console.models import AuditEntry, Operator, Organization, RecoveryPolicy, RecoverySettings
from console.policies.recovery import NotPossible, change, line_of
from console.policies.recovery_forms import form_values, values_of
from console.rights.roles import Rights
from tests.support.answers import ADA, STAFF, ada, listing
from tests.support.rights import give
from tests.support.synced import sync_populations

pytestmark = pytest.mark.django_db

PAGE = "/o/acme/settings/recovery/"
RULES = f"{PAGE}{STAFF}/"
ON = {"is_on": "on", "proof_attribute": "email", "opens_with_lost_password": "no", "ends_sessions": "on"}
BrowserOf = Callable[[Operator], Client]


@pytest.fixture(autouse=True)
def _staff(acme: Organization, globex: Organization) -> None:
    cache.clear()
    sync_populations(acme, {STAFF: "Staff <b>", UUID(int=77): "Partners"})


@pytest.fixture
def schema(pingone: respx.MockRouter) -> None:
    attributes: list[dict[str, object]] = [
        {"name": "privateEmail", "displayName": "Private email", "type": "STRING"},
        {"name": "badges", "type": "STRING", "multiValued": True},
        {"name": "data", "type": "JSON"},
        {"name": "off", "type": "STRING", "enabled": False},
        {"name": "level", "type": "STRING", "enumeratedValues": [{"value": "1"}]},
        {"name": "title", "type": "STRING", "schemaType": "STANDARD"},
    ]
    found = [{"schemaType": "CUSTOM", "enabled": True} | one for one in attributes]
    pingone.get("/schemas").respond(json=listing("schemas", {"id": str(ADA), "name": "User"}))
    pingone.get(f"/schemas/{ADA}/attributes").respond(json=listing("attributes", *found))


@pytest.fixture
def admin(browser_of: BrowserOf, org_admin: Operator) -> Client:
    return browser_of(org_admin)


def shown(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def sent_again(response: Any) -> dict[str, str]:
    """Return the hidden fields of the page that shows what changes."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', response.content.decode())
    return {name: unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


@pytest.mark.usefixtures("schema")
def test_change_is_looked_at_then_saved_and_on_record(admin: Client, acme: Organization) -> None:
    preview = admin.post(RULES, ON | {"proof_attribute": "privateEmail", "ends_sessions": ""})

    told = shown(preview)
    assert "Users of Staff <b> can recover their account by themselves." in told
    assert "Staff <b>" not in preview.content.decode()
    assert "Codes go to the address in privateEmail. Agents can no longer edit it." in told
    assert "A new password no longer ends sessions." in told
    assert not RecoveryPolicy.objects.exists()

    admin.post(RULES, sent_again(preview) | {"save": "1"})

    policy = RecoveryPolicy.objects.get()
    assert (policy.organization, policy.population_id, policy.population_name) == (acme, STAFF, "Staff <b>")
    assert (policy.is_on, policy.proof_attribute, policy.ends_sessions) == (True, "privateEmail", False)
    acme.refresh_from_db()
    assert acme.private_addresses == ["privateEmail"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_name) == ("recovery.rules-changed", "Account recovery: Staff <b>")
    assert entry.before == {
        "is_on": False,
        "proof_attribute": "email",
        "opens_with_lost_password": None,
        "ends_sessions": True,
    }
    assert entry.after == {
        "is_on": True,
        "proof_attribute": "privateEmail",
        "opens_with_lost_password": False,
        "ends_sessions": False,
    }
    assert "On" in shown(admin.get(PAGE))

    off = admin.post(RULES, sent_again(preview) | {"is_on": ""})
    assert "Users of Staff <b> can no longer recover their account" in shown(off)


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize(
    ("answer", "words"),
    [("", "Answer this before you switch recovery on."), ("yes", "Then nobody could read the code")],
)
def test_recovery_is_not_on_before_the_mailbox_is_known_to_open(admin: Client, answer: str, words: str) -> None:
    page = admin.get(RULES)
    assert "Is this mailbox opened with the password people have lost?" in shown(page)

    for more in ({}, {"save": "1", "seen": "{}"}):
        response = admin.post(RULES, ON | {"opens_with_lost_password": answer} | more)
        assert response.status_code == 422
        assert words in shown(response)
    assert not RecoveryPolicy.objects.exists()


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize("name", ["badges", "data", "off", "level", "title", "mobilePhone", "nothing"])
def test_address_is_email_or_a_text_of_the_organizations_own(admin: Client, name: str) -> None:
    assert re.findall(r'<option value="(\w+)"', admin.get(RULES).content.decode()) == ["email", "privateEmail"]

    assert admin.post(RULES, ON | {"proof_attribute": name}).status_code == 422


@pytest.mark.usefixtures("schema")
def test_change_by_somebody_else_meanwhile_is_not_overwritten(admin: Client, acme: Organization) -> None:
    preview = admin.post(RULES, ON)
    RecoveryPolicy.objects.create(organization=acme, population_id=STAFF, unlocks_account=True)

    response = admin.post(RULES, sent_again(preview) | {"save": "1"})

    assert response.status_code == 409
    assert "Someone else changed this meanwhile" in shown(response)
    assert not RecoveryPolicy.objects.get().is_on


@pytest.mark.usefixtures("schema")
def test_unchanged_rules_are_neither_saved_nor_on_record(admin: Client) -> None:
    preview = admin.post(RULES, {"proof_attribute": "email", "ends_sessions": "on", "save": "1"})

    assert "Nothing changes." in shown(preview)
    assert not RecoveryPolicy.objects.exists()
    assert not AuditEntry.objects.exists()


def test_only_org_admins_switch_recovery_on(
    acme: Organization, browser_of: BrowserOf, helpdesk: Operator, org_admin: Operator
) -> None:
    assert browser_of(helpdesk).post(RULES, ON).status_code == 403
    give(helpdesk, Rights(pages=frozenset(Permission)))  # a role of the organization's own, or an override
    access, line = enter_org(helpdesk, "acme"), line_of(acme, STAFF)
    assert line
    after = values_of(line.policy) | {"is_on": True}
    with pytest.raises(NotPossible):
        change(access, line, after, seen=form_values(values_of(line.policy)), source_address="")
    assert not RecoveryPolicy.objects.exists()


def test_population_of_another_organization_is_not_found(admin: Client, globex: Organization) -> None:
    theirs = uuid4()
    sync_populations(globex, {theirs: "Theirs"})

    assert admin.post(f"{PAGE}{theirs}/", ON).status_code == 404
    assert "Theirs" not in shown(admin.get(PAGE))


def test_page_costs_no_call_and_few_queries(
    admin: Client, pingone: respx.MockRouter, acme: Organization, django_assert_max_num_queries: Any
) -> None:
    admin.get(PAGE)
    with django_assert_max_num_queries(8) as few:
        admin.get(PAGE)
    sync_populations(acme, {uuid4(): f"More {number}" for number in range(20)})
    with django_assert_max_num_queries(len(few)):
        admin.get(PAGE)
    assert not pingone.calls


def test_settings_are_saved_and_on_record(admin: Client, acme: Organization, globex: Organization) -> None:
    admin.post(PAGE, {"helpdesk_phone": " +46 8 123 ", "sign_in_url": "https://login.acme.test/"})

    saved = RecoverySettings.objects.get()
    assert (saved.organization, saved.helpdesk_phone) == (acme, "+46 8 123")
    assert saved.sign_in_url == "https://login.acme.test/"
    entry = AuditEntry.objects.get()
    assert entry.action == "recovery.settings-changed"
    assert entry.before == {"helpdesk_phone": "", "sign_in_url": ""}
    assert entry.after == {"helpdesk_phone": "+46 8 123", "sign_in_url": "https://login.acme.test/"}

    admin.post(PAGE, {"helpdesk_phone": "+46 8 123", "sign_in_url": "https://login.acme.test/"})
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://login.acme.test/",
        "//acme.test",
        "https://acme.test@evil.test/",
        "ftp://acme.test",
    ],
)
def test_sign_in_address_that_misleads_is_refused(admin: Client, url: str) -> None:
    assert admin.post(PAGE, {"helpdesk_phone": "", "sign_in_url": url}).status_code == 422
    assert not RecoverySettings.objects.exists()


@pytest.mark.usefixtures("schema")
def test_worker_counts_who_has_no_usable_address(admin: Client, acme: Organization, pingone: respx.MockRouter) -> None:
    admin.post(f"{RULES}count/")
    page = pingone.get("/users", params={"filter": f'population.id eq "{STAFF}"'})
    page.side_effect = [
        httpx.Response(200, json=listing("users", ada(email=""), ada(emailVerified=False), cursor="on")),
        httpx.Response(200, json=listing("users", ada(emailVerified=True), ada(email="", enabled=False))),
    ]

    call_command("count_recovery_addresses")
    call_command("count_recovery_addresses")  # counted lately

    policy = RecoveryPolicy.objects.get()
    assert (policy.without_address, policy.users_counted, policy.is_on) == (2, 3, False)
    assert "2 of 3 active users" in shown(admin.get(RULES))
    admin.post(RULES, sent_again(admin.post(RULES, ON | {"accepts_unverified": "on"})) | {"save": "1"})
    assert "Not counted yet" in shown(admin.get(RULES)), "other addresses are usable now"


@pytest.mark.usefixtures("schema")
def test_device_in_addition_is_looked_at_and_saved(admin: Client) -> None:
    preview = admin.post(RULES, ON | {"demands_device": "on"})
    assert "Besides the code from the email, users need one of their MFA devices." in shown(preview)
    admin.post(RULES, sent_again(preview) | {"save": "1"})

    assert RecoveryPolicy.objects.get().demands_device
    assert AuditEntry.objects.filter(action="recovery.rules-changed", after__demands_device=True).exists()


def test_code_of_pingone_is_switched_on_with_the_warning_beside_it(admin: Client) -> None:
    assert "Here a wrong code reaches PingOne" in shown(admin.get(PAGE))
    admin.post(PAGE, {"uses_pingone_code": "on"})

    assert RecoverySettings.objects.get().uses_pingone_code
    entry = AuditEntry.objects.get(action="recovery.settings-changed")
    assert (entry.before, entry.after) == ({"uses_pingone_code": False}, {"uses_pingone_code": True})
    assert 'name="uses_pingone_code"' in admin.get(PAGE).content.decode()
