"""A user of the sandbox for tests, and checks of the sandbox's answers."""

from dataclasses import dataclass
from typing import Any

import httpx

NOBODY = "00000000-0000-4000-8000-000000000000"  # an ID that does not exist
VENDOR = "application/vnd.pingidentity."


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user that a test may change freely."""

    api: httpx.Client  # the client that created the user
    id: str

    @property
    def path(self) -> str:
        return f"users/{self.id}"

    def read(self, **query: str) -> dict[str, Any]:
        return dict(self.api.get(self.path, params=query).raise_for_status().json())

    def act(self, operation: str, body: object = None, *, at: str = "", method: str = "POST") -> httpx.Response:
        """Send an operation by media type, e.g. `act("account.unlock")`, to the user or to a sub-resource (`at`)."""
        return act(self.api, f"{self.path}{at and '/'}{at}", operation, body, method=method)


def act(api: httpx.Client, path: str, operation: str, body: object = None, *, method: str = "POST") -> httpx.Response:
    headers = {"Content-Type": f"{VENDOR}{operation}+json"}
    if body is None:
        return api.request(method, path, headers=headers)
    return api.request(method, path, headers=headers, json=body)


def assert_refused(
    response: httpx.Response, status: int, code: str, detail: str = "", target: str = ""
) -> dict[str, Any]:
    """Check PingOne's error envelope and return the first entry of its details, or {} without details."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), response.text
    assert len(body["id"]) == 36
    assert body["message"]
    details = body.get("details", [{}])
    assert details[0].get("code", "") == detail, response.text
    assert details[0].get("target", "") == target, response.text
    return dict(details[0])


def usernames(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [user["username"] for user in response.json()["_embedded"]["users"]]
