"""What the protection costs: calls to PingOne, and queries."""

import pytest
from django.core.cache import cache

from tests.support.answers import ADA, ENGINEERS
from tests.support.small_environment import ADMINS, TEAM, browser, press, read_groups

USER, ROLES = f"/users/{ADA}", f"/users/{ADA}/roleAssignments"
MEMBERSHIPS = f"/users/{ADA}/memberOfGroups"


def test_action_costs_one_more_call(acme, helpdesk, environment):
    environment.members[ADA].add(ENGINEERS)
    read_groups(acme)
    environment.requests.clear()

    press(browser(helpdesk), "user.deactivate", htmx=True)

    assert environment.reads == [USER, ROLES, USER]  # before, the roles, after


def test_action_costs_two_more_where_memberships_by_filter_may_be_missing(acme, helpdesk, environment):
    environment.add_group(TEAM, "Team", condition='title eq "Boss"')
    environment.add_group(ADMINS, "Admins")
    environment.roles.add(ADMINS)
    environment.nested[TEAM].add(ADMINS)
    read_groups(acme)
    environment.requests.clear()

    press(browser(helpdesk), "user.deactivate", htmx=True)

    assert environment.reads == [USER, MEMBERSHIPS, ROLES, USER]


def test_refusal_by_what_the_console_knows_costs_no_more_call(acme, helpdesk, environment):
    environment.roles.add(ENGINEERS)
    environment.members[ADA].add(ENGINEERS)
    read_groups(acme)
    environment.requests.clear()

    said = press(browser(helpdesk), "user.deactivate", htmx=True)

    assert "Ada Berg is a PingOne administrator through the group Engineers. Ask an org admin." in said
    assert ROLES not in environment.reads


PAGES = {
    "users/": ["/users", "/populations"],
    f"users/{ADA}/": [USER],
    f"users/{ADA}/actions/user.deactivate/": [USER],
    "groups/": ["/groups"],
}


@pytest.mark.parametrize("path", PAGES)
def test_pages_ask_pingone_for_nothing_more(acme, helpdesk, environment, path):
    cache.clear()
    environment.members[ADA].add(ENGINEERS)
    read_groups(acme)
    environment.requests.clear()

    browser(helpdesk).get(f"/o/acme/{path}")

    assert environment.reads == PAGES[path]
