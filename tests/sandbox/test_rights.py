"""Authorization: the token's permissions come from its holder's roles."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.oauth import claims_of, console, service
from tests.support.sandbox_people import VENDOR, Person, assert_refused
from tests.support.sandbox_server import Sandbox

MARA = "users/c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
FORBIDDEN = (403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
RANGE = 'recordedAt gt "2020-01-01T00:00:00Z" and recordedAt lt "2030-01-01T00:00:00Z"'

# Method, path, media type, and who is allowed: rosa reads, henk is the help desk, enno configures; ada may do all.
OPERATIONS = [
    ("GET", MARA, "", "rosa henk"),
    ("GET", "users", "", "rosa henk"),
    ("GET", f"{MARA}/password", "", "rosa henk"),
    ("GET", f"{MARA}/memberOfGroups", "", "rosa henk"),
    ("GET", f"{MARA}/devices", "", "rosa henk"),
    ("GET", f"{MARA}/sessions", "", "rosa henk"),
    ("GET", "groups", "", "rosa henk enno"),
    ("GET", "populations", "", "rosa henk enno"),
    ("GET", "schemas", "", "rosa henk enno"),
    ("GET", "passwordPolicies", "", "rosa henk enno"),
    ("GET", f"{MARA}/roleAssignments", "", "rosa henk enno"),
    ("GET", f"activities?filter={RANGE}", "", "enno"),
    ("POST", "users", "application/json", ""),
    ("POST", "users", f"{VENDOR}user.import+json", ""),
    ("PATCH", MARA, "application/json", ""),
    ("PUT", MARA, "application/json", ""),
    ("DELETE", MARA, "", ""),
    ("PUT", f"{MARA}/enabled", "application/json", ""),
    ("PUT", f"{MARA}/population", "application/json", ""),
    ("POST", MARA, f"{VENDOR}account.lock+json", "henk"),
    ("POST", MARA, f"{VENDOR}account.unlock+json", "henk"),
    ("POST", f"{MARA}/password", f"{VENDOR}password.sendRecoveryCode+json", "henk"),
    ("POST", f"{MARA}/password", f"{VENDOR}password.unlock+json", "henk"),
    ("PUT", f"{MARA}/password", f"{VENDOR}password.set+json", "henk"),
    ("PUT", f"{MARA}/mfaEnabled", "application/json", "henk"),
    ("POST", f"{MARA}/memberOfGroups", "application/json", ""),
    ("POST", "groups", "application/json", ""),
    ("POST", "populations", "application/json", "enno"),
    ("POST", f"{MARA}/roleAssignments", "application/json", "enno"),
]


@pytest.mark.parametrize(("method", "path", "media_type", "allowed"), OPERATIONS)
def test_role_allows_only_its_operations(
    request: pytest.FixtureRequest, method: str, path: str, media_type: str, allowed: str
):
    for name in ("rosa", "henk", "enno"):
        api: httpx.Client = request.getfixturevalue(name)
        headers = {"Content-Type": media_type} if media_type else {}

        # The body is malformed on purpose, so that an allowed request changes nothing.
        response = api.request(method, path, headers=headers, content="" if method == "GET" else "{")

        if name in allowed.split():
            assert response.status_code != 403, f"{name} was refused"
        else:
            assert_refused(response, *FORBIDDEN)


def test_population_administrator_is_limited_to_the_population(petra: httpx.Client, sandbox: Sandbox):
    pia = Person(api=petra, id=sandbox.details["users"]["pia.partner"])

    assert pia.read()["username"] == "pia.partner"
    assert petra.patch(pia.path, json={"title": "Partner"}).status_code == 200
    for response in (petra.get(MARA), petra.patch(MARA, json={}), petra.delete(MARA), petra.get(f"{MARA}/devices")):
        assert_refused(response, 404, "NOT_FOUND")
    staff = {"id": "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"}
    assert_refused(petra.post("users", json={"username": "x-petra", "population": staff}), *FORBIDDEN)
    assert_refused(petra.put(f"{pia.path}/population", json=staff), *FORBIDDEN)


def test_application_acts_with_its_own_roles(sandbox: Sandbox, http: httpx.Client):
    with_role = http.post(
        f"{sandbox.issuer}/token",
        data={"grant_type": "client_credentials"},
        auth=(sandbox.details["service_client_id"], sandbox.details["service_client_secret"]),
    ).json()
    without = service(sandbox).token(http, grant_type="client_credentials").json()

    with sandbox.api(with_role["access_token"]) as api:
        assert api.get(MARA).status_code == 200
    with sandbox.api(without["access_token"]) as api:
        assert_refused(api.get(MARA), *FORBIDDEN)


def test_token_has_the_roles_of_its_user_only_in_a_worker_application(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, type="WEB_APP")

    with sandbox.api(application.tokens(http)["access_token"]) as api:
        assert_refused(api.get(MARA), *FORBIDDEN)
        assert_refused(api.get(".."), *FORBIDDEN)


def test_access_token_is_for_the_api_only_in_a_worker_application(sandbox: Sandbox, http: httpx.Client):
    worker = claims_of(sandbox, http, console(sandbox).tokens(http)["access_token"])
    web_app = claims_of(sandbox, http, console(sandbox, type="WEB_APP").tokens(http)["access_token"])

    assert (worker["aud"], "env" in worker, "org" in worker) == ([sandbox.url], True, True)
    assert (sandbox.url in web_app["aud"], "env" in web_app, "org" in web_app) == (False, False, False)


def test_removed_role_is_ineffective_from_the_next_request(
    sandbox: Sandbox, ivan: httpx.Client, api_of: Callable[..., httpx.Client]
):
    def roles(**body: Any) -> httpx.Response:
        return ivan.post(f"users/{nils}/roleAssignments", json=body)

    nils = next(one["id"] for one in sandbox.details["administrators"] if one["username"] == "nils.norole")
    listed = {role["name"]: role["id"] for role in ivan.get("roles").json()["_embedded"]["roles"]}
    scope = {"id": sandbox.details["environment_id"], "type": "ENVIRONMENT"}
    given = roles(role={"id": listed["Identity Data Read Only"]}, scope=scope).json()["id"]
    with sandbox.api(sandbox.token("nils.norole", for_everybody=True), sandbox.details["environment_id"]) as api:
        assert api.get("users").status_code == 200

        assert ivan.delete(f"users/{nils}/roleAssignments/{given}").status_code == 204

        assert_refused(api.get("users"), *FORBIDDEN)
