"""The page of crawls."""

import pytest

from tests.support.crawling import crawled, switch_on

pytestmark = pytest.mark.django_db

PAGE = "/o/acme/settings/crawls/"


def test_page_is_there_before_the_first_crawl_ends(acme, org_admin, browser_of, environment):
    """Whoever switches crawls on lands on the page at once, while nothing is known of any population."""
    environment.someone(1)
    switch_on(org_admin)
    client = browser_of(org_admin)
    client.post(PAGE, {"do": "switch-off"})

    client.post(PAGE, {"do": "switch-on"})
    before = client.get(PAGE)
    crawled()
    after = client.get(PAGE)

    assert before.status_code == 200
    assert "None yet" in before.text
    assert after.status_code == 200
    assert '<td data-label="Users" class="text-end">1</td>' in after.text
