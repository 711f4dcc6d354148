"""Stories of somebody who wants to have a plan do what they may not do: later, as somebody else, or to somebody else.

Each story has the steps of the attack and what must happen instead.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import ACTIONS
from console.audit.entries import Circumstances
from console.models import LimitPolicy, Membership, Operator, Organization, PlanRun, ProtectedMark, UserTemplate
from console.plans import bring_back, on_behalf, runs
from console.plans.dates import When
from console.plans.definition import read
from console.plans.settled import of_templates
from console.plans.shipped_plans import shipped
from console.rights.permissions import ALL_ACTIONS
from console.rights.roles import BUILT_IN, NO_DEMANDS, Rights
from tests.support.answers import STAFF
from tests.support.narrowed import PARTNERS, give_every_right, narrow
from tests.support.people import API_URL, ENVIRONMENT, make_operator
from tests.support.plan_people import LEAVERS, PERSON, VPN, PlanPeople, start, states, time_passes, worked
from tests.support.small_environment import browser
from tests.support.templates import make_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ADDS_TO_VPN = read(
    {
        "id": "vpn",
        "name": "VPN",
        "kind": "change",
        "steps": [{"action": "group.add", "inputs": {"group_id": str(VPN)}}],
    }
)
START = f"/o/acme/users/{PERSON}/plans/offboard/"


@pytest.fixture
def environment() -> Iterator[PlanPeople]:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = PlanPeople()
        router.route().mock(side_effect=people)
        yield people


@pytest.fixture
def agent(acme: Organization, helpdesk: Operator) -> Operator:
    """Let agents do everything, as a role may."""
    give_every_right(acme)
    return helpdesk


def tomorrow() -> When:
    at = timezone.now() + timedelta(days=1)
    return When(local=f"{at:%Y-%m-%dT%H:%M}", zone="UTC", at=at)


def comes(run: PlanRun) -> PlanRun:
    """Let its time come, and the worker run it."""
    time_passes(run, days=1.1)
    return worked(run)


def test_date_outlives_no_right_that_gives_access(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    environment.members[PERSON] = set()
    run = start(agent, ADDS_TO_VPN, when=tomorrow())
    Membership.objects.filter(operator=agent).update(role=Membership.Role.AUDITOR)

    assert comes(run).stop == PlanRun.Stop.ACCESS
    assert environment.writes == []


def test_person_who_is_protected_meanwhile_is_left_alone(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    run = start(org_admin, when=tomorrow(), asked={"signed_in_at": timezone.now()})
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=PERSON, name="kim", reason="VIP", marked_by=org_admin
    )

    run = comes(run)

    assert run.state == "stopped"
    assert environment.writes == []


def test_protected_person_is_no_subject_of_a_plan(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    environment.roles.add(PERSON)

    with pytest.raises(runs.NotPossibleNow, match="Plans leave protected users alone"):
        start(org_admin, asked={"signed_in_at": timezone.now()})
    assert environment.writes == []


def test_lock_down_stops_a_plan_that_gives_access(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    environment.members[PERSON] = set()
    run = start(org_admin, ADDS_TO_VPN, when=tomorrow())
    Organization.objects.update(locked_down_at=timezone.now(), lock_down_reason="Attack")

    assert comes(run).state == "stopped"
    assert environment.writes == []


def test_many_dates_at_once_meet_the_brake(acme: Organization, org_admin: Operator, environment: PlanPeople) -> None:
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=0)
    run = start(org_admin, when=tomorrow())

    run = comes(run)

    assert run.state == "stopped"
    assert environment.kim["enabled"] is True


def test_organization_never_gives_access_or_deletes_on_its_own_behalf(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    """Every action of the catalogue is tried: only what takes access away is done without its starter."""
    access = on_behalf.OnBehalf(acme, None)
    allowed = set()
    for action in ACTIONS:
        try:
            access.require_to(action)
        except PermissionDenied:
            continue
        allowed.add(action.key)

    assert allowed == on_behalf.TAKE_AWAY & {action.key for action in ACTIONS}
    assert allowed.isdisjoint({"user.delete", "user.activate", "group.add", "mfa.bypass", "password.set-temporary"})


def test_narrowed_starter_reaches_nobody_who_moved_out_of_their_populations(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    run = start(narrow(agent, STAFF), when=tomorrow())
    Membership.objects.filter(operator=agent).delete()
    environment.kim["population"] = {"id": str(PARTNERS)}

    run = comes(run)

    assert run.state == "stopped"
    assert environment.writes == []


def test_narrowed_agent_starts_and_sees_nothing_of_others(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    run = start(org_admin, when=tomorrow())
    spy = browser(narrow(agent, PARTNERS))

    assert spy.get(START).status_code == 404
    assert spy.post(START, {"submission": str(uuid4()), "when": "now", "confirm": "now"}).status_code == 404
    assert spy.get(f"/o/acme/plans/{run.pk}/").status_code == 404
    assert spy.post(f"/o/acme/plans/{run.pk}/", {"do": "cancel"}).status_code == 404
    assert "kim.lund" not in spy.get("/o/acme/plans/").content.decode()
    assert PlanRun.objects.get().state == "scheduled"


def test_other_tenant_reaches_no_run(
    acme: Organization, org_admin: Operator, stranger: Operator, environment: PlanPeople
) -> None:
    run = start(org_admin, when=tomorrow())
    spy = browser(stranger)

    for slug in ("acme", "globex"):
        assert spy.get(f"/o/{slug}/plans/{run.pk}/").status_code == 404
        assert spy.post(f"/o/{slug}/plans/{run.pk}/", {"do": "cancel"}).status_code == 404
    with pytest.raises(Exception, match="No such run"):
        runs.run_or_404(enter_org(stranger, "globex"), run.pk)
    assert PlanRun.objects.get().state == "scheduled"


@pytest.mark.parametrize("do", ["cancel", "resume", "reschedule"])
def test_auditor_decides_nothing(
    acme: Organization, org_admin: Operator, auditor: Operator, environment: PlanPeople, do: str
) -> None:
    run = start(org_admin, when=tomorrow())
    if do == "resume":
        PlanRun.objects.update(state="stopped", stop="failed")
    before = PlanRun.objects.get()
    at = f"{before.starts_at:%Y}"

    answer: Any = browser(auditor).post(
        f"/o/acme/plans/{run.pk}/", {"do": do, "at": f"{int(at) + 1}-01-01T10:00", "zone": "UTC"}
    )

    assert answer.status_code == 403
    after = PlanRun.objects.get()
    assert (after.state, after.starts_at) == (before.state, before.starts_at)


def test_agent_who_may_not_delete_does_not_take_over_a_delete(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    role = Membership.Role.HELPDESK_AGENT
    Organization.objects.update(role_overrides={role: BUILT_IN[role].stored()})
    agent = make_operator("second@acme.test", acme, role)
    run = worked(start(org_admin, choices={"7": {"chosen": "on"}}))
    PlanRun.objects.update(state="stopped", stop="person changed")
    run.refresh_from_db()

    with pytest.raises(PermissionDenied):
        runs.resume(enter_org(agent, "acme"), run, Circumstances())
    assert PERSON in environment.users


def test_choice_is_no_way_into_a_population_that_the_starter_does_not_see(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    run = worked(start(narrow(agent, STAFF), choices={"5": {"population_id": str(LEAVERS)}}))

    assert run.state == "stopped"
    assert environment.kim["population"] == {"id": str(STAFF)}
    assert f"PUT /users/{PERSON}/population" not in environment.writes


def moves(old: UserTemplate, new: UserTemplate) -> dict[str, dict[str, Any]]:
    return of_templates(old, new).choices(shipped()["move"])


def test_template_is_no_way_into_groups_for_whoever_may_not_change_them(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    """An agent who may move users and edit profiles, but not change groups, starts Move."""
    rights = Rights(actions=dict.fromkeys(("user.move", "user.update", "group.remove"), NO_DEMANDS))
    Organization.objects.update(role_overrides={"helpdesk_agent": rights.stored()})
    agent = make_operator("second@acme.test", acme, "helpdesk_agent")
    environment.members[PERSON] = set()
    old, new = make_template(acme, "Old"), make_template(acme, "New", (VPN, "VPN"))
    spy = browser(agent)
    here = f"/o/acme/users/{PERSON}/plans/move/"
    typed = {"submission": str(uuid4()), "reason": "x", "when": "now", "zone": "UTC"}
    typed |= {"old_template": str(old.pk), "new_template": str(new.pk)}

    assert "Your role does not allow this." in spy.post(here, typed).content.decode()
    with pytest.raises(PermissionDenied):
        start(agent, "move", choices=moves(old, new))
    assert environment.writes == []


def test_template_of_fields_is_no_way_around_the_fields_of_a_role(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    """An agent may not edit titles, and a template has one. A contact that got into a template is as closed."""
    rights = replace(BUILT_IN["helpdesk_agent"], actions=dict.fromkeys(ALL_ACTIONS, NO_DEMANDS), fields=frozenset())
    Organization.objects.update(role_overrides={"helpdesk_agent": rights.stored()})
    old = make_template(acme, "Old")

    for fields in ({"title": "Chief"}, {"email": "mallory@evil.test"}):
        new = make_template(acme, f"New {fields}"[:80], fields=fields)
        with pytest.raises(runs.NotPossibleNow, match=r"cannot edit|may not|Your role"):
            start(agent, "move", choices=moves(old, new))
    assert environment.writes == []


def test_template_gives_no_group_that_gives_administrator_rights_meanwhile(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    environment.members[PERSON] = set()
    new = make_template(acme, "New", (VPN, "VPN"))
    asked = {"signed_in_at": timezone.now()}
    run = start(org_admin, "move", choices=moves(make_template(acme, "Old"), new), when=tomorrow(), asked=asked)
    environment.roles.add(VPN)

    run = comes(run)

    assert states(run)[-1] == "left out"
    assert environment.members[PERSON] == set()


def test_template_of_another_organization_is_no_choice(
    acme: Organization, globex: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    theirs = [make_template(globex, name, (VPN, "VPN")) for name in ("Old", "New")]
    typed = {"submission": str(uuid4()), "reason": "x", "when": "now", "zone": "UTC", "confirm": "now"}
    typed |= {"old_template": str(theirs[0].pk), "new_template": str(theirs[1].pk)}

    answer: Any = browser(org_admin).post(f"/o/acme/users/{PERSON}/plans/move/", typed)

    assert answer.status_code == 422
    assert "Select a valid choice" in answer.content.decode()
    assert not PlanRun.objects.exists()


def test_agent_changes_no_template(acme: Organization, agent: Operator) -> None:
    """A role may have every right of settings: templates are for org admins all the same."""
    rights = replace(BUILT_IN["org_admin"])
    Organization.objects.update(role_overrides={"helpdesk_agent": rights.stored()})
    made = make_template(acme, "Sales", (VPN, "VPN"))
    spy = browser(agent)
    here = "/o/acme/settings/templates/"

    for address in (here, f"{here}new/", f"{here}{made.pk}/"):
        assert spy.get(address).status_code == 403
    for address in (f"{here}new/", f"{here}{made.pk}/", f"{here}{made.pk}/delete/"):
        assert spy.post(address, {"name": "Mine", "group_ids": [str(VPN)]}).status_code == 403
    assert UserTemplate.objects.get().name == "Sales"


def test_bring_back_needs_the_right_to_each_thing_that_it_gives(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    """An agent may activate, and not change groups: bringing back an offboarding gives groups."""
    run = worked(start(org_admin))
    rights = Rights(actions=dict.fromkeys(("user.activate", "user.move"), NO_DEMANDS))
    Organization.objects.update(role_overrides={"helpdesk_agent": rights.stored()})
    spy = browser(make_operator("second@acme.test", acme, "helpdesk_agent"))
    before = list(environment.writes)
    here = f"/o/acme/plans/{run.pk}/bring-back/"
    typed = {"submission": str(uuid4()), "reason": "x", "when": "now", "zone": "UTC"}

    assert "bring-back" not in spy.get(f"/o/acme/plans/{run.pk}/").content.decode()
    text = spy.post(here, typed).content.decode()
    assert "You cannot start this plan: a step of it is refused." in text
    confirm = bring_back.source_of(run).choices(bring_back.plan())
    assert confirm  # there is something to bring back
    with pytest.raises(PermissionDenied):
        start(Operator.objects.get(email="second@acme.test"), "bring-back", choices=confirm, brings_back=run)
    assert environment.writes == before


def test_run_of_somebody_else_brings_nothing_back(
    acme: Organization, org_admin: Operator, stranger: Operator, agent: Operator, environment: PlanPeople
) -> None:
    """Another tenant, an agent of other populations, and a run of another user as the source of rights."""
    run = worked(start(org_admin))
    here = f"/o/acme/plans/{run.pk}/bring-back/"
    before = list(environment.writes)

    for spy in (browser(stranger), browser(narrow(agent, PARTNERS))):
        assert spy.get(here).status_code == 404
        assert spy.post(here, {"submission": str(uuid4()), "when": "now", "confirm": "now"}).status_code == 404
    assert browser(stranger).get(f"/o/globex/plans/{run.pk}/bring-back/").status_code == 404
    PlanRun.objects.update(person_id=uuid4())
    run.refresh_from_db()
    with pytest.raises(Http404):
        start(org_admin, "bring-back", choices=bring_back.source_of(run).choices(bring_back.plan()), brings_back=run)
    assert environment.writes == before


def test_narrowed_agent_brings_nobody_back_into_a_population_that_they_do_not_see(
    acme: Organization, org_admin: Operator, agent: Operator, environment: PlanPeople
) -> None:
    """They see the leavers' population, and the one that somebody left: not any more when it runs."""
    run = worked(start(org_admin, choices={"5": {"population_id": str(LEAVERS)}}))
    choices = bring_back.source_of(run).choices(bring_back.plan())
    back = start(narrow(agent, LEAVERS), "bring-back", choices=choices, brings_back=run)

    back = worked(back)

    assert back.state == "stopped"
    assert environment.kim["population"] == {"id": str(LEAVERS)}


def test_person_who_is_protected_by_now_is_not_brought_back(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    run = worked(start(org_admin))
    environment.roles.add(PERSON)
    choices = bring_back.source_of(run).choices(bring_back.plan())

    with pytest.raises(runs.NotPossibleNow, match="Plans leave protected users alone"):
        start(org_admin, "bring-back", choices=choices, brings_back=run, asked={"signed_in_at": timezone.now()})
    assert environment.kim["enabled"] is False
