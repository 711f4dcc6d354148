"""PingOne's list of users in pages, for tests of what is looked for in it."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import respx

from tests.support.answers import Json, bo, error, listing

_CONDITION = re.compile(r'(username|email|externalId|population\.id) eq ("(?:[^"\\]|\\.)*")')


class Directory:
    """PingOne's list of users, which compares without case, page by page. It notes the filters."""

    def __init__(self, pingone: respx.MockRouter, *users: Json, page: int = 200, is_loose: bool = False) -> None:
        self.users, self.page, self.is_loose = list(users), page, is_loose
        self.filters: list[str] = []
        self.stale_after: int | None = None  # calls
        self.on_call: Callable[[], object] = list
        pingone.route(method="GET", path__regex=r"/users(/[^/]+)?$").mock(side_effect=self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        return self.listed(request) if request.url.path.endswith("/users") else self.one(request)

    def listed(self, request: httpx.Request) -> httpx.Response:
        condition = request.url.params.get("filter", "")
        self.filters.append(condition)
        self.on_call()
        if self.stale_after is not None and len(self.filters) == self.stale_after + 1:
            return httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "cursor"))
        start = int(request.url.params.get("cursor", 0))
        found = [user for user in self.users if self.is_loose or self._matches(condition, user)]
        more = str(start + self.page) if len(found) > start + self.page else ""
        return httpx.Response(200, json=listing("users", *found[start : start + self.page], cursor=more))

    def one(self, request: httpx.Request) -> httpx.Response:
        self.filters.append(request.url.path.rpartition("/")[2])
        found = next((user for user in self.users if request.url.path.endswith(user["id"])), None)
        return httpx.Response(200, json=found) if found else httpx.Response(404, json=error("NOT_FOUND"))

    @staticmethod
    def _matches(condition: str, user: Json) -> bool:
        by_attribute: dict[str, list[str]] = {}
        for attribute, value in _CONDITION.findall(condition):
            by_attribute.setdefault(attribute, []).append(json.loads(value).casefold())
        held = user | {"population.id": user.get("population", {}).get("id", "")}
        return all(str(held.get(one, "")).casefold() in values for one, values in by_attribute.items())


def person(number: int, **more: Any) -> Json:
    about = {"id": str(UUID(int=number, version=4)), "username": f"user{number}", "email": f"user{number}@acme.test"}
    return bo(**(about | more))
