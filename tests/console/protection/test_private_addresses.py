"""A private address for account recovery is a contact: only org admins write it, and a new one proves nothing."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator, Organization, RecoveryPolicy
from console.perform.several import perform_each
from console.perform.undo import undo
from tests.support.answers import ADA, listing
from tests.support.performing import on_record, refused, run
from tests.support.small_environment import SmallEnvironment, browser, call_api, command, press

OLD, NEW = "ada@home.test", "thief@mail.test"
STAFF = uuid4()
FIELD: Any = {"custom.privateEmail": NEW}
CODE = f"POST /users/{ADA}/password"
CHANGE: dict[str, Any] = {"changes": {"privateEmail": NEW}, "seen": {}, "seen_at": None}


@pytest.fixture
def policy(acme: Organization) -> RecoveryPolicy:
    return RecoveryPolicy.objects.create(organization=acme, population_id=STAFF, proof_attribute="privateEmail")


@pytest.fixture(autouse=True)
def _schema(environment: SmallEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment have the attribute, and Ada an address in it."""
    cache.clear()
    environment.users[ADA] |= {"privateEmail": OLD}
    found = environment._found
    schema = {"id": str(ADA), "name": "User"}
    attribute = {"name": "privateEmail", "type": "STRING", "schemaType": "CUSTOM", "enabled": True}
    more = {
        "/schemas": listing("schemas", schema),
        f"/schemas/{ADA}/attributes": listing("attributes", attribute),
    }
    monkeypatch.setattr(environment, "_found", lambda path: more.get(path) or found(path))


def test_agent_writes_no_private_address_whatever_the_way(
    policy: RecoveryPolicy, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    access, agent = enter_org(helpdesk, "acme"), browser(helpdesk)

    assert "privateEmail" not in agent.get(f"/o/acme/users/{ADA}/actions/user.update/").content.decode()
    for is_fragment in (False, True):
        assert "Your role cannot edit" in press(agent, "user.update", htmx=is_fragment, **FIELD)
    new_user = {"submission": str(uuid4()), "username": "eve", "population_id": str(uuid4())} | FIELD
    assert "Your role cannot edit" in agent.post("/o/acme/users/new/", new_user).content.decode()
    assert command(helpdesk, "user.update", "--user", str(ADA), "--privateEmail", NEW)
    for result in (
        run(access, "user.update", inputs=CHANGE),
        run(access, "user.create", None, inputs={"profile": {"username": "eve", "privateEmail": NEW}}),
        undo(access, _changed_by_an_admin(access), Circumstances()),
        *(result for _step, result in perform_each(access, ADA, [_step()], Circumstances()) if result),
    ):
        assert "Your role cannot edit: privateEmail" in str(refused(result).reason)
    for method, body in (
        ("PATCH", {"privateEmail": NEW}),
        ("PATCH", {"privateEmail": None}),
        ("PATCH", {"title": "Chief", "privateEmail": NEW}),
        ("PUT", {"username": "ada.berg"}),
        ("POST", {"privateEmail": NEW}),
    ):
        shown = call_api(agent, method, f"users/{ADA}", body)
        assert "Your role cannot edit" in shown or "Only org admins may change a private address" in shown, body
    assert "Only org admins" in call_api(agent, "POST", "users", {"username": "eve", "privateEmail": NEW})
    assert environment.writes == []
    assert environment.users[ADA]["privateEmail"] == OLD


def test_attribute_that_holds_no_address_for_recovery_is_any_attribute(
    acme: Organization, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    press(browser(helpdesk), "user.update", **FIELD)

    assert environment.users[ADA]["privateEmail"] == NEW


def test_agent_changes_other_attributes_by_call_api(
    policy: RecoveryPolicy, helpdesk: Operator, environment: SmallEnvironment
) -> None:
    call_api(browser(helpdesk), "PATCH", f"users/{ADA}", {"title": "Chief"})

    assert environment.users[ADA]["title"] == "Chief"


@pytest.mark.parametrize("way", ["page", "fragment", "call api"])
def test_new_private_address_is_in_cooling_off(
    policy: RecoveryPolicy, helpdesk: Operator, org_admin: Operator, environment: SmallEnvironment, way: str
) -> None:
    admin = browser(org_admin)
    if way == "call api":
        call_api(admin, "PATCH", f"users/{ADA}", {"privateEmail": NEW})
    else:
        press(admin, "user.update", htmx=way == "fragment", **FIELD)
    assert environment.users[ADA]["privateEmail"] == NEW

    told = press(browser(helpdesk), "password.send-recovery-code", htmx=True)

    assert "changed the contacts of Ada Berg here less than 72 hours ago. Ask an org admin." in told
    assert CODE not in environment.writes


def test_lock_down_stops_a_new_private_address(
    policy: RecoveryPolicy, acme: Organization, org_admin: Operator, environment: SmallEnvironment
) -> None:
    Organization.objects.filter(pk=acme.pk).update(locked_down_at=timezone.now(), lock_down_reason="Incident")

    result = run(enter_org(org_admin, "acme"), "user.update", inputs=CHANGE)

    assert "is locked down" in str(refused(result).reason)


def test_organization_knows_its_private_addresses(acme: Organization, globex: Organization) -> None:
    one = RecoveryPolicy.objects.create(organization=acme, population_id=uuid4(), proof_attribute="privateEmail")
    RecoveryPolicy.objects.create(organization=acme, population_id=uuid4())
    acme.refresh_from_db()
    globex.refresh_from_db()
    assert (acme.private_addresses, globex.private_addresses) == (["privateEmail"], [])

    one.delete()

    acme.refresh_from_db()
    assert acme.private_addresses == []


def _changed_by_an_admin(access: Any) -> AuditEntry:
    return on_record(
        access,
        "user.update",
        "succeeded",
        before={"privateEmail": NEW},
        after={"privateEmail": OLD},
        inputs={"changes": {"privateEmail": OLD}},
    )


def _step() -> Step:
    return Step(action=BY_KEY["user.update"], inputs=CHANGE)
