"""Activation, deactivation and membership for a time: taken back at the end, after a look."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, PlanRun, ProtectedMark
from console.plans import runs
from console.plans.ends import change_end
from tests.support.plan_people import LEAVERS, PERSON, VPN, again, circumstances, start, states, time_passes, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

GUESTS = UUID(int=(4 << 76) + (8 << 60) + 0xF9)
HERE = f"/o/acme/users/{PERSON}/plans"


def until(**ahead):
    return {"at": (timezone.now() + timedelta(**ahead)).isoformat(), "zone": "UTC", "date": ""}


def begun(operator, environment, slug):
    """Start it, and let it begin: it waits for its end in two days."""
    environment.kim["enabled"] = slug != "activate-until"
    environment.add_group(GUESTS, "Guests")
    group = {"1": {"group_id": str(GUESTS)}} if slug == "group-until" else {}
    run = worked(start(operator, slug, choices={"2": until(days=2), **group}))
    assert run.state == "waiting"
    return run


def is_given(environment, slug):
    return GUESTS in environment.members[PERSON] if slug == "group-until" else environment.kim["enabled"]


@pytest.mark.parametrize("slug", ["activate-until", "group-until"])
def test_access_for_a_time_is_taken_back_also_with_the_starter_gone(acme, org_admin, helpdesk, environment, slug):
    run = begun(org_admin, environment, slug)
    assert is_given(environment, slug)
    assert worked(run).state == "waiting"

    org_admin.memberships.all().delete()
    time_passes(run, days=30)  # and no worker ran

    assert worked(run).state == "finished"
    assert not is_given(environment, slug)
    last = AuditEntry.objects.exclude(action__startswith="plan.").latest("sequence")
    assert (last.actor, last.outcome) == ("organization", "succeeded")
    assert VPN in environment.members[PERSON]


def test_deactivation_for_a_time_asks_before_it_activates_with_the_starter_gone(acme, org_admin, helpdesk, environment):
    run = begun(org_admin, environment, "deactivate-until")
    org_admin.memberships.all().delete()
    time_passes(run, days=2.1)

    run = worked(run)

    assert (run.state, run.stop) == ("stopped", "access")
    assert environment.kim["enabled"] is False


@pytest.mark.parametrize(
    ("slug", "changes"),
    [
        ("deactivate-until", {"enabled": True}),
        ("deactivate-until", {"population": {"id": str(LEAVERS)}}),
        ("activate-until", {"population": {"id": str(LEAVERS)}}),
    ],
)
def test_end_looks_first_and_asks_if_they_were_changed_meanwhile(acme, org_admin, environment, slug, changes):
    run = begun(org_admin, environment, slug)
    environment.kim.update(changes)
    time_passes(run, days=2.1)
    environment.requests.clear()

    assert worked(run).stop == "person changed"
    assert environment.writes == []


def test_membership_ends_of_somebody_deactivated_and_is_no_failure_if_it_ended_before(acme, org_admin, environment):
    run = begun(org_admin, environment, "group-until")
    environment.kim["enabled"] = False
    environment.members[PERSON].discard(GUESTS)
    time_passes(run, days=2.1)

    assert worked(run).state == "finished"
    assert states(run) == ["done", "done", "no change"]


def test_protection_is_asked_anew_at_the_end(acme, org_admin, environment):
    run = begun(org_admin, environment, "activate-until")
    mark = {"kind": ProtectedMark.Kind.USER, "target_id": PERSON, "name": "kim", "reason": "CEO"}
    ProtectedMark.objects.create(organization=acme, marked_by=org_admin, **mark)
    time_passes(run, days=2.1)

    assert worked(run).state == "stopped"
    assert environment.kim["enabled"] is True


def test_what_would_be_over_does_not_begin(acme, org_admin, environment):
    environment.kim["enabled"] = False
    run = start(org_admin, "activate-until", choices={"2": until(minutes=10)}, begins=False)
    run.choices = {"2": until(minutes=-1)}
    run.state = "scheduled"
    run.save()

    run = worked(run)

    assert (run.state, run.stop) == ("stopped", "late")
    assert environment.writes == []


@pytest.mark.parametrize("end", [{}, {"at": ""}, {"at": "2027-01-01T00:00"}, until(minutes=-1), until(days=400)])
def test_end_is_refused_unless_it_comes_after_the_start(acme, org_admin, environment, end):
    with pytest.raises(runs.NotPossibleNow):
        start(org_admin, "activate-until", choices={"2": end})
    assert environment.writes == []


def test_end_is_changed_and_brought_forward(acme, org_admin, environment):
    run = begun(org_admin, environment, "activate-until")
    access = enter_org(org_admin, "acme")
    change_end(access, run, None)

    assert worked(run).state == "finished"
    assert environment.kim["enabled"] is False
    with pytest.raises(runs.NotPossibleNow):
        change_end(access, again(run), None)


def test_pages_start_it_name_both_times_and_change_the_end(acme, org_admin, environment, browser_of):
    environment.add_group(GUESTS, "Guests")
    client = browser_of(org_admin)
    year = timezone.now().year + 1
    sent = {"submission": str(uuid4()), "reason": "Audit", "when": "later", "zone": "Europe/Stockholm"}
    sent |= {"at": f"{year}-01-15T08:00", "step-1-group_id": str(GUESTS)}

    assert "This console keeps the time, not PingOne" in client.get(f"{HERE}/group-until/").text
    for end, told in (
        ("", "This field is required."),
        (f"{year}-01-15T07:59", "Choose a time after the start."),
        (f"{year}-03-28T02:30" if year == 2027 else "2027-03-28T02:30", "02:30 does not exist in Stockholm"),
        ("2020-01-01T08:00", "This time is in the past."),
    ):
        assert told in client.post(f"{HERE}/group-until/", sent | {"step-2-date": end}).text
    twice = client.post(f"{HERE}/group-until/", sent | {"step-2-date": "2027-10-31T02:30"}).text
    assert "02:30 comes twice in Stockholm" in twice
    none = client.post(f"{HERE}/group-until/", sent | {"step-2-date": f"{year}-01-20T18:00", "step-1-group_id": ""})
    assert "no step would run" in none.text
    whole = sent | {"step-2-date": f"{year}-01-20T18:00"}
    text = client.post(f"{HERE}/group-until/", whole).text
    assert f"15 Jan {year} 08:00 Stockholm, 07:00 UTC, until" in text
    confirm = text.partition('name="confirm" value="')[2].partition('"')[0]

    to = client.post(f"{HERE}/group-until/", whole | {"confirm": confirm})["Location"]

    run = PlanRun.objects.get()
    assert f"20 Jan {year} 18:00 Stockholm, 17:00 UTC" in client.get(to).text
    assert (run.state, run.choices["3"]) == ("scheduled", {"group_id": str(GUESTS)})
    moved = {"do": "change-end", "zone": "UTC"}
    assert client.post(to, moved | {"at": f"{year}-01-14T08:00"}, follow=True).text.count("Choose an end") == 1
    client.post(to, moved | {"at": f"{year}-01-31T08:00"})
    assert again(run).choices["2"]["at"] == f"{year}-01-31T08:00:00+00:00"
    late = {"do": "reschedule", "zone": "UTC", "at": f"{year}-02-01T08:00"}
    assert "Choose an end" in client.post(to, late, follow=True).text
    assert environment.writes == []


def test_second_run_for_one_person_is_refused_while_they_have_access_for_a_time(acme, org_admin, environment):
    begun(org_admin, environment, "activate-until")

    with pytest.raises(runs.NotPossibleNow):
        start(org_admin, "offboard", asked=vars(circumstances()))
