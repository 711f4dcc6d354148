"""Writes of Call API, judged by the users and groups that they act on. The spellings of a path do not matter."""

import pytest

from console.actions.affected import NOTHING
from console.call_api.affected import affected_by
from pingone_integration.calls.any_endpoint import UnsafePath, parse_endpoint
from tests.support.answers import ADA, ENGINEERS
from tests.support.people import ENVIRONMENT
from tests.support.small_environment import TEAM, browser, call_api

LOCK = "application/vnd.pingidentity.account.lock+json"
RECOVER = "application/vnd.pingidentity.password.sendRecoveryCode+json"
PLAIN = "application/json"

# Each path reaches Ada if PingOne accepts it: it is refused, or judged as an action on her.
SPELLINGS = [
    f"users/{ADA}",
    f"/users/{ADA}/",
    f"//users/{ADA}",
    f"/users//{ADA}",
    f"users/./{ADA}",
    f"populations/../users/{ADA}",
    f"users/{str(ADA).upper()}",
    f"USERS/{ADA}",
    f"users/{ADA.hex}",
    f"users/{str(ADA).replace('-', '', 1)}",
    f"users/{str(ADA).replace('-', '-0')}",
    f"users/%63{str(ADA)[1:]}",
    f"users%2F{ADA}",
    f"users/{ADA};x=1",
    f"users\\{ADA}",
    f"users/{ADA}?_method=DELETE",
    f"users/{ADA}#x",
    f"v1/environments/{ENVIRONMENT}/users/{ADA}",
    f"/environments/{str(ENVIRONMENT).upper()}/users/{ADA}",
    f"users/{ADA}/password",
    f"users/{ADA}/devices/{TEAM}",
    f"users/{ADA}/anything/new",
    f"users/{ADA}/roleAssignments",
]


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_a_path_goes_round_the_protection(path):
    try:
        endpoint = parse_endpoint(path, environment_id=ENVIRONMENT)
    except UnsafePath:
        return
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        affected = affected_by(method=method, path=endpoint.path, media_type=PLAIN, body="")
        assert affected.user == ADA, endpoint.path


# method, path, content type, body: what it can change
REQUESTS = [
    ("POST", "/users", PLAIN, '{"username": "x", "title": "Boss"}', "creates with these values"),
    ("POST", "/users", "application/vnd.pingidentity.user.import+json", '{"title": "x"}', "creates with these values"),
    ("PUT", "/users", PLAIN, "", "anyone"),
    ("DELETE", "/users", PLAIN, "", "anyone"),
    ("POST", "/users/me", PLAIN, "", "anyone"),
    ("POST", "/users/bulk", PLAIN, "[]", "anyone"),
    ("POST", "/bulk", PLAIN, "", "anyone"),
    ("DELETE", f"/populations/{TEAM}", PLAIN, "", "anyone"),
    ("PUT", f"/populations/{TEAM}", PLAIN, "{}", "anyone"),
    ("POST", f"/applications/{TEAM}/roleAssignments", PLAIN, "{}", "anyone"),
    ("PUT", f"/passwordPolicies/{TEAM}", PLAIN, "{}", "anyone"),
    ("DELETE", f"/sessions/{TEAM}", PLAIN, "", "anyone"),
    ("PATCH", "/", PLAIN, "", "anyone"),
    ("PATCH", f"/users/{ADA}", PLAIN, '{"title": "a", "title": "b"}', "anyone"),
    ("PATCH", f"/users/{ADA}", PLAIN, "[1]", "anyone"),
    ("POST", f"/users/{ADA}/memberOfGroups", PLAIN, "{}", "anyone"),
    ("POST", f"/users/{ADA}/memberOfGroups", PLAIN, f'{{"id": "{TEAM}"}}', "Ada, Team"),
    ("DELETE", f"/users/{ADA}/memberofgroups/{TEAM}", PLAIN, "", "Ada, Team"),
    ("POST", f"/users/{ADA}/roleAssignments", PLAIN, "{}", "Ada, roles"),
    ("DELETE", f"/users/{ADA}/roleassignments/{TEAM}", PLAIN, "", "Ada, roles"),
    ("POST", f"/groups/{TEAM}/roleAssignments", PLAIN, "{}", "Team, roles"),
    ("PUT", f"/groups/{TEAM}", PLAIN, '{"name": "x", "userFilter": "title sw \\"a\\""}', "Team"),
    ("DELETE", f"/groups/{TEAM}", PLAIN, "", "Team"),
    ("POST", f"/groups/{TEAM}/memberOfGroups", PLAIN, f'{{"id": "{ENGINEERS}"}}', "Engineers, Team"),
    ("DELETE", f"/groups/{TEAM}/memberOfGroups/{ENGINEERS}", PLAIN, "", "Engineers, Team"),
    ("POST", f"/groups/{TEAM}/memberOfGroups", PLAIN, '{"id": "x"}', "anyone"),
    ("POST", f"/users/{ADA}/password", RECOVER, "", "Ada, recovery"),
    ("PUT", f"/users/{ADA}/enabled", PLAIN, '{"enabled": true}', "Ada, enabled"),
    ("PUT", f"/users/{ADA}/population", PLAIN, '{"id": "x"}', "Ada, population.id"),
    ("POST", f"/users/{ADA}", LOCK, "", "Ada"),
    ("POST", "/activities", PLAIN, "{}", "nothing"),
    ("POST", "/groups", PLAIN, '{"name": "x"}', "nothing"),
]


def in_words(affected) -> str:
    if affected.anyone or affected == NOTHING:
        return "anyone" if affected.anyone else "nothing"
    if affected.user is None and not affected.groups and not affected.gives_roles:
        return "creates with these values" if "title" in affected.attributes else "creates"
    names = {ADA: "Ada", TEAM: "Team", ENGINEERS: "Engineers"}
    said = [names[affected.user]] if affected.user else []
    said += sorted(names[one] for one in affected.groups)
    said += ["roles"] if affected.gives_roles else []
    said += ["recovery"] if affected.recovers_by_email else []
    return ", ".join(said + sorted(affected.attributes))


@pytest.mark.parametrize(("method", "path", "media_type", "body", "expected"), REQUESTS)
def test_request_is_judged_by_what_it_can_change(method, path, media_type, body, expected):
    assert in_words(affected_by(method=method, path=path, media_type=media_type, body=body)) == expected


def test_org_admin_signs_in_again_in_another_tab_and_sends_the_request(acme, org_admin, environment):
    environment.roles.add(ADA)
    asked = call_api(browser(org_admin, fresh=False), "DELETE", f"users/{ADA}")

    assert "Sign in again to confirm that it is you." in asked
    assert 'href="/accounts/reauthenticate/"' in asked
    assert f"users/{ADA}" in asked
    assert not environment.writes
    call_api(browser(org_admin, fresh=True), "DELETE", f"users/{ADA}")
    assert environment.writes == [f"DELETE /users/{ADA}"]


def test_reads_are_not_judged(acme, org_admin, environment):
    environment.roles.add(ADA)

    call_api(browser(org_admin), "GET", f"users/{ADA}/roleAssignments")

    assert environment.reads == [f"/users/{ADA}/roleAssignments"]
