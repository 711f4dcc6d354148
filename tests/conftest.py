"""People, organizations and a PingOne of canned answers, for every test."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import respx
from django.test import Client

from console.models import Membership, Operator, Organization
from pingone_integration.calls.api import http_client
from tests.support.browser import NO_CHROMIUM
from tests.support.people import API_URL, ENVIRONMENT, make_operator, make_organization
from tests.support.sandbox_server import Sandbox, running_sandbox


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what did not run for want of a Chromium; of those the list of skips, which follows, is silent."""
    skipped = terminalreporter.stats.get("skipped", [])
    not_run = [report for report in skipped if NO_CHROMIUM in str(report.longrepr)]
    if not_run:
        terminalreporter.stats["skipped"] = [report for report in skipped if report not in not_run]
        terminalreporter.stats["without Chromium"] = not_run  # so it stands in the last line's counts
        terminalreporter.write_line(f"{len(not_run)} browser tests did not run. {NO_CHROMIUM}", yellow=True)


@pytest.fixture(autouse=True)
def _fresh_http_client() -> Iterator[None]:
    """No connection to a server of another test is kept."""
    yield
    if http_client.cache_info().currsize:
        http_client().close()
        http_client.cache_clear()


@pytest.fixture
def acme(db: None) -> Organization:
    """A connected organization; the people below belong to it."""
    return make_organization("acme", "Acme")


@pytest.fixture
def globex(db: None) -> Organization:
    """Another connected organization, that nobody of Acme belongs to."""
    return make_organization("globex", "Globex")


@pytest.fixture
def org_admin(acme: Organization) -> Operator:
    return make_operator("admin@acme.test", acme, Membership.Role.ORG_ADMIN)


@pytest.fixture
def helpdesk(acme: Organization) -> Operator:
    return make_operator("agent@acme.test", acme, Membership.Role.HELPDESK_AGENT)


@pytest.fixture
def auditor(acme: Organization) -> Operator:
    return make_operator("auditor@acme.test", acme, Membership.Role.AUDITOR)


@pytest.fixture
def stranger(globex: Organization) -> Operator:
    """An org admin, but of another organization."""
    return make_operator("admin@globex.test", globex, Membership.Role.ORG_ADMIN)


@pytest.fixture
def browser_of() -> Callable[[Operator], Client]:
    """A signed-in test client for an operator; it enforces CSRF no more than Django's default client."""

    def signed_in(operator: Operator) -> Client:
        client = Client()
        client.force_login(operator)
        return client

    return signed_in


@pytest.fixture
def pingone() -> Iterator[respx.MockRouter]:
    """Acme's environment in canned answers; a request without one fails the test, and so does an unused answer."""
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}") as router:
        yield router


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for all tests of a process, as starting it takes seconds: each has users and applications of its own in it.

    Whoever breaks it mends it afterwards. Grants that are revoked stay so: nobody keeps one for the next test.
    """
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture(scope="session")
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """Another one, in folders that want one."""
    return shared_sandbox


@pytest.fixture
def administrator(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """PingOne's API without the console in between."""
    with sandbox.api(sandbox.token()) as client:
        yield client
