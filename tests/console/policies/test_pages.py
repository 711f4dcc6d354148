"""Settings > Policies: the way to each of its pages."""

import re

from console.access import Permission
from console.rights.roles import Rights
from tests.support.rights import give

POLICIES = "/o/acme/settings/policies/"


def pages_of(response):
    """Return the links of the pages, with whether each is the open one, and the headings of the groups."""
    menu = response.content.decode().split('<nav popover id="policy-pages"')[1].split("</nav>")[0]
    links = re.findall(r'<a href="([^"]+)"\s*(aria-current="page")?>', menu)
    return {address: bool(current) for address, current in links}, re.findall(r'menu-heading">([^<]+)<', menu)


def test_policies_groups_its_pages_and_each_says_which_is_open(browser_of, org_admin, pingone):
    admin = browser_of(org_admin)
    pingone.get("/schemas").respond(503)
    pages, groups = pages_of(admin.get(POLICIES))

    assert len(groups) == 4
    assert len(pages) == 12
    for address in pages:
        assert pages_of(admin.get(address)) == ({one: one == address for one in pages}, groups)


def test_policies_leads_a_member_with_a_role_of_their_own_only_where_they_may_go(browser_of, helpdesk, pingone):
    give(helpdesk, Rights(pages=frozenset({Permission.MANAGE_POLICIES})))
    member = browser_of(helpdesk)

    pages, groups = pages_of(member.get(POLICIES))

    assert len(groups) == 3
    assert {address: member.get(address).status_code for address in pages} == dict.fromkeys(pages, 200)
