"""PingOne's answers about administrator roles and nested groups, for the mocked PingOne of the tests."""

import re

import httpx
import respx

_ABOUT_ROLES = re.compile(r"/roleAssignments$|/groups/[^/]+/memberOfGroups$")


class WithoutAdministrators(respx.MockRouter):
    """Answers that nobody has a role and no group is nested, unless a test mocks another answer. Not in `calls`."""

    def handler(self, request: httpx.Request) -> httpx.Response:
        is_mocked = any(route.pattern and route.pattern.match(request) for route in self.routes)
        if request.method == "GET" and not is_mocked and _ABOUT_ROLES.search(request.url.path):
            return httpx.Response(200, json={"_embedded": {}, "size": 0}, request=request)
        return super().handler(request)
