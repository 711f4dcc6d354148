"""Templates: named lists of groups and profile fields, edited by org admins, on record."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.test import Client

from console.models import AuditEntry, Operator, Organization, ProtectedMark, UserTemplate
from tests.support.answers import STAFF
from tests.support.plan_people import LEAVERS, MAIL, VPN, PlanPeople
from tests.support.small_environment import browser
from tests.support.templates import make_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

LIST = "/o/acme/settings/templates/"
NEW = f"{LIST}new/"
DEPARTMENT = {
    "name": "department",
    "type": "STRING",
    "schemaType": "CUSTOM",
    "enabled": True,
    "enumeratedValues": [{"value": "Sales"}, {"value": "Support"}],
}
BADGE = {"name": "badge", "type": "STRING", "schemaType": "CUSTOM", "enabled": True, "unique": True}


@pytest.fixture(autouse=True)
def schema(environment: PlanPeople) -> Iterator[None]:
    environment.attributes = [DEPARTMENT, BADGE]
    environment.populations = [{"id": str(STAFF), "name": "Staff"}, {"id": str(LEAVERS), "name": "Leavers"}]
    cache.clear()
    yield
    cache.clear()


def typed(**more: Any) -> dict[str, Any]:
    return {
        "name": "Sales",
        "population_id": str(STAFF),
        "group_ids": [str(VPN)],
        "title": "Clerk",
        "custom.department": "Sales",
    } | more


def saved_in(client: Client, **more: Any) -> UserTemplate:
    assert client.post(NEW, typed(**more)).status_code == 302
    return UserTemplate.objects.get(name=more.get("name", "Sales"))


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_template_is_made_changed_copied_and_deleted_on_record(org_admin: Operator, environment: PlanPeople) -> None:
    client = browser(org_admin)
    made = saved_in(client)
    assert made.groups == [{"id": str(VPN), "name": "VPN"}]
    assert (made.fields, made.population_name) == ({"title": "Clerk", "custom.department": "Sales"}, "Staff")
    here = f"{LIST}{made.pk}/"

    shown = page(client.get(here))
    assert "Clerk" in shown
    seen = shown.partition('name="seen" value="')[2].partition('"')[0]
    client.post(here, typed(title="", group_ids=[str(VPN), str(MAIL)], seen=seen))
    made.refresh_from_db()
    assert made.fields == {"custom.department": "Sales"}
    assert "Someone else changed this template meanwhile" in page(client.post(here, typed(seen=seen)), 422)

    copy = page(client.get(f"{NEW}?of={made.pk}"))
    assert "Copy of Sales" in copy
    assert re.search(r'settings/policies/"[^>]* aria-current="true"', copy)
    assert "There is a template with this name" in page(client.post(NEW, typed(name="sALES")), 422)
    assert "Mail" in page(client.get(LIST))
    client.post(f"{here}delete/")

    assert not UserTemplate.objects.exists()
    created, changed, deleted = AuditEntry.objects.filter(action__startswith="template.").order_by("pk")
    assert (created.action, deleted.action) == ("template.created", "template.deleted")
    assert created.after
    assert created.after["title"] == "Clerk"
    assert (changed.before, changed.after) == (
        {"groups": f"VPN ({VPN})", "title": "Clerk"},
        {"groups": f"Mail ({MAIL}), VPN ({VPN})", "title": ""},
    )
    assert deleted.before
    assert deleted.before["groups"] == f"Mail ({MAIL}), VPN ({VPN})"


def test_groups_are_found_by_name_with_and_without_javascript(org_admin: Operator, environment: PlanPeople) -> None:
    client = browser(org_admin)

    part = page(client.get(NEW, {"q": "M", "group_ids": [str(VPN)]}, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert part.index(f'value="{VPN}" checked') < part.index(f'value="{MAIL}"')

    whole = page(client.post(NEW, typed(name="", q="M", look="groups")))
    assert f'value="{MAIL}"' in whole
    assert "Clerk" in whole
    assert not UserTemplate.objects.exists()


def test_group_that_is_gone_is_said_and_stays_until_it_is_taken_out(
    org_admin: Operator, environment: PlanPeople
) -> None:
    client = browser(org_admin)
    made = saved_in(client)
    del environment.groups[VPN]

    shown = page(client.get(f"{LIST}{made.pk}/"))

    assert "PingOne no longer has this group" in shown
    assert "<bdi>VPN</bdi>" in shown
    assert "This is not a group" in page(client.post(NEW, typed(name="Other", group_ids=[str(VPN)])), 422)


@pytest.mark.parametrize("how", ["role", "nested", "marked"])
def test_group_that_gives_administrator_rights_is_said_before_it_is_saved(
    acme: Organization, org_admin: Operator, environment: PlanPeople, how: str
) -> None:
    outer = environment.add_group(UUID(int=(4 << 76) + (8 << 60) + 0xF2), "Outer")
    if how == "role":
        environment.roles.add(VPN)
    elif how == "nested":
        environment.nested[VPN] = {MAIL}
        environment.nested[MAIL] = {outer}
        environment.roles.add(outer)
    else:
        ProtectedMark.objects.create(
            organization=acme, kind="group", target_id=VPN, name="VPN", reason="Root", marked_by=org_admin
        )
    client = browser(org_admin)

    told = page(client.post(NEW, typed()))

    assert "Only org admins can give these groups, and plans leave them out:" in told
    assert "VPN: The group" in told
    assert not UserTemplate.objects.exists()
    client.post(NEW, typed(confirmed="1"))
    assert UserTemplate.objects.get().groups[0]["name"] == "VPN"


def test_values_are_checked_as_those_of_a_user_and_nothing_personal_is_shared(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    acme.manager_attribute = "boss"
    acme.save()
    environment.attributes.append({"name": "boss", "type": "STRING", "schemaType": "CUSTOM", "enabled": True})
    client = browser(org_admin)

    assert "Select a valid choice" in page(client.post(NEW, typed(**{"custom.department": "Mafia"})), 422)
    assert "Enter two capital letters" in page(client.post(NEW, typed(country_code="Sweden")), 422)
    personal = {"email": "x@acme.test", "username": "x", "custom.badge": "1", "custom.boss": "x", "given_name": "X"}
    assert saved_in(client, **personal).fields == {"title": "Clerk", "custom.department": "Sales"}
    shown = page(client.get(NEW))
    assert 'name="title"' in shown
    assert not any(f'name="{one}"' in shown for one in personal)


def test_only_org_admins_of_the_organization_reach_its_templates(
    acme: Organization, globex: Organization, org_admin: Operator, auditor: Operator, stranger: Operator
) -> None:
    theirs = make_template(globex, "Theirs")
    ours = make_template(acme, "Ours")

    for address in (f"{LIST}{theirs.pk}/", f"{NEW}?of={theirs.pk}", f"{NEW}?of=x"):
        assert browser(org_admin).get(address).status_code == 404
    assert browser(org_admin).post(f"{LIST}{theirs.pk}/delete/").status_code == 404
    for address in (LIST, NEW, f"{LIST}{ours.pk}/"):
        assert browser(auditor).get(address).status_code == 403
        assert browser(stranger).get(address).status_code == 404
    assert UserTemplate.objects.count() == 2
