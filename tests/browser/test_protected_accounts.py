"""A protected user in a browser: agents are refused, org admins give a reason and sign in again."""

from collections.abc import Callable, Iterator

import pytest
import respx
from playwright.sync_api import Page, expect

from console.models import Operator
from tests.support.answers import ADA
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.small_environment import SmallEnvironment

pytestmark = pytest.mark.browser

USER = f"/o/acme/users/{ADA}/"


@pytest.fixture
def environment() -> Iterator[SmallEnvironment]:
    """Mock an environment in which Ada is a PingOne administrator."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        small = SmallEnvironment()
        small.roles.add(ADA)
        router.route().mock(side_effect=small)
        yield small


@pytest.mark.parametrize("java_script", [True, False])
def test_agent_is_refused_and_org_admin_signs_in_again(
    new_page: Callable[..., Page],
    environment: SmallEnvironment,
    helpdesk: Operator,
    org_admin: Operator,
    java_script: bool,
) -> None:
    agent = new_page(helpdesk, java_script_enabled=java_script)
    agent.goto(f"{USER}actions/user.deactivate/")
    agent.get_by_role("button", name="Deactivate").click()
    expect(agent.locator("#notices")).to_contain_text("Ada Berg is a PingOne administrator. Ask an org admin.")
    assert not environment.writes

    admin = new_page(org_admin, is_fresh=False, java_script_enabled=java_script)
    admin.goto(f"{USER}actions/user.deactivate/")
    admin.get_by_label("Reason").fill("Left the company")
    admin.get_by_role("button", name="Deactivate").click()
    admin.get_by_label("Password").fill("correct horse battery")
    admin.locator("main form button").first.click()
    expect(admin.get_by_text("You signed in again. Nothing was changed yet.")).to_be_visible()
    expect(admin.get_by_label("Reason")).to_have_value("Left the company")
    assert not environment.writes

    admin.get_by_role("button", name="Deactivate").click()
    expect(admin.locator("#notices")).to_contain_text("Deactivated Ada Berg.")
    assert environment.writes == [f"PUT /users/{ADA}/enabled"]
