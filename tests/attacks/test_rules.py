"""Stories of somebody who wants to have a rule do what they may not do, or to harm many by it.

Each story has the steps of the attack and what must happen instead.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from uuid import UUID

import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from console.access import enter_org
from console.crawls import populations
from console.limits.rules import BRAKE_LEAST, BRAKE_PEOPLE
from console.models import AuditEntry, LimitPolicy, Membership, Operator, Organization, ProtectedMark, Rule
from console.rules import control
from console.rules.preview import preview
from pingone_integration.calls import rate_limit
from tests.support.answers import STAFF, listing
from tests.support.crawling import CONTRACTORS, Populations, crawl_of, crawled
from tests.support.narrowed import give_every_right
from tests.support.people import API_URL, ENVIRONMENT, make_operator
from tests.support.ruling import VPN, again, are_in, effects, met, moved_elsewhere, moves, rule_on, worked
from tests.support.small_environment import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Populations]:
    monkeypatch.setattr(rate_limit, "in_background", lambda *_percent: nullcontext())
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = Populations()
        router.route().mock(side_effect=people)
        yield people


def user_id(environment: Populations, number: int) -> UUID:
    return UUID(environment.named(f"user{number}")["id"])


@pytest.mark.parametrize("how", ["demoted", "suspended", "removed"])
def test_rule_outlives_no_right_of_its_author(
    acme: Organization, org_admin: Operator, environment: Populations, how: str
) -> None:
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    give_every_right(acme)  # an agent may add to groups, too: that is not enough
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    theirs = Membership.objects.filter(operator=org_admin)
    if how == "removed":
        theirs.delete()
    elif how == "demoted":
        theirs.update(role=Membership.Role.HELPDESK_AGENT)
    else:
        theirs.update(suspended_at=timezone.now())

    moves(other, environment, 1, CONTRACTORS)

    assert worked(rule).stop == Rule.Stop.ACCESS
    assert are_in(environment) == set()


def test_agent_with_every_right_has_no_door_to_rules_and_crawls(
    acme: Organization, org_admin: Operator, helpdesk: Operator, environment: Populations
) -> None:
    rule = rule_on(org_admin, environment)
    give_every_right(acme)
    access = enter_org(helpdesk, "acme")

    for path in ("rules/", "rules/new/", f"rules/{rule.pk}/", f"rules/{rule.pk}/edit/", "crawls/"):
        assert browser(helpdesk).get(f"/o/acme/settings/{path}").status_code == 403
    for do in (
        lambda: control.switch_on(access, rule, preview(rule), preview(rule).seen, met()),
        lambda: control.write(access, {}, rule),
        lambda: control.let_pass(access, rule, met()),
        lambda: control.resume(access, rule, met()),
        lambda: populations.switch_off(access),
        lambda: populations.accept(access, crawl_of(STAFF).pk),
    ):
        with pytest.raises(PermissionDenied):
            do()
    assert again(rule).state == Rule.State.ON


def test_member_of_another_organization_finds_no_rule_and_no_crawl(
    acme: Organization, globex: Organization, org_admin: Operator, stranger: Operator, environment: Populations
) -> None:
    rule = rule_on(org_admin, environment)
    theirs = enter_org(stranger, "globex")

    with pytest.raises(Http404):
        control.rule_or_404(theirs, rule.pk)
    assert browser(stranger).post(f"/o/globex/settings/rules/{rule.pk}/", {"do": "delete"}).status_code == 404
    assert not populations.accept(theirs, crawl_of(STAFF).pk)
    assert again(rule).state == Rule.State.ON


def test_protected_person_who_is_moved_is_left_alone(
    acme: Organization, org_admin: Operator, environment: Populations
) -> None:
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=user_id(environment, 1), marked_by=org_admin)
    moved_elsewhere(environment, 1, CONTRACTORS)

    crawled()
    worked(rule)

    assert are_in(environment) == set()
    refused = AuditEntry.objects.get(action="group.add", outcome="refused")
    assert "Rules leave protected users and groups alone." in refused.note


def test_group_that_gets_administrator_rights_after_the_switch_on_is_given_to_nobody(
    acme: Organization, org_admin: Operator, environment: Populations
) -> None:
    environment.someone(1)
    rule = rule_on(org_admin, environment)
    environment.roles.add(VPN)

    moves(org_admin, environment, 1, CONTRACTORS)
    worked(rule)

    assert are_in(environment) == set()
    assert effects(rule) == [("user1", True, "failed")]


def test_mass_move_that_passed_the_brake_does_not_carry_the_rule_past_it(
    acme: Organization, org_admin: Operator, environment: Populations
) -> None:
    LimitPolicy.objects.create(organization=acme, limit=BRAKE_PEOPLE.key, most=3)
    LimitPolicy.objects.create(organization=acme, limit=BRAKE_LEAST.key, most=100)
    for number in range(1, 7):
        environment.someone(number)
    rule = rule_on(org_admin, environment)

    for number in range(1, 7):
        moves(org_admin, environment, number, CONTRACTORS, channel="job", passes_brake=True)

    assert worked(rule).stop == Rule.Stop.BRAKE
    assert len(are_in(environment)) == 3


@pytest.mark.parametrize("count", [5, 40])
def test_crawl_that_finds_nobody_takes_nothing_back(
    acme: Organization, org_admin: Operator, environment: Populations, count: int
) -> None:
    """Something in between answers 200 with an empty list, for a small population and for a large one."""
    LimitPolicy.objects.create(organization=acme, limit=BRAKE_LEAST.key, most=100)
    for number in range(1, count + 1):
        environment.someone(number, population=CONTRACTORS)
    rule = rule_on(org_admin, environment, everybody=True, takes_back=True)
    worked(rule)
    assert len(are_in(environment)) == count
    environment.envelope = listing("users")

    crawled()
    worked(rule)

    assert len(are_in(environment)) == count
    environment.envelope = None
    crawled()
    worked(rule)
    assert len(are_in(environment)) == count
