"""Move: from one template to another, with each group by name, and what is outside both left alone."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from console.models import Membership, Operator, Organization, PlanRun, UserTemplate
from console.plans.settled import of_templates
from console.plans.shipped_plans import shipped
from tests.support.answers import ENGINEERS
from tests.support.plan_people import LEAVERS, MAIL, PERSON, VPN, PlanPeople, again, start, states, worked
from tests.support.small_environment import browser
from tests.support.templates import make_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

START = f"/o/acme/users/{PERSON}/plans/move/"
DESK = UUID(int=(4 << 76) + (8 << 60) + 0xF3)


@pytest.fixture(autouse=True)
def groups(environment: PlanPeople) -> None:
    environment.attributes = [{"name": "department", "type": "STRING", "schemaType": "CUSTOM", "enabled": True}]
    environment.add_group(DESK, "Desk")
    environment.add_group(ENGINEERS, "Engineers")
    environment.members[PERSON] = {VPN, MAIL}


@pytest.fixture
def sales(acme: Organization) -> UserTemplate:
    return make_template(acme, "Sales", (VPN, "VPN"), (ENGINEERS, "Engineers"))


@pytest.fixture
def support(acme: Organization) -> UserTemplate:
    fields = {"title": "Agent", "custom.department": "Support"}
    place = {"population_id": LEAVERS, "population_name": "Second floor"}
    return make_template(acme, "Support", (DESK, "Desk"), (ENGINEERS, "Engineers"), fields=fields, **place)


def moved(operator: Operator, old: UserTemplate | None, new: UserTemplate, **more: Any) -> PlanRun:
    choices = of_templates(old, new).choices(shipped()["move"])
    return worked(start(operator, "move", choices=choices, **more))


def sent(old: UserTemplate, new: UserTemplate, **more: Any) -> dict[str, Any]:
    typed = {"submission": str(uuid4()), "reason": "New team", "when": "now", "zone": "UTC"}
    return typed | {"old_template": str(old.pk), "new_template": str(new.pk)} | more


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def confirmed(client: Client, typed: dict[str, Any]) -> dict[str, Any]:
    """Send the form once, and return it with what its confirming button says."""
    confirm = page(client.post(START, typed)).partition('name="confirm" value="')[2].partition('"')[0]
    assert confirm
    return typed | {"confirm": confirm}


def test_difference_of_two_templates_is_done(
    org_admin: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate
) -> None:
    run = moved(org_admin, sales, support)

    assert (run.state, states(run)) == ("finished", ["done"] * 4)
    assert environment.members[PERSON] == {MAIL, DESK}  # Mail is outside both, Engineers is in both
    assert environment.kim["population"] == {"id": str(LEAVERS)}
    assert (environment.kim["title"], environment.kim["department"]) == ("Agent", "Support")

    run = moved(org_admin, sales, support)
    assert (run.state, states(run)) == ("finished", ["no change"] * 4)


def test_preview_names_each_group_and_those_that_stay(
    org_admin: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate
) -> None:
    sales.groups.append({"id": str(next(iter(environment.indirect[PERSON]))), "name": "Everybody"})
    sales.save()
    client = browser(org_admin)
    first = page(client.get(START))
    assert "Template that they had" in first
    assert first.count("If you choose it") == 4

    text = page(client.post(START, sent(sales, support)))

    lost = text.partition("only the old template has")[2].partition("Move to another population")[0]
    gained = text.partition("only the new template has")[2].partition("Start the plan")[0]
    assert "<bdi>VPN</bdi>" in lost
    assert "These groups are in neither template and stay: " in lost
    assert "Mail" in lost.partition("neither template and stay: ")[2]
    assert "These memberships stay, because a rule or another group gives them: Everybody." in lost
    assert "<bdi>Desk</bdi>" in gained
    assert "Engineers" not in lost + gained
    for shown in ("To Second floor.", "Title: Agent", "department: Support"):
        assert shown in text
    assert environment.writes == []
    assert "Choose two different templates" in page(client.post(START, sent(sales, sales)), 422)


def test_template_that_is_changed_underneath_is_shown_again_and_changes_no_run(
    org_admin: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate
) -> None:
    client = browser(org_admin)
    typed = confirmed(client, sent(sales, support))
    support.groups.append({"id": str(UUID(int=9)), "name": "Slipped in"})
    support.save()

    assert "Slipped in" in page(client.post(START, typed))
    assert not PlanRun.objects.exists()

    support.groups.pop()
    support.save()
    client.post(START, typed)
    run = PlanRun.objects.get()
    sales.delete()
    support.delete()
    assert worked(run).state == "finished"
    assert environment.members[PERSON] == {MAIL, DESK}


@pytest.mark.parametrize("how", ["gone", "gives roles"])
def test_group_that_cannot_be_given_is_left_out_and_named(
    org_admin: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate, how: str
) -> None:
    if how == "gone":
        del environment.groups[DESK]
        told = "PingOne no longer has this group."
    else:
        environment.roles.add(DESK)
        told = "gives PingOne administrator roles. Plans do not give it."
    client = browser(org_admin)

    text = page(client.post(START, sent(sales, support)))
    assert "Left out: Desk." in text
    assert told in text
    run = moved(org_admin, sales, support)

    assert (run.state, states(run)[-1]) == ("finished", "left out")
    assert environment.members[PERSON] == {MAIL}
    shown = page(client.get(f"/o/acme/plans/{run.pk}/"))
    assert "<bdi>Desk</bdi>" in shown
    assert told in shown


def test_field_that_the_schema_lost_stops_the_run_with_the_reason(
    org_admin: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate
) -> None:
    environment.attributes = []

    run = moved(org_admin, sales, support)

    assert (run.state, run.stop) == ("stopped", "failed")
    assert "no longer has: custom.department" in run.stop_detail
    assert environment.kim.get("title") != "Agent"


def test_plan_without_templates_says_who_makes_them(org_admin: Operator, environment: PlanPeople) -> None:
    text = page(browser(org_admin).get(START))

    assert "There are no templates yet. An org admin makes them" in text


def test_population_of_a_move_is_given_only_by_its_starter(
    org_admin: Operator, helpdesk: Operator, environment: PlanPeople, sales: UserTemplate, support: UserTemplate
) -> None:
    """What a starter who left has scheduled takes access away, but a move to a new place gives it."""
    run = start(org_admin, "move", choices=of_templates(sales, support).choices(shipped()["move"]), begins=False)
    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.AUDITOR)

    run = worked(again(run))

    assert (run.stop, states(run)) == ("access", ["done", "to come", "to come", "to come"])
    assert environment.members[PERSON] == {MAIL}
