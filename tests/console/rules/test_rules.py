"""Rules: who comes into a population gets groups; what triggers them, what they take back, and when they stop."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit import entries
from console.audit.entries import Circumstances
from console.crawls import changes
from console.jobs import runner
from console.limits.rules import BRAKE_LEAST, BRAKE_PEOPLE
from console.models import AuditEntry, CrawlWork, LimitPolicy, Membership, OutgoingEmail, Rule, RuleEffect
from console.perform import resolve, undo
from console.perform.user_operation import perform
from console.rules import control, engine
from console.rules import effects as doing
from console.rules.control import NotPossibleNow
from console.rules.preview import preview
from tests.support.answers import STAFF
from tests.support.crawling import CONTRACTORS, crawled, of, switch_on
from tests.support.many_people import prepared, rows_for, started
from tests.support.people import make_operator
from tests.support.ruling import BADGE, VPN, again, are_in, effects, met, moved_elsewhere, moves, rule_on, worked

pytestmark = pytest.mark.django_db

SETTINGS = "/o/acme/settings/rules/"


class Killed(BaseException):
    """As SIGKILL: nothing catches it, and nothing is cleaned up."""


def page_of(rule):
    return f"{SETTINGS}{rule.pk}/"


# What counts as coming


def test_who_is_moved_on_a_page_gets_the_groups_at_once(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment)

    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)

    assert are_in(environment) == {"user1"}
    entry = AuditEntry.objects.current().get(action="group.add")
    assert (entry.channel, entry.operator, entry.outcome) == ("rule", org_admin, "succeeded")
    assert entry.reason.startswith("Rule “Contractors”")
    crawled()
    assert effects(rule) == [("user1", True, "done")]  # the crawl finds them, and does not repeat it


def test_who_is_created_on_a_page_gets_the_groups_at_once(acme, org_admin, environment):
    rule = rule_on(org_admin, environment)
    inputs = {"profile": {"username": "new", "given_name": "Nia"}, "population_id": CONTRACTORS}

    perform(enter_org(org_admin, "acme"), BY_KEY["user.create"], None, inputs, Circumstances())
    worked(rule)

    assert are_in(environment) == {"new"}


def test_move_by_a_job_and_its_undo_count_at_once(acme, org_admin, environment, monkeypatch):
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    environment.someone(1)
    rule = rule_on(org_admin, environment, takes_back=True)
    job = prepared(org_admin, "user.move", rows_for([1]), population_id=str(CONTRACTORS))

    started(org_admin, job)
    worked(rule)
    assert are_in(environment) == {"user1"}

    moved = AuditEntry.objects.current().get(action="user.move")
    undo.undo(enter_org(org_admin, "acme"), moved, met(undoes=moved.entry))
    worked(rule)
    assert are_in(environment) == set()


def test_who_came_elsewhere_is_found_by_the_next_crawl(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    moved_elsewhere(environment, 1, CONTRACTORS)
    environment.someone(2, population=CONTRACTORS)

    crawled()
    worked(rule)
    assert are_in(environment) == {"user1", "user2"}

    crawled()
    assert len(effects(rule)) == 2


@pytest.mark.parametrize("everybody", [True, False])
def test_who_is_there_at_switch_on_is_in_scope_only_if_chosen(acme, org_admin, environment, everybody):
    environment.someone(1, population=CONTRACTORS)
    rule = rule_on(org_admin, environment, everybody=everybody)

    crawled()
    worked(rule)

    assert are_in(environment) == ({"user1"} if everybody else set())


@pytest.mark.parametrize("channel", ["plan", "rule"])
def test_move_by_a_plan_or_rule_never_counts(acme, org_admin, environment, channel):
    environment.someone(1)
    environment.someone(2, population=CONTRACTORS)
    rule = rule_on(org_admin, environment, takes_back=True, everybody=True)
    worked(rule)
    assert are_in(environment) == {"user2"}

    moves(org_admin, environment, 1, CONTRACTORS, channel=channel)
    moves(org_admin, environment, 2, STAFF, channel=channel)
    worked(rule)
    crawled()
    worked(rule)
    crawled()
    worked(rule)

    assert are_in(environment) == {"user2"}
    assert len(effects(rule)) == 1


def test_outcome_that_was_unknown_counts_once_it_is_known(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    user_id = environment.named("user1")["id"]

    def lost(request):
        if request.url.path.endswith("/population"):
            raise httpx.ReadTimeout("lost")

    environment.after = lost
    environment.before = lambda _request: environment.status.update({f"GET /users/{user_id}": 500})
    moves(org_admin, environment, 1, CONTRACTORS)
    environment.status.clear()
    entry = AuditEntry.objects.current().get(action="user.move")
    assert (entry.outcome, effects(rule)) == ("unknown", [])

    resolve.read_back(enter_org(org_admin, "acme"), entry)
    worked(rule)

    assert are_in(environment) == {"user1"}


def test_held_crawl_fires_nothing_until_it_is_accepted(acme, org_admin, browser_of, environment):
    LimitPolicy.objects.create(organization=acme, limit=BRAKE_LEAST.key, most=50)
    rule = rule_on(org_admin, environment)
    for number in range(1, 23):
        environment.someone(number, population=CONTRACTORS)

    crawled()
    worked(rule)
    assert effects(rule) == []

    page = browser_of(org_admin).get("/o/acme/settings/crawls/").text
    crawl = re.findall(r'name="crawl" value="(\d+)"', page)[0]
    browser_of(org_admin).post("/o/acme/settings/crawls/", {"do": "accept", "crawl": crawl})
    crawled()
    worked(rule)
    assert len(are_in(environment)) == 22


# What it takes back


@pytest.mark.parametrize("takes_back", [True, False])
def test_what_it_gave_is_taken_back_if_that_was_chosen(acme, org_admin, environment, takes_back):
    environment.add_group(BADGE, "Badge")
    groups = [{"id": str(VPN), "name": "VPN"}, {"id": str(BADGE), "name": "Badge"}]
    environment.someone(1)
    environment.someone(2)
    environment.members[UUID(environment.named("user1")["id"])] = {BADGE}  # before, and not by the rule
    rule = rule_on(org_admin, environment, takes_back=takes_back, groups=groups)
    moves(org_admin, environment, 1, CONTRACTORS)
    moved_elsewhere(environment, 2, CONTRACTORS)
    crawled()
    worked(rule)
    assert are_in(environment) == are_in(environment, BADGE) == {"user1", "user2"}

    moves(org_admin, environment, 1, STAFF)
    moved_elsewhere(environment, 2, STAFF)
    crawled()
    worked(rule)

    assert are_in(environment) == (set() if takes_back else {"user1", "user2"})
    assert are_in(environment, BADGE) == ({"user1"} if takes_back else {"user1", "user2"})


def test_who_came_back_meanwhile_keeps_it(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment, takes_back=True)
    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)

    moves(org_admin, environment, 1, STAFF)
    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)

    assert are_in(environment) == {"user1"}
    assert (environment.named("user1")["username"], False, "canceled") in effects(rule)


def test_who_left_before_the_worker_came_gets_nothing(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    moves(org_admin, environment, 1, CONTRACTORS)
    moved_elsewhere(environment, 1, STAFF)

    worked(rule)

    assert are_in(environment) == set()
    assert rule.effects.get().detail == "They are no longer in the population."


# When it stops and asks


def test_rule_stops_when_its_author_may_no_longer_do_it_and_another_org_admin_takes_it_over(
    acme, org_admin, environment
):
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    environment.someone(1)
    environment.someone(2)
    rule = rule_on(org_admin, environment)
    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.HELPDESK_AGENT)

    moves(other, environment, 1, CONTRACTORS)
    rule = worked(rule)
    moves(other, environment, 2, CONTRACTORS)
    worked(rule)
    assert (rule.state, rule.stop, are_in(environment)) == ("stopped", "access", set())
    assert {one.to for one in OutgoingEmail.objects.filter(about=f"rule {rule.pk}")} == {"other@acme.test"}
    assert AuditEntry.objects.get(action="rule.stopped").actor == "organization"

    control.resume(enter_org(other, "acme"), rule, met())
    worked(rule)

    assert are_in(environment) == {"user1", "user2"}
    assert {one.operator for one in AuditEntry.objects.filter(action="group.add")} == {other}


def test_taking_back_goes_on_without_its_author(acme, org_admin, environment):
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    environment.someone(1)
    rule = rule_on(org_admin, environment, takes_back=True)
    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)
    Membership.objects.filter(operator=org_admin).delete()

    moves(other, environment, 1, STAFF)
    worked(rule)

    assert are_in(environment) == set()
    assert AuditEntry.objects.current().get(action="group.remove").actor == "organization"


def test_brake_stops_a_rule_until_another_org_admin_lets_it_pass(acme, org_admin, environment, browser_of):
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    LimitPolicy.objects.create(organization=acme, limit=BRAKE_PEOPLE.key, most=2)
    for number in (1, 2, 3, 4):
        environment.someone(number, population=CONTRACTORS)
    rule = rule_on(org_admin, environment, everybody=True)

    rule = worked(rule)
    assert (rule.stop, len(are_in(environment))) == ("brake", 2)
    with pytest.raises(NotPossibleNow):
        control.let_pass(enter_org(org_admin, "acme"), rule, met())
    with pytest.raises(NotPossibleNow):
        control.resume(enter_org(org_admin, "acme"), rule, met())

    browser_of(other).post(page_of(rule), {"do": "let-pass"})
    worked(rule)

    assert len(are_in(environment)) == 4
    assert AuditEntry.objects.get(action="rule.let-pass").operator == other


def test_lock_down_lets_a_rule_wait(acme, org_admin, environment):
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    moves(org_admin, environment, 1, CONTRACTORS)
    acme.lock_down_reason, acme.locked_down_at = "Attack", timezone.now()
    acme.save()

    assert worked(rule).state == "on"
    assert are_in(environment) == set()

    acme.locked_down_at = None
    acme.save()
    worked(rule)
    assert are_in(environment) == {"user1"}


def test_rule_that_is_off_does_nothing_and_forgets_what_waited(acme, org_admin, environment):
    environment.someone(1)
    environment.someone(2)
    rule = rule_on(org_admin, environment)
    moves(org_admin, environment, 1, CONTRACTORS)

    control.switch_off(enter_org(org_admin, "acme"), rule)
    moves(org_admin, environment, 2, CONTRACTORS)
    worked(rule)

    assert are_in(environment) == set()
    assert effects(rule) == [("user1", True, "canceled")]


def test_failure_is_tried_again_when_an_org_admin_says_so(acme, org_admin, environment, browser_of):
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    environment.status["/memberOfGroups"] = 403
    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)
    assert effects(rule) == [("user1", True, "failed")]
    environment.status.clear()

    browser_of(org_admin).post(page_of(rule), {"do": "retry"})
    worked(rule)

    assert are_in(environment) == {"user1"}


# Nothing twice, nothing lost

STEPS = {
    "before the groups are stored": (doing, "_store", "before"),
    "after the groups are stored": (doing, "_store", "after"),
    "before the entry is written": (entries, "start", "before"),
    "after the entry is written": (entries, "start", "after"),
    "before the write": (None, "before", ""),
    "after the write": (None, "after", ""),
    "before the entry is closed": (entries, "close", "before"),
    "after the entry is closed": (entries, "close", "after"),
    "before it ends": (RuleEffect, "end", "before"),
    "after it ends": (RuleEffect, "end", "after"),
}


@pytest.mark.parametrize("gives", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_effect_of_a_killed_worker_is_done_once(acme, org_admin, environment, monkeypatch, step, gives):
    environment.someone(1)
    rule = rule_on(org_admin, environment, takes_back=True)
    moves(org_admin, environment, 1, CONTRACTORS)
    if not gives:
        worked(rule)
        moves(org_admin, environment, 1, STAFF)
    environment.requests.clear()
    module, name, when = STEPS[step]
    alive = [True]

    def now():
        return bool(alive) and alive.pop()

    with monkeypatch.context() as patched:
        if module is None:

            def hook(_request):
                if now():
                    raise Killed

            patched.setattr(environment, name, hook)
        else:
            original = getattr(module, name)

            def killed(*args, **options):
                is_now = now()
                if is_now and when == "before":
                    raise Killed
                result = original(*args, **options)
                if is_now:
                    raise Killed
                return result

            patched.setattr(module, name, killed)
        with pytest.raises(Killed):
            engine.run_due()
    RuleEffect.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))

    worked(rule)
    worked(rule)

    assert are_in(environment) == ({"user1"} if gives else set())
    took_effect = [one for one in environment.writes if "memberOfGroups" in one]
    assert len(took_effect) <= 2 if step == "before the write" else len(took_effect) == 1
    assert all(state == "done" for _name, _gives, state in effects(rule))


def test_comparison_of_a_killed_worker_is_repeated_without_a_second_effect(acme, org_admin, environment, monkeypatch):
    rule = rule_on(org_admin, environment)
    environment.someone(1, population=CONTRACTORS)
    with monkeypatch.context() as patched:

        def killed(*args):
            changes_compare(*args)
            raise Killed

        changes_compare = changes.compare
        patched.setattr(changes, "compare", killed)
        with pytest.raises(Killed):
            crawled()
    CrawlWork.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))
    crawled()

    assert len(effects(rule)) == 1


# The pages


def test_org_admin_writes_a_rule_and_switches_it_on_after_its_preview(acme, org_admin, environment, browser_of):
    environment.add_group(VPN, "VPN")
    environment.someone(1, population=CONTRACTORS)
    switch_on(org_admin)
    crawled()
    client = browser_of(org_admin)

    form = client.get(f"{SETTINGS}new/").text
    assert "dynamic group" in form
    typed = {"name": "Contractors", "population": str(CONTRACTORS), "group": [str(VPN)], "takes_back": "on"}
    found = client.post(f"{SETTINGS}new/", typed | {"find": "1", "group_search": "VPN"}).text
    assert f'value="{VPN}"' in found
    assert "checked" in found
    assert not Rule.objects.exists()
    client.post(f"{SETTINGS}new/", typed | {"do": "save"})
    rule = Rule.objects.get()
    assert (rule.state, rule.takes_back, rule.groups) == ("off", True, [{"id": str(VPN), "name": "VPN"}])

    page = client.get(page_of(rule)).text
    assert "1 user is in the population" in page
    assert "user1" in page
    seen = re.findall(r'name="seen" value="([^"]*)"', page)[0]
    sent = {"do": "switch-on", "seen": seen, "scope": "everybody", "reason": "Agreed", "submission": str(uuid4())}
    answer = client.post(page_of(rule), sent)

    assert answer.status_code == 302, answer.text
    rule = worked(rule)
    assert (rule.state, rule.author) == ("on", org_admin)
    assert are_in(environment) == {"user1"}
    entry = AuditEntry.objects.get(action="rule.switched-on")
    assert (entry.inputs["everybody"], entry.inputs["users"], entry.reason) == (True, 1, "Agreed")
    assert "On since" in client.get(page_of(rule)).text
    assert "Contractors" in client.get(SETTINGS).text


def rule_off(operator, environment):
    """Write a rule that can be previewed. Return it after the access and the values that it was written with."""
    environment.add_group(VPN, "VPN")
    switch_on(operator)
    crawled()
    access = enter_org(operator, "acme")
    values = {"name": "R", "population_id": CONTRACTORS, "groups": [{"id": str(VPN), "name": "VPN"}]}
    return access, values, control.write(access, values)


def test_preview_that_is_out_of_date_switches_nothing_on(acme, org_admin, environment):
    access, _values, rule = rule_off(org_admin, environment)
    seen = preview(rule).seen

    crawled()

    with pytest.raises(NotPossibleNow):
        control.switch_on(access, rule, preview(rule), seen, met())
    assert again(rule).state == "off"


def test_rule_that_another_tab_changes_after_the_preview_is_not_switched_on(acme, org_admin, environment):
    """The other tab is quicker, after this one has looked at the preview."""
    access, values, rule = rule_off(org_admin, environment)
    shown = preview(rule)

    control.write(access, values | {"groups": [{"id": str(BADGE), "name": "VPN"}]}, again(rule))

    with pytest.raises(NotPossibleNow):
        control.switch_on(access, rule, shown, shown.seen, met())
    assert again(rule).state == "off"


@pytest.mark.parametrize("kind", ["dynamic", "of another population", "that gives administrator rights"])
def test_rule_takes_no_group_that_it_could_not_fill(acme, org_admin, environment, browser_of, kind):
    environment.add_group(VPN, "VPN", condition='population.id eq "x"' if kind == "dynamic" else "")
    if kind == "of another population":
        environment.groups[VPN] |= of(STAFF)
    if kind == "that gives administrator rights":
        environment.roles.add(VPN)
    switch_on(org_admin)

    typed = {"name": "Contractors", "population": str(CONTRACTORS), "group": [str(VPN)], "do": "save"}
    answer = browser_of(org_admin).post(f"{SETTINGS}new/", typed)

    assert answer.status_code == 422
    assert not Rule.objects.exists()


def test_saving_a_rule_switches_it_off(acme, org_admin, environment, browser_of):
    rule = rule_on(org_admin, environment)

    typed = {"name": "Other", "population": str(CONTRACTORS), "group": [str(VPN)], "do": "save"}
    browser_of(org_admin).post(f"{page_of(rule)}edit/", typed)

    rule = again(rule)
    assert (rule.name, rule.state) == ("Other", "off")
    entry = AuditEntry.objects.get(action="rule.changed")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["name"], entry.after["name"]) == ("Contractors", "Other")


def test_deleting_a_rule_takes_nothing_back(acme, org_admin, environment, browser_of):
    environment.someone(1, population=CONTRACTORS)
    rule = rule_on(org_admin, environment, everybody=True, takes_back=True)
    worked(rule)

    browser_of(org_admin).post(page_of(rule), {"do": "delete"})

    assert not Rule.objects.exists()
    assert are_in(environment) == {"user1"}
    assert AuditEntry.objects.filter(action="rule.deleted").exists()


def test_lists_and_user_pages_ask_no_rule(acme, org_admin, environment, browser_of):
    """Coming costs a query when somebody is created or moved, and none when a page is read or anything else is done."""
    environment.someone(1)
    rule_on(org_admin, environment)
    client = browser_of(org_admin)
    with CaptureQueriesContext(connection) as asked:
        client.get("/o/acme/users/")
        client.get(f"/o/acme/users/{environment.named('user1')['id']}/")
    assert not [one for one in asked.captured_queries if "console_rule" in str(one) or "crawl" in str(one)]
