"""Single sign-on in a browser, with the sandbox as the provider: in, another role, again, out, and refused."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from console.models import MappedGroup, Operator, Organization
from tests.support.sandbox_provider import SandboxProvider, sandbox_provider
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(transactional_db: None, sandbox: Sandbox, settings: Any, live_server: LiveServer) -> SandboxProvider:
    found = sandbox_provider(sandbox, settings, live_server.url)
    settings.OIDC_NAME = "Acme login of the whole Holding International GmbH & Co. KG"
    return found


def sign_in_there(page: Page, provider: SandboxProvider) -> None:
    page.get_by_role("button", name="Sign in with Acme login").click()
    page.get_by_label("Username").fill(provider.username)
    page.get_by_label("Password").fill(provider.password)
    page.get_by_role("button", name="Sign on").click()
    page.get_by_role("button", name="Allow").click()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_person_is_let_in_by_their_groups_alone(
    provider: SandboxProvider,
    acme: Organization,
    new_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    java_script: bool,
) -> None:
    MappedGroup.objects.create(organization=acme, group="Admins", role="org_admin")
    MappedGroup.objects.create(organization=acme, group="Helpdesk", role="helpdesk_agent")
    page = new_page(java_script_enabled=java_script)
    page.goto("/o/acme/")
    if java_script:
        assert_accessible(page)
    sign_in_there(page, provider)
    expect(page.get_by_text("none of your groups there opens an organization here")).to_be_visible()

    helpdesk = provider.add_to("Helpdesk")
    page.goto("/o/acme/")
    page.get_by_role("button", name="Sign in with Acme login").click()  # still signed in there
    page.wait_for_url("**/o/acme/")
    if not java_script:
        return
    refused = page.goto("/o/acme/settings/members/")
    assert refused
    assert refused.status == 403

    provider.remove_from(helpdesk)
    provider.add_to("Admins")
    page.goto("/")
    page.get_by_role("button", name=re.compile("Your account")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("signed off").or_(page.get_by_role("heading", name="Sign in"))).to_be_visible()
    page.goto("/o/acme/settings/single-sign-on/")
    sign_in_there(page, provider)
    expect(page.get_by_role("heading", name="Groups with a role")).to_be_visible()
    assert_accessible(page)
    page.goto("/accounts/single-sign-on/link/")
    expect(page.get_by_text("Your account is linked to Acme login")).to_be_visible()
    assert Operator.objects.get().email == f"{provider.username}@acme.test"
