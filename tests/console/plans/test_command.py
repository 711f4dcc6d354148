"""`manage.py pingone plan`: what the pages of plans do, in a terminal."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from console.access import Permission
from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Plan, PlanRun, PlanVersion
from console.rights.roles import NO_DEMANDS, Rights
from tests.support.plan_editor import PLAN, saved, saved_again
from tests.support.plan_people import LEAVERS, PERSON, VPN, again, worked
from tests.support.rights import give

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ADMIN, AGENT = "admin@acme.test", "agent@acme.test"
KIM = ("--user", "kim.lund")
NEXT_YEAR = timezone.now().year + 1


@pytest.fixture(autouse=True)
def _environment(org_admin, environment):
    return environment


def plan(*arguments, operator=ADMIN):
    output = io.StringIO()
    call_command("pingone", "acme", "plan", *arguments, "--as", operator, stdout=output)
    return output.getvalue()


def plan_json(*arguments, operator=ADMIN):
    return json.loads(plan(*arguments, "--json", operator=operator))


def refused(code, *arguments, operator=ADMIN):
    with pytest.raises(CommandError) as refusal:
        plan(*arguments, operator=operator)
    assert refusal.value.returncode == code, refusal.value
    return str(refusal.value)


def test_plans_are_listed_with_their_versions(org_admin):
    saved(org_admin)
    saved_again(org_admin, name="VPN access")

    assert "vpn\tVPN access\t2\t2\n" in plan("list")
    shipped = next(one for one in plan_json("list")["plans"] if one["id"] == "offboard")
    assert shipped == {"id": "offboard", "name": "Offboard", "version": None, "steps": 7}


def test_preview_says_what_would_happen_and_changes_nothing(environment):
    told = plan("preview", "offboard", *KIM)

    assert told.startswith("1. Deactivate: Runs\n")
    assert "4. Remove from all groups: Runs\n   VPN\n" in told
    assert plan_json("preview", "offboard", *KIM)["steps"][0]["verdict"] == "runs"
    assert (environment.writes, PlanRun.objects.count()) == ([], 0)


def test_plan_is_started_now_and_looked_at(environment):
    reason = ("--ticket", "INC1", "--reason", "They leave")
    told = plan_json("start", "offboard", *KIM, "--now", "--choose", "7.chosen=on", *reason)

    assert environment.kim["enabled"] is False
    run = PlanRun.objects.get()
    assert (told["run"], told["steps"][0]["state"]) == (str(run.pk), "done")
    assert (run.choices, run.ticket, run.reason) == ({"7": {"chosen": "on"}}, "INC1", "They leave")
    assert run.system_user
    assert AuditEntry.objects.get(action="plan.started").system_user == run.system_user
    worked(run)
    assert "6. Wait 30 days: Running" in plan("status", str(run.pk))


def test_plan_is_started_at_a_local_time_and_canceled(environment):
    at = ("--at", f"{NEXT_YEAR}-01-15 18:00", "--zone", "America/New_York", "--reason", "x")

    told = plan("start", "offboard", "--user", str(PERSON), *at)

    run = PlanRun.objects.get()
    assert f"Scheduled Fri 15 Jan {NEXT_YEAR} 18:00 New York, 23:00 UTC" in told
    assert f"{run.starts_at:%H:%M}" == "23:00"
    assert "7. Delete user: Left out" in plan("status", str(run.pk))
    steps = [one["state"] for one in plan_json("status", str(run.pk))["steps"]]
    assert steps == ["to come"] * 4 + ["left out"] * 3  # nobody chose to move or delete them
    assert "Canceled" in plan("cancel", str(run.pk))
    assert again(run).state == "canceled"
    assert "Reload the page" in refused(1, "cancel", str(run.pk))
    assert environment.writes == []


WRONG = {
    "past": (("--at", "2020-01-01 08:00"), "--at: This time is in the past."),
    "no time": (("--at", "soon"), "--at: Enter a date and a time."),
    "skipped": (("--at", "2027-03-28 02:30"), "--at: 02:30 does not exist in Stockholm on this day"),
    "twice": (("--at", "2027-10-31 02:30"), "--which: 02:30 comes twice in Stockholm on this day"),
    "zone": (("--at", "2027-02-28 02:30", "--zone", "Mars/Base"), "--at: Choose a time zone."),
    "choice": (("--now", "--choose", "1.group_id=x"), "the plan does not ask for 1.group_id. It asks for: 5.popul"),
    "value": (("--now", "--choose", "5.population_id=x"), "--choose 5.population_id: Select a valid choice."),
}


@pytest.mark.parametrize(("typed", "told"), WRONG.values(), ids=WRONG)
def test_start_that_cannot_be_taken_is_refused_with_its_option(environment, typed, told):
    assert told in refused(2, "start", "offboard", *KIM, *typed)
    assert (environment.writes, PlanRun.objects.count()) == ([], 0)


def test_hour_that_comes_twice_is_taken_as_told():
    plan("start", "offboard", *KIM, "--at", "2027-10-31 02:30", "--which", "second")

    assert f"{PlanRun.objects.get().starts_at:%H:%M}" == "01:30"


def test_when_has_no_default():
    assert "one of the arguments --now --at is required" in refused_by_parser("start", "offboard", *KIM)


def refused_by_parser(*arguments):
    with pytest.raises(CommandError) as refusal:
        plan(*arguments)
    return str(refusal.value)


def test_second_plan_replaces_the_first_only_if_told():
    at = ("--at", f"{NEXT_YEAR}-01-15 18:00")
    plan("start", "offboard", *KIM, *at)

    assert "--replace: “Offboard” runs for them already." in refused(2, "start", "offboard", *KIM, *at)
    plan("start", "offboard", *KIM, *at, "--replace")

    assert sorted(PlanRun.objects.values_list("state", flat=True)) == ["canceled", "scheduled"]


def test_fresh_sign_in_is_refused_with_the_address_of_the_page(acme, environment, helpdesk):
    every = {action.key: NO_DEMANDS for action in ACTIONS}
    demanding = every | {"user.deactivate": frozenset({"fresh sign-in"})}
    give(helpdesk, Rights(pages=frozenset({Permission.VIEW_USERS}), actions=demanding))

    told = refused(4, "start", "offboard", *KIM, "--now", operator=AGENT)

    assert told.endswith(f"/o/acme/users/{PERSON}/plans/offboard/")
    assert (environment.writes, PlanRun.objects.count()) == ([], 0)


def test_plan_with_a_step_that_the_operator_may_not_do_is_refused(environment, auditor):
    assert "1. Deactivate: refused" in refused(4, "start", "offboard", *KIM, "--now", operator=auditor.email)
    assert environment.writes == []


def test_export_is_what_import_takes(environment, tmp_path, org_admin):
    saved(org_admin)
    file = tmp_path / "plan.json"
    file.write_text(plan("export", "vpn"), encoding="utf-8")
    assert "There is a plan with the ID “vpn”" in refused(1, "import", "--file", str(file))
    assert plan("import", "--file", str(file), "--replace") == "Nothing differs.\n"

    file.write_text(json.dumps(PLAN | {"name": "Renamed"}), encoding="utf-8")
    assert "Saved vpn, version 2: " in plan("import", "--file", str(file), "--replace")
    assert json.loads(plan("export", "vpn", "--version", "1"))["name"] == "VPN"

    Plan.objects.all().delete()
    assert plan_json("import", "--file", str(file))["version"] == 1
    version = PlanVersion.objects.get()
    assert (version.author, version.definition) == (org_admin, PLAN | {"name": "Renamed"})
    assert AuditEntry.objects.filter(action="plan-version.saved").exclude(system_user="").count() == 2


def test_import_that_is_no_plan_is_refused_with_the_steps(tmp_path):
    missing = {"action": "user.move", "inputs": {"population_id": str(LEAVERS)}}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(PLAN | {"steps": [missing], "names": {str(LEAVERS): "Leavers"}}), encoding="utf-8")

    told = refused(2, "import", "--file", str(file))

    assert told.startswith(f"Step 1: The population “Leavers” ({LEAVERS}) does not exist in this environment.")
    file.write_bytes(b"\xff")
    assert "--file" in refused(2, "import", "--file", str(file))
    assert not Plan.objects.exists()


def test_plan_and_run_that_do_not_exist_are_not_found():
    for arguments in (("preview", "nothing", *KIM), ("export", "nothing"), ("status", str(PERSON))):
        assert "not allowed" in refused(4, *arguments)
    assert "is not an ID" in refused(2, "status", "x")


def test_group_is_chosen_by_its_id(environment, org_admin):
    saved(org_admin, PLAN | {"steps": [{"action": "group.add", "inputs": {"group_id": "{asked}"}}]})
    environment.members[PERSON] = set()

    plan("start", "vpn", *KIM, "--now", "--choose", f"1.group_id={VPN}")
    worked(PlanRun.objects.get())

    assert environment.members[PERSON] == {VPN}
    assert PlanRun.objects.get().created_at > timezone.now() - timedelta(minutes=5)
