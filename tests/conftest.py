"""Fixtures for every test: people, organizations and a mocked PingOne."""

import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import httpx
import pytest
import respx
from django.conf import settings
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import Client
from pytest_django import DjangoDbBlocker

from console.models import Membership, Operator, Organization
from pingone_integration.calls.api import http_client
from tests.support import migrated
from tests.support.administrators import WithoutAdministrators
from tests.support.browser import NO_CHROMIUM
from tests.support.people import API_URL, ENVIRONMENT, make_operator, make_organization
from tests.support.sandbox_server import Sandbox, running_sandbox
from tests.support.sessions import keep_tokens_in_cookies


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage while tests are collected, and never again among what their modules made: it all stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the tests skipped without Chromium on one line, and leave them out of the list of skips that follows."""
    skipped = terminalreporter.stats.get("skipped", [])
    not_run = [report for report in skipped if NO_CHROMIUM in str(report.longrepr)]
    if not_run:
        terminalreporter.stats["skipped"] = [report for report in skipped if report not in not_run]
        terminalreporter.stats["without Chromium"] = not_run  # for the counts in the last line
        terminalreporter.write_line(f"{len(not_run)} browser tests did not run. {NO_CHROMIUM}", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def _tokens_in_cookies() -> None:
    keep_tokens_in_cookies()


@pytest.fixture(scope="session", autouse=True)
def _no_content_types() -> None:
    """Create no content types and permissions: the console uses none, and each flush of a database test repeats it."""
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None, django_db_keepdb: bool) -> bool:
    """Start from a copy of a migrated database. Django then applies what is missing, which is nothing."""
    name = settings.DATABASES["default"]["TEST"]["NAME"]
    return migrated.copy_to(Path(name)) if is_sqlite() else django_db_keepdb


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    if is_sqlite():
        with django_db_blocker.unblock():
            migrated.keep()


def is_sqlite() -> bool:
    return bool(connection.vendor == "sqlite")


@pytest.fixture(autouse=True)
def _fresh_http_client() -> Iterator[None]:
    """Close the connection pool after each test, so that no connection to its servers remains."""
    yield
    if http_client.cache_info().currsize:
        http_client().close()
        http_client.cache_clear()


@pytest.fixture
def acme(db: None) -> Organization:
    """Create a connected organization. The people below belong to it."""
    return make_organization("acme", "Acme")


@pytest.fixture
def globex(db: None) -> Organization:
    """Create another connected organization. No operator of Acme belongs to it."""
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
    """Create an org admin of another organization."""
    return make_operator("admin@globex.test", globex, Membership.Role.ORG_ADMIN)


@pytest.fixture
def browser_of() -> Callable[[Operator], Client]:
    """Return a function that makes a test client with a signed-in operator. The client does not enforce CSRF."""

    def signed_in(operator: Operator) -> Client:
        client = Client()
        client.force_login(operator)
        return client

    return signed_in


@pytest.fixture
def pingone() -> Iterator[respx.MockRouter]:
    """Mock Acme's environment. A request without a mocked answer fails the test, and so does an unused answer.

    Unless a test mocks these answers, nobody has administrator roles, and no groups are nested.
    """
    with WithoutAdministrators(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}") as router:
        yield router


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Start one sandbox for all tests of a process, because the start takes seconds.

    Each test has its own users and applications. A test that breaks the sandbox repairs it. A revoked grant stays
    revoked, so no test keeps a grant for the next test.
    """
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture(scope="session")
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """Return the shared sandbox. A folder may override this with its own sandbox."""
    return shared_sandbox


@pytest.fixture
def administrator(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Open a client of PingOne's API that does not go through the console."""
    with sandbox.api(sandbox.token()) as client:
        yield client
