"""The directory: who a user's manager is, and usernames from the pattern of the organization."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from console.access import enter_org
from console.audit import entries
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator, Organization
from console.plans import usernames
from console.plans.definition import Condition, Definition, Kind, MailStep
from console.plans.manager import NoManager, manager_of
from console.plans.usernames import Person, check_pattern, suggest
from pingone_integration import users
from tests.support.outbox import sent_emails
from tests.support.plan_people import PERSON, PlanPeople, start, states, worked
from tests.support.small_environment import browser

MANAGER = "boss"
PAGE = "/o/acme/settings/directory/"
NEW = "/o/acme/users/new/"
CHOSEN = {"manager_attribute": "", "manager_by": "username", "username_pattern": ""}


@pytest.fixture
def managed(acme: Organization, environment: PlanPeople) -> Organization:
    """Return Acme, where Kim's manager is user2."""
    environment.add(2)
    environment.kim[MANAGER] = "user2"
    acme.manager_attribute = MANAGER
    acme.save()
    return acme


def _manager(organization: Organization, operator: Operator) -> str:
    api = enter_org(operator, "acme").pingone()
    try:
        return manager_of(organization, api, users.get(api, PERSON)).username
    except NoManager as nobody:
        return str(nobody.reason)


@pytest.mark.parametrize(("by", "holds"), [("username", "user2"), ("email", "user2@acme.test"), ("id", "")])
def test_manager_is_found_by_what_the_attribute_holds(
    managed: Organization, org_admin: Operator, environment: PlanPeople, by: str, holds: str
) -> None:
    managed.manager_by = by
    environment.kim[MANAGER] = holds or environment.named("user2")["id"]

    assert _manager(managed, org_admin) == "user2"


@pytest.mark.parametrize(
    ("by", "holds", "told"),
    [
        ("username", "", "names no manager"),
        ("username", ["user2"], "names no manager"),
        ("username", "nobody", "There is no user “nobody”"),
        ("username", 'x" or username eq "user2', "There is no user"),
        ("username", "u" * 5000, "There is no user"),
        ("id", "../users", "There is no user"),
        ("id", str(UUID(int=9)), "There is no user"),
        ("username", "kim.lund", "their own manager"),
        ("email", "team@acme.test", "More than one user"),
        ("username", "user3", "is not active"),
    ],
)
def test_attribute_that_leads_to_no_single_active_user_says_why(
    managed: Organization, org_admin: Operator, environment: PlanPeople, by: str, holds: Any, told: str
) -> None:
    environment.add(3, enabled=False, email="team@acme.test")
    environment.add(4, email="team@acme.test")
    managed.manager_by = by
    environment.kim[MANAGER] = holds

    assert told in _manager(managed, org_admin)


def test_manager_who_was_changed_lately_is_told_nothing(
    managed: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    _recorded(org_admin, "user.update", name="kim.lund", inputs={"changes": {MANAGER: "user2"}})

    assert "changed the contacts" in _manager(managed, org_admin)


def test_plan_emails_the_manager_and_names_them(
    managed: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    tells = MailStep(to="manager", subject="{name}", text="Dear {manager}", condition=Condition.HAS_MANAGER)
    plan = Definition(id="tell", name="Tell", kind=Kind.CHANGE, steps=(tells,))

    run = worked(start(org_admin, plan))

    (email,) = (one for one in sent_emails() if one.to == ["user2@acme.test"])
    assert "Dear Given Family2" in str(email.body)
    assert states(run) == ["done"]

    environment.kim[MANAGER] = ""
    assert states(worked(start(org_admin, plan))) == ["left out"]


def test_org_admin_names_the_manager_on_record(
    acme: Organization, org_admin: Operator, environment: PlanPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    client, found = browser(org_admin), environment._found
    schema = {
        "_embedded": {"attributes": [{"name": MANAGER, "type": "STRING", "schemaType": "CUSTOM", "enabled": True}]}
    }
    monkeypatch.setattr(environment, "_found", lambda path: schema if path.startswith("/schemas/") else found(path))

    assert client.post(PAGE, CHOSEN | {"manager_attribute": "notThere"}).status_code == 422
    client.post(PAGE, CHOSEN | {"manager_attribute": MANAGER, "manager_by": "email"})

    acme.refresh_from_db()
    assert (acme.manager_attribute, acme.manager_by) == (MANAGER, "email")
    entry = AuditEntry.objects.get(action="organization.settings-changed")
    assert entry.after == {"manager_attribute": MANAGER, "manager_by": "email"}
    environment.kim[MANAGER] = "user2@acme.test"
    assert ">Manager<" in "".join(client.get(f"/o/acme/users/{PERSON}/").content.decode().split())


@pytest.mark.parametrize("pattern", ["", "{given}.{family}", "{given-initial}{family}@acme.test"])
def test_pattern_is_made_of_closed_placeholders(org_admin: Operator, environment: PlanPeople, pattern: str) -> None:
    assert browser(org_admin).post(PAGE, CHOSEN | {"username_pattern": pattern}).status_code == 302


@pytest.mark.parametrize(
    "pattern", ["anna", "{given.__class__}", "{given} x", '{given}"x', "{{given}}", "{given}{", "%s{given}ä"]
)
def test_other_pattern_is_refused(org_admin: Operator, environment: PlanPeople, pattern: str) -> None:
    response = browser(org_admin).post(PAGE, CHOSEN | {"username_pattern": pattern})

    assert response.status_code == 422
    with pytest.raises(ValidationError):
        check_pattern(pattern)


def _suggested(organization: Organization, operator: Operator, *people: tuple[str, str]) -> list[str]:
    organization.username_pattern = organization.username_pattern or "{given-initial}{family}"
    found = suggest(organization, enter_org(operator, "acme").pingone(), [Person(*names) for names in people])
    return [one.username or str(one.note) for one in found]


def test_username_is_plain_and_free_even_within_one_list(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    environment.add(2, username="AMueller")

    suggested = _suggested(
        acme, org_admin, ("Anna", "Müller"), ("Åke", "Müller"), ("Mara", "O'Neil-Li"), ("李", "王"), ("", "Berg")
    )

    assert suggested[:3] == ["amueller2", "amueller3", "moneil-li"]
    assert all("no letters from A to Z" in one for one in suggested[3:])
    assert len(environment.filters) == 1


def test_every_name_of_the_pattern_is_taken(acme: Organization, org_admin: Operator, environment: PlanPeople) -> None:
    environment.add(1, username="aberg")
    for number in range(2, 21):
        environment.add(number, username=f"aberg{number}")

    assert "is taken" in _suggested(acme, org_admin, ("Anna", "Berg"))[0]


@pytest.mark.parametrize(("days", "expected"), [(89, "aberg2"), (91, "aberg")])
def test_username_freed_by_a_delete_waits_ninety_days(
    acme: Organization, org_admin: Operator, environment: PlanPeople, monkeypatch: Any, days: int, expected: str
) -> None:
    _recorded(org_admin, "user.delete", name="ABerg")
    later = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(usernames, "timezone", SimpleNamespace(now=lambda: later))

    assert _suggested(acme, org_admin, ("Anna", "Berg")) == [expected]


def _recorded(operator: Operator, action: str, *, name: str, inputs: Any = None) -> AuditEntry:
    """Put an action on Kim on record, as if it had succeeded a moment ago."""
    access = enter_org(operator, "acme")
    subject = entries.Subject(kind=AuditEntry.Subject.USER, id=PERSON, name=name)
    row = entries.start(
        access.org,
        access.actor,
        action,
        subject,
        entry=uuid4(),
        circumstances=Circumstances(),
        inputs=inputs or {},
        before=None,
    )
    assert row is not None
    return entries.close(row, AuditEntry.Outcome.SUCCEEDED)


def test_new_user_gets_a_suggestion_and_loses_nothing(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    client: Client = browser(org_admin)
    assert "Suggest a username" not in client.get(NEW).content.decode()
    Organization.objects.update(username_pattern="{given-initial}{family}")
    _recorded(org_admin, "user.delete", name="ABerg")
    typed = {"given_name": "Anna", "family_name": "Berg", "title": "Chief", "suggest": "1"}

    page = client.post(NEW, typed).content.decode()

    assert 'value="aberg2"' in page
    assert 'value="Chief"' in page
    assert "“aberg” belonged to a user who was deleted here less than 90 days ago" in page
    assert environment.writes == []
    hint = client.get(NEW + "existing/", {"username": "aberg"}, headers={"HX-Request": "true"}).content.decode()
    assert "was deleted here" in hint
