"""Roles: the matrix, the preview of each change, the record, and what a change means at the next click."""

from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client

from console.access import enter_org
from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Operator, Organization, Role
from console.policies import changes
from console.policies.matrix import AREAS, FIELD_LABELS, LABELS, roles_of
from console.rights.permissions import ALL_ACTIONS
from console.rights.roles import BUILT_IN, CONTACTS, FIELDS, Rights, built_in
from tests.support.answers import ADA, ada
from tests.support.people import make_operator
from tests.support.rights import give, rights_form

PAGE = "/o/acme/settings/policies/"
AGENT = f"{PAGE}roles/helpdesk_agent/"


@pytest.fixture
def admin(browser_of: Callable[[Operator], Client], org_admin: Operator) -> Client:
    return browser_of(org_admin)


@pytest.fixture
def agent(browser_of: Callable[[Operator], Client], helpdesk: Operator) -> Client:
    return browser_of(helpdesk)


def shown(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def save(client: Client, key: str, rights: Rights, *, before: Rights, **more: str) -> Any:
    return client.post(f"{PAGE}roles/{key}/", rights_form(rights, seen=before) | {"save": "1"} | more, follow=True)


def earlier(organization: Organization) -> Rights:
    organization.refresh_from_db()
    return built_in("helpdesk_agent", organization.role_overrides)


def test_areas_and_fields_cover_everything():
    assert [key for _area, keys in AREAS for key in keys] == [*(action.key for action in ACTIONS), "api.call"]
    assert LABELS.keys() == ALL_ACTIONS
    assert FIELD_LABELS.keys() == set(FIELDS)


def test_defaults_of_new_organizations():
    agent = BUILT_IN["helpdesk_agent"]

    not_theirs = {"user.create", "user.move", "user.delete", "api.call", "mfa.enable", "mfa.disable"}
    assert ALL_ACTIONS - agent.actions.keys() == not_theirs
    with_reason = {key for key, demands in agent.actions.items() if demands}
    assert with_reason == {"password.set-temporary", "password.replace", "device.remove", "mfa.bypass"}
    assert [name for name in FIELDS if not agent.may_edit(name)] == [name for name in FIELDS if name in CONTACTS]
    assert not BUILT_IN["auditor"].actions
    assert BUILT_IN["org_admin"].covers(agent)


def test_matrix_shows_each_role_and_action(admin, helpdesk):
    text = shown(admin.get(PAGE))

    for action in ACTIONS:
        assert str(action.name) in text
    assert 'Helpdesk agent</bdi></a> <span class="policy-members"> 1 member' in text


def test_change_is_previewed_with_names_and_saved_on_record(admin, acme, helpdesk):
    bea = make_operator("bea@acme.test", acme, "helpdesk_agent")
    before = earlier(acme)
    actions = {key: demands for key, demands in before.actions.items() if key != "user.unlock"}
    after = Rights(
        pages=before.pages, actions=actions | {"user.lock": frozenset({"ticket"})}, fields=frozenset({"title"})
    )

    preview = shown(admin.post(AGENT, rights_form(after)))
    assert "2 members lose: Unlock account" in preview
    assert "Lock account: from now on with Ticket" in preview
    assert "2 members can no longer edit: Email" in preview
    assert helpdesk.email in preview
    assert bea.email in preview
    assert not AuditEntry.objects.exists()
    assert earlier(acme) == before

    assert "Saved the role Helpdesk agent." in shown(save(admin, "helpdesk_agent", after, before=before))
    assert earlier(acme) == after
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id, entry.subject_name) == (
        "role.changed",
        "helpdesk_agent",
        "Role: Helpdesk agent",
    )
    assert entry.before == {"user.unlock": "allowed", "user.lock": "allowed", "fields": "all"}
    assert entry.after == {"user.unlock": "not allowed", "user.lock": "allowed, ticket", "fields": "title"}
    assert "Role changed" in shown(admin.get(f"/o/acme/audit/{entry.entry}/"))


def test_preview_sends_the_rights_as_the_form_does(admin, acme):
    """What is saved is what was previewed: the hidden fields of the preview hold the same rights."""
    wanted = Rights(actions={"user.unlock": frozenset({"reason", "fresh sign-in"})}, fields=frozenset({"custom"}))
    page = admin.post(AGENT, rights_form(wanted))

    sent = QueryDict(mutable=True)
    for part in page.content.decode().split('<input type="hidden" ')[1:]:
        name, value = (part.split(f'{key}="')[1].split('"')[0] for key in ("name", "value"))
        sent.appendlist(name, value)
    assert changes.rights_in(sent) == wanted


def test_nothing_is_saved_over_a_change_by_someone_else(admin, acme):
    stale, before = Rights(), earlier(acme)

    response = save(admin, "helpdesk_agent", Rights(actions={"user.unlock": frozenset()}), before=stale)

    assert response.status_code == 409
    assert "Someone else changed this role meanwhile." in shown(response)
    assert earlier(acme) == before


def test_org_admins_cannot_be_narrowed(admin, acme, org_admin):
    full = BUILT_IN["org_admin"]

    response = save(admin, "org_admin", Rights(), before=full)
    Organization.objects.filter(pk=acme.pk).update(role_overrides={"org_admin": Rights().stored()})

    assert response.status_code == 409
    assert enter_org(org_admin, "acme").rights == full


def test_role_is_copied_given_renamed_and_deleted(admin, acme, helpdesk, agent, pingone):
    made = admin.post(f"{PAGE}roles/", {"of": "helpdesk_agent", "name": "Night desk"}, follow=True)
    assert "Created the role Night desk." in shown(made)
    role = Role.objects.get()
    assert (role.key, role.base, Rights.read(role.rights)) == ("night-desk", "helpdesk_agent", earlier(acme))

    membership = acme.memberships.get(operator=helpdesk)
    admin.post(f"/o/acme/settings/members/{membership.pk}/role/", {"role": "night-desk"})
    only = Rights(actions={"user.unlock": frozenset()})
    save(admin, "night-desk", only, before=Rights.read(role.rights))
    assert enter_org(helpdesk, "acme").rights == only
    assert "Night desk of Acme" in shown(agent.get("/o/acme/"))

    admin.post(f"{PAGE}roles/night-desk/rename/", {"name": "Late desk"})
    refused = admin.post(f"{PAGE}roles/night-desk/delete/", follow=True)
    assert "Members have this role." in shown(refused)
    admin.post(f"/o/acme/settings/members/{membership.pk}/role/", {"role": "auditor"})
    admin.post(f"{PAGE}roles/night-desk/delete/")
    assert not Role.objects.exists()
    assert list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True)) == [
        "role.created",
        "membership.role-changed",
        "role.changed",
        "role.renamed",
        "membership.role-changed",
        "role.deleted",
    ]


@pytest.mark.parametrize("name", ["", "auditor", "Night desk", "NIGHT DESK"])
def test_name_of_a_role_is_taken_once(admin, acme, name):
    admin.post(f"{PAGE}roles/", {"of": "auditor", "name": "Night desk"})

    admin.post(f"{PAGE}roles/", {"of": "auditor", "name": name})

    assert Role.objects.count() == 1


def test_built_in_role_is_neither_renamed_nor_deleted(admin):
    for door, data in (("rename", {"name": "Desk"}), ("delete", {})):
        response = admin.post(f"{AGENT}{door}/", data, follow=True)
        assert "Built-in roles keep their name and cannot be deleted." in shown(response)


def test_roles_of_one_organization_are_unknown_to_another(admin, acme, globex, helpdesk):
    Role.objects.create(organization=globex, key="theirs", name="Theirs", base="auditor", rights=Rights().stored())

    assert admin.get(f"{PAGE}roles/theirs/").status_code == 404
    membership = acme.memberships.get(operator=helpdesk)
    admin.post(f"/o/acme/settings/members/{membership.pk}/role/", {"role": "theirs"})
    membership.refresh_from_db()
    assert membership.role_key == "helpdesk_agent"
    assert "Theirs" not in [str(role.name) for role in roles_of(acme)]


def test_newer_action_goes_to_overridden_built_in_roles_and_not_to_copies(acme, helpdesk):
    stored = Rights().stored()
    stored["known"].remove("user.unlock")
    Organization.objects.filter(pk=acme.pk).update(role_overrides={"helpdesk_agent": stored})

    assert enter_org(helpdesk, "acme").rights.actions == {"user.unlock": frozenset()}
    membership = acme.memberships.get(operator=helpdesk)
    membership.custom_role = Role.objects.create(organization=acme, key="copy", name="Copy", rights=stored)
    membership.save()
    assert enter_org(helpdesk, "acme").rights.actions == {}


def test_what_is_taken_away_is_gone_at_the_next_request(agent, acme, helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    url = f"/o/acme/users/{ADA}/actions/user.deactivate/"
    assert agent.get(url).status_code == 200

    give(helpdesk, Rights(actions={"user.activate": frozenset()}))

    for answer in (agent.get(url), agent.post(url, {"submission": str(uuid4())})):
        assert answer.status_code == 403
        assert "does not include: Deactivate." in shown(answer)
