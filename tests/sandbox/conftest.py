"""A sandbox that all its tests share. A test that changes an application or a user creates its own."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.sandbox_people import Person
from tests.support.sandbox_server import Sandbox, new_browser, running_sandbox

NOT_ADMITTED = ("rosa.reader", "henk.helpdesk")  # by an application with Admin only access


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "200") as started:
        yield started


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """Return an HTTP client for the sandbox that keeps cookies: a program or a browser."""
    with new_browser() as client:
        yield client


@pytest.fixture(scope="session")
def api_of(sandbox: Sandbox) -> Iterator[Callable[..., httpx.Client]]:
    """Return `api_of`. `api_of("ada.admin")`: the managed environment's API as an administrator, who signs in once."""
    tokens: dict[str, str] = {}
    clients: list[httpx.Client] = []

    def api(username: str, environment_id: str = "") -> httpx.Client:
        if username not in tokens:
            tokens[username] = sandbox.token(username, for_everybody=username in NOT_ADMITTED)
        clients.append(sandbox.api(tokens[username], environment_id))
        return clients[-1]

    yield api
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def ada(api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Identity Data Admin of the managed environment."""
    return api_of("ada.admin")


@pytest.fixture(scope="session")
def rosa(api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Identity Data Read Only of the managed environment."""
    return api_of("rosa.reader")


@pytest.fixture(scope="session")
def petra(api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Identity Data Admin of the population Partners only."""
    return api_of("petra.partners")


@pytest.fixture(scope="session")
def henk(api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Help Desk Admin of the managed environment."""
    return api_of("henk.helpdesk")


@pytest.fixture(scope="session")
def enno(api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Environment Admin of the managed environment."""
    return api_of("enno.environment")


@pytest.fixture(scope="session")
def ivan(sandbox: Sandbox, api_of: Callable[..., httpx.Client]) -> httpx.Client:
    """Identity Data Admin of the administrators' own environment, calling the API of that environment."""
    return api_of("ivan.identity", sandbox.details["environment_id"])


@pytest.fixture
def new_user(ada: httpx.Client) -> Callable[..., Person]:
    """Return `new_user`. `new_user(title="Analyst")` creates a user for a single test, in the default population."""

    def create(**body: Any) -> Person:
        username = f"user-{uuid4()}"
        sent = {"username": username, "email": f"{username}@acme.test"} | body
        reply = ada.post("users", json=sent)
        assert reply.status_code == 201, reply.text
        return Person(api=ada, id=reply.json()["id"])

    return create
