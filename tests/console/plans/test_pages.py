"""The pages of plans: the preview, the choice of now or a time, the run, and the calendar."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from console.models import AuditEntry, Organization, OutgoingEmail, PlanRun
from tests.support.plan_people import KEY, LEAVERS, PERSON, PHONE, again, start, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

HERE = "/o/acme/users"
START = f"{HERE}/{PERSON}/plans/offboard/"
DELETED = {"step-7-chosen": "on"}


def typed(**more):
    return {"submission": str(uuid4()), "reason": "They leave", "when": "later", "zone": "Europe/Stockholm"} | more


def page(answer, status=200):
    assert answer.status_code == status
    return answer.content.decode()


def test_preview_shows_each_step_as_it_is_for_this_person(org_admin, environment, browser_of):
    environment.kim["enabled"] = False

    text = page(browser_of(org_admin).get(START))

    for shown in ("Deactivate", "Is so already", "Remove from all groups", "VPN", "Mail", "Remove all MFA devices"):
        assert shown in text
    assert "These memberships stay, because a rule or another group gives them: Everybody." in text
    assert "Access tokens that apps already have stay valid" in text
    assert environment.writes == []


def test_now_or_a_time_has_no_default(org_admin, environment, browser_of):
    client = browser_of(org_admin)

    assert "checked" not in page(client.get(START)).partition('name="when"')[2].partition("</fieldset>")[0]
    assert "This field is required" in page(client.post(START, typed(when="")), 422)
    assert not PlanRun.objects.exists()


def test_button_names_the_time_before_anything_is_scheduled(org_admin, environment, browser_of):
    client = browser_of(org_admin)
    year = again(start(org_admin, begins=False)).created_at.year + 1
    PlanRun.objects.all().delete()
    sent = typed(at=f"{year}-01-15T18:00")

    text = page(client.post(START, sent))

    assert f"15 Jan {year} 18:00 Stockholm, 17:00 UTC" in text
    assert not PlanRun.objects.exists()
    confirm = text.partition('name="confirm" value="')[2].partition('"')[0]
    page(client.post(START, sent | {"at": f"{year}-01-16T18:00", "confirm": confirm}))
    assert not PlanRun.objects.exists()

    answer = client.post(START, sent | {"confirm": confirm})

    run = PlanRun.objects.get()
    assert answer["Location"] == f"/o/acme/plans/{run.pk}/"
    assert (run.state, run.starts_local, run.zone) == ("scheduled", f"{year}-01-15T18:00", "Europe/Stockholm")
    assert f"{run.starts_at:%H:%M}" == "17:00"
    assert f"15 Jan {year} 18:00 Stockholm, 17:00 UTC" in page(client.get(answer["Location"]))
    assert "This plan starts on" in page(client.get(f"{HERE}/{PERSON}/"))
    assert "kim.lund" in page(client.get("/o/acme/plans/"))
    assert f"15 Jan {year}\n" in page(client.get("/o/acme/plans/"))
    assert environment.writes == []


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2020-01-01T08:00", "This time is in the past. Run it now, or choose a later time."),
        ("2027-03-28T02:30", "02:30 does not exist in Stockholm on this day"),
        ("2027-10-31T02:30", "02:30 comes twice in Stockholm on this day: at 00:30 and at 01:30 UTC."),
        ("soon", "Enter a date and a time."),
    ],
)
def test_time_that_cannot_be_taken_is_refused_with_the_reason(org_admin, environment, browser_of, at, told):
    assert told in page(browser_of(org_admin).post(START, typed(at=at, confirm="now")), 422)
    assert not PlanRun.objects.exists()


def test_hour_that_comes_twice_is_taken_as_chosen(org_admin, environment, browser_of):
    sent = typed(at="2027-10-31T02:30", which="second")

    text = page(browser_of(org_admin).post(START, sent))

    assert "Sun 31 Oct 2027 02:30 Stockholm, 01:30 UTC" in text


@pytest.mark.parametrize(
    ("of_person", "of_organization", "shown", "told"),
    [
        ("Europe/Stockholm", "Asia/Tokyo", "Europe/Stockholm", "The user&#x27;s own"),
        ("", "Asia/Tokyo", "Asia/Tokyo", "This is the organization&#x27;s"),
        ("Mars/Base", "Asia/Tokyo", "Asia/Tokyo", "This is the organization&#x27;s"),
        ("", "", "UTC", "This is yours"),
    ],
)
def test_zone_of_a_run_is_the_persons_or_the_organizations_or_the_operators(
    acme, org_admin, environment, browser_of, of_person, of_organization, shown, told
):
    environment.kim["timezone"] = of_person
    Organization.objects.update(time_zone=of_organization)
    client = browser_of(org_admin)

    text = page(client.get(START))
    client.post(START, typed(when="now", zone="Africa/Cairo", confirm="now"))

    assert f'name="zone" value="{shown}"' in text
    assert told in text
    assert PlanRun.objects.get().zone == shown  # of its waits, whatever stands beside "now"


def test_plan_is_started_now_from_the_page_and_shown_with_its_entries(org_admin, environment, browser_of):
    client = browser_of(org_admin)
    sent = typed(when="now", **{"step-5-population_id": ""})
    assert "Offboard now" in page(client.post(START, sent))

    answer = client.post(START, sent | {"confirm": "now"})

    assert environment.kim["enabled"] is False
    run = worked(PlanRun.objects.get())
    text = page(client.get(answer["Location"]))
    assert "Finished" in text
    assert "VPN" in text
    assert text.count("/audit/") >= 5
    assert run.state == "finished"
    assert environment.kim["population"]["id"] != LEAVERS


def test_second_plan_replaces_the_first_visibly(org_admin, environment, browser_of):
    client = browser_of(org_admin)
    first = start(org_admin, begins=False)
    sent = typed(when="now")

    assert "runs for them already" in page(client.get(START))
    page(client.post(START, sent | {"confirm": "now"}), 422)
    client.post(START, sent | {"confirm": "now", "replaces": "on"})

    assert again(first).state == "canceled"
    assert PlanRun.objects.count() == 2


def test_run_is_canceled_and_given_another_time_from_its_page(org_admin, environment, browser_of):
    client = browser_of(org_admin)
    first = start(org_admin, begins=False)
    PlanRun.objects.filter(pk=first.pk).update(state="scheduled", zone="UTC", starts_local="2027-01-01T10:00")
    here = f"/o/acme/plans/{first.pk}/"

    page(client.post(here, {"do": "reschedule", "at": "2020-01-01T10:00", "zone": "UTC"}), 422)
    client.post(here, {"do": "reschedule", "at": "2027-02-01T10:00", "zone": "Asia/Tokyo"})
    assert f"{again(first).starts_at:%Y-%m-%dT%H:%M}" == "2027-02-01T01:00"
    client.post(here, {"do": "cancel"})

    assert again(first).state == "canceled"
    assert "Canceled" in page(client.get(here))


def test_helpdesk_agent_without_all_rights_sees_why(helpdesk, environment, browser_of):
    text = page(browser_of(helpdesk).get(START))

    assert "Your role does not allow this." in text


def test_lost_phone_removes_the_chosen_device_and_gives_a_bypass_of_a_day_at_most(org_admin, environment, browser_of):
    client = browser_of(org_admin)
    here = f"{HERE}/{PERSON}/plans/lost-phone/"
    now = timezone.localtime(timezone.now())
    bypass = {"step-3-until": f"{now + timedelta(hours=30):%Y-%m-%dT%H:%M}"}
    sent = typed(when="now", confirm="now", **{"step-1-device_id": str(PHONE)})

    assert "Choose a time within 24 hours after the start." in page(client.post(here, sent | bypass), 422)
    bypass = {"step-3-until": f"{now + timedelta(hours=5):%Y-%m-%dT%H:%M}"}
    client.post(here, sent | bypass)

    assert [one["id"] for one in environment.devices] == [str(KEY)]
    worked(PlanRun.objects.get())
    assert environment.sessions == []
    assert f"PUT /users/{PERSON}/bypassMFA" in environment.writes
    email = OutgoingEmail.objects.get(about__startswith="plan")
    assert email.to == "kim@acme.test"


def test_runs_are_deleted_thirty_days_after_their_last_step(org_admin, environment):
    run = worked(start(org_admin))
    call_command("clear_finished_work")
    assert again(run).state == "finished"

    PlanRun.objects.update(delete_after=timezone.now() - timedelta(seconds=1))
    call_command("clear_finished_work")

    assert not PlanRun.objects.exists()


def test_whoever_removes_a_member_sees_what_they_started(acme, org_admin, helpdesk, environment, browser_of):
    run = start(org_admin, begins=False)
    PlanRun.objects.update(starter=helpdesk)
    membership = helpdesk.memberships.get()

    text = page(browser_of(org_admin).get(f"/o/acme/settings/members/{membership.pk}/remove/"))

    assert f"/o/acme/plans/{run.pk}/" in text
    assert "goes on in the name of the organization" in text


def test_audit_log_shows_the_entries_of_one_run(acme, org_admin, auditor, environment, browser_of):
    first = worked(start(org_admin))
    environment.kim["enabled"] = True
    second = worked(start(org_admin))
    client = browser_of(auditor)

    text = page(client.get(f"/o/acme/audit/?run={first.pk}"))

    entries = AuditEntry.objects.current()
    own, others = (set(entries.filter(run=run.pk).values_list("entry", flat=True)) for run in (first, second))
    named = {row.entry for row in entries if f"/audit/{row.entry}/" in text}
    assert named == own
    assert {row.action for row in entries.filter(run=first.pk)} >= {"plan.started", "group.remove", "plan.finished"}
    assert len(own) >= 8
    assert own.isdisjoint(others)
    assert f'name="run" value="{first.pk}"' in text  # as it stays with the other filters
    assert 'name="run"' not in page(client.get("/o/acme/audit/"))
    assert f"/o/acme/audit/?run={first.pk}" in page(client.get(f"/o/acme/plans/{first.pk}/"))
    page(client.get("/o/acme/audit/?run=1"), 422)


def told(text):
    """Return what the page says of each step, by its title."""
    found = re.findall(r"<li[^>]*>(.*?)</li>", text, re.DOTALL)
    words = (re.sub(r"<[^>]+>", " ", one).split() for one in found)
    return [" ".join(one) for one in words]


def test_preview_says_what_is_left_out_once_everything_is_chosen(org_admin, environment, browser_of):
    client = browser_of(org_admin)

    before, chosen = page(client.get(START)), page(client.post(START, typed(when="now")))
    (wait,) = [one for one in told(page(client.post(START, typed(when="now", **DELETED)))) if "Wait 30 days" in one]
    assert "Runs" in wait
    run = start(org_admin)
    shown = page(client.get(f"/o/acme/plans/{run.pk}/"))

    for title in ("Move to another population", "Wait 30 days", "Delete user"):
        (one,) = [line for line in told(before) if title in line]
        assert "If you choose it" in one
        (one,) = [line for line in told(chosen) if title in line]
        assert "Left out" in one
        (one,) = [line for line in told(shown) if title in line]
        assert "Left out" in one


def test_time_in_utc_is_said_once(org_admin, environment, browser_of):
    year = timezone.now().year + 1

    text = page(browser_of(org_admin).post(START, typed(at=f"{year}-01-15T18:00", zone="UTC")))

    assert f"15 Jan {year} 18:00 UTC" in text
    assert "UTC, 18:00" not in text
