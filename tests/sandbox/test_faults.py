"""Breaking the sandbox on purpose: each fault and each change as an API client sees it, and the restoring."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.support import oauth
from tests.support.oauth import assert_error
from tests.support.sandbox_people import Person, assert_refused
from tests.support.sandbox_server import Sandbox, new_browser, running_sandbox

LONG_S = 60  # seconds; no test waits that long


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Use the shared sandbox, not this folder's: the other tests here would lose their grants."""
    yield shared_sandbox
    shared_sandbox.mend()


@pytest.fixture
def ada(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.api(sandbox.token()) as client:
        yield client


@pytest.fixture
def console(sandbox: Sandbox) -> oauth.Application:
    """The application that the changes are applied to."""
    client_id, client_secret = sandbox.details["client_id"], sandbox.details["client_secret"]
    return oauth.Application(sandbox=sandbox, client_id=client_id, client_secret=client_secret)


@pytest.fixture
def new_person(sandbox: Sandbox, ada: httpx.Client) -> Callable[[], Person]:
    managed = UUID(sandbox.details["managed_environment_id"])
    (population,) = sandbox.sql('SELECT id FROM sandbox_population WHERE environment_id = ? AND "default"', managed)

    def create() -> Person:
        body = {"username": f"u{uuid4().hex[:12]}", "population": {"id": str(UUID(population["id"]))}}
        return Person(api=ada, id=ada.post("users", json=body).raise_for_status().json()["id"])

    return create


@pytest.fixture
def person(new_person: Callable[[], Person]) -> Person:
    return new_person()


def rename(person: Person, title: str) -> httpx.Response:
    return person.api.patch(person.path, json={"title": title})


def control_page(sandbox: Sandbox) -> str:
    with new_browser() as browser:
        return browser.get(f"{sandbox.url}/sandbox/faults/").raise_for_status().text


@pytest.mark.parametrize(
    ("effect", "status", "code"),
    [("429", 429, "REQUEST_LIMITED"), ("500", 500, "UNEXPECTED_ERROR"), ("503", 503, "SERVICE_UNAVAILABLE")],
)
def test_pingone_error_comes_in_its_envelope(sandbox: Sandbox, ada: httpx.Client, effect: str, status: int, code: str):
    sandbox.fault(effect)

    response = ada.get("users", headers={"X-Ping-External-Transaction-ID": "mine"})

    assert_refused(response, status, code, "LIMIT_EXCEEDED" if effect == "429" else "")
    assert response.headers["Correlation-Id"]
    assert response.headers["X-Ping-External-Transaction-ID"] == "mine"
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize("effect", ["502", "504"])
def test_gateway_error_is_html(sandbox: Sandbox, ada: httpx.Client, effect: str):
    sandbox.fault(effect)

    response = ada.get("users")

    assert response.status_code == int(effect)
    assert response.headers["Content-Type"] == "text/html"
    assert "Correlation-Id" not in response.headers
    assert "<h1>" in response.text


@pytest.mark.parametrize("retry_after", ["3", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_429_may_have_a_retry_after(sandbox: Sandbox, ada: httpx.Client, retry_after: str):
    sandbox.fault("429", retry_after=retry_after)

    assert ada.get("users").headers["Retry-After"] == retry_after


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("invalid_client", 401),
        ("invalid_grant", 400),
        ("unauthorized_client", 400),
        ("invalid_request", 400),
        ("unsupported_grant_type", 400),
        ("invalid_scope", 400),
        ("server_error", 500),
        ("temporarily_unavailable", 503),
    ],
)
def test_token_endpoint_refuses_with_oauth_errors(
    console: oauth.Application, http: httpx.Client, error: str, status: int
):
    refresh_token = console.tokens(http)["refresh_token"]

    with console.sandbox.broken(error, on="token"):
        assert_error(console.refresh(http, refresh_token), status, error)

    assert console.refresh(http, refresh_token).status_code == 200


def test_oauth_errors_are_limited_to_the_token_endpoint(sandbox: Sandbox):
    with pytest.raises(AssertionError, match="only happens at the token endpoint"):
        sandbox.fault("invalid_grant", on="api")


def test_reset_connection_changes_nothing(sandbox: Sandbox, person: Person):
    person.read()  # open a kept-alive connection

    with sandbox.broken("reset"), pytest.raises(httpx.ReadError, match="Connection reset"):
        rename(person, "Analyst")

    assert "title" not in person.read()


def test_lost_answer_does_not_undo_the_change(sandbox: Sandbox, person: Person):
    with sandbox.broken("answer-lost", methods="PATCH"), pytest.raises(httpx.ReadError, match="Connection reset"):
        rename(person, "Analyst")

    assert person.read()["title"] == "Analyst"


def test_lost_answer_uses_up_the_refresh_token(console: oauth.Application, http: httpx.Client):
    refresh_token = console.tokens(http)["refresh_token"]

    with console.sandbox.broken("answer-lost", on="token"), pytest.raises(httpx.ReadError):
        console.refresh(http, refresh_token)

    assert_error(console.refresh(http, refresh_token), 400, "invalid_grant")


def test_late_answer_comes_after_the_change(sandbox: Sandbox, person: Person):
    with sandbox.broken("latency", seconds=LONG_S, methods="PATCH"), ThreadPoolExecutor() as pool:
        asked = pool.submit(rename, person, "Analyst")
        give_up_at = time.monotonic() + 10
        while person.read().get("title") != "Analyst" and time.monotonic() < give_up_at:
            assert not asked.done()
        seen = person.read().get("title")
        sandbox.mend()  # otherwise the pool waits for the answer

    assert seen == "Analyst"


def test_late_answer_is_an_ordinary_answer(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("latency", seconds=0.3)

    started = time.perf_counter()
    response = ada.get("users")

    assert response.status_code == 200
    assert time.perf_counter() - started >= 0.3


def test_hanging_request_is_closed_without_an_answer(sandbox: Sandbox, person: Person):
    with sandbox.broken("hang", seconds=0.3):
        started = time.perf_counter()
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            rename(person, "Analyst")
        assert time.perf_counter() - started >= 0.3

    assert "title" not in person.read()


@pytest.mark.parametrize("effect", ["hang", "latency", "slow-body"])
def test_mending_ends_the_wait_of_a_request_at_once(sandbox: Sandbox, ada: httpx.Client, effect: str):
    sandbox.fault(effect, seconds=LONG_S, times=1)

    def ask() -> int:
        try:
            return ada.get("users").status_code
        except httpx.RemoteProtocolError:
            return 0

    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask)
        while ", used up" not in control_page(sandbox):
            assert not asked.done()
        sandbox.mend()

        assert asked.result(timeout=10) == (0 if effect == "hang" else 200)


def test_clients_that_gave_up_do_not_occupy_the_sandbox(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("hang", seconds=LONG_S)

    def give_up(_: int) -> None:
        with pytest.raises(httpx.ReadTimeout):
            ada.get("users", timeout=httpx.Timeout(10, read=0.1))

    with ThreadPoolExecutor(25) as pool:
        list(pool.map(give_up, range(100)))  # twice the number of the sandbox's threads

    assert "Fix everything" in control_page(sandbox)


def test_slow_body_has_its_headers_at_once(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("slow-body", seconds=LONG_S)  # a piece every three seconds

    with ada.stream("GET", "populations", timeout=httpx.Timeout(10, read=1.5)) as response:
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
        with pytest.raises(httpx.ReadTimeout):
            response.read()


def test_slow_body_comes_in_pieces_and_complete(sandbox: Sandbox, ada: httpx.Client):
    whole = ada.get("populations").json()
    sandbox.fault("slow-body", seconds=0.3)

    started = time.perf_counter()
    with ada.stream("GET", "populations") as response:
        pieces = list(response.iter_raw())

    assert time.perf_counter() - started >= 0.3
    assert len(pieces) > 1
    assert json.loads(b"".join(pieces)) == whole


def test_cut_json_ends_halfway_without_an_error(sandbox: Sandbox, ada: httpx.Client):
    whole = ada.get("populations").content
    sandbox.fault("cut-json")

    response = ada.get("populations")

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.content == whole[: len(whole) // 2]
    assert response.headers["Content-Length"] == str(len(response.content))


def test_html_comes_with_status_200(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("html")

    response = ada.get("users")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")


def test_huge_body_is_json(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("huge")

    response = ada.get("users")

    assert len(response.content) > 6_000_000
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize(
    ("on", "broken"),
    [
        ("api", {"/v1/environments"}),
        ("token", {"/{env}/as/token"}),
        ("sign-on", {"/{env}/as/jwks", "/{env}/as/.well-known/openid-configuration"}),
        (
            "all",
            {"/v1/environments", "/{env}/as/token", "/{env}/as/jwks", "/{env}/as/.well-known/openid-configuration"},
        ),
    ],
)
def test_fault_affects_a_part_or_all(sandbox: Sandbox, http: httpx.Client, on: str, broken: set[str]):
    sandbox.fault("502", on=on)

    paths = ["/v1/environments", "/{env}/as/token", "/{env}/as/jwks", "/{env}/as/.well-known/openid-configuration"]
    environment = sandbox.details["environment_id"]
    answers = {path: http.get(sandbox.url + path.replace("{env}", environment)) for path in paths}

    assert {path for path, answer in answers.items() if answer.status_code == 502} == broken


def test_fault_may_be_limited_to_paths_and_methods(sandbox: Sandbox, new_person: Callable[[], Person]):
    person, other = new_person(), new_person()
    sandbox.fault("503", path=person.id, methods="patch, DELETE")

    assert rename(person, "Analyst").status_code == 503
    assert person.api.get(person.path).status_code == 200
    assert rename(other, "Analyst").status_code == 200


def test_fault_strikes_the_exact_number_of_times_under_concurrent_requests(sandbox: Sandbox, ada: httpx.Client):
    sandbox.fault("503", times=13)
    sandbox.fault("500", times=4)

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: ada.get("populations").status_code, range(40)))

    assert {status: statuses.count(status) for status in set(statuses)} == {503: 13, 500: 4, 200: 23}


def test_control_pages_are_exempt_from_faults(sandbox: Sandbox, http: httpx.Client):
    http.cookies.set("sandbox_csrf", "y" * 32)
    form = {"control": "stop", "csrfmiddlewaretoken": "y" * 32}
    sandbox.fault("latency", seconds=LONG_S, on="all")

    http.post(f"{sandbox.url}/sandbox/faults/", data=form)

    for path in ("/", "/sandbox/faults/", "/sandbox/outbox/", "/assets/pages.css"):
        assert http.get(f"{sandbox.url}{path}").status_code == 200
    for path in ("/v1/environments", f"/{sandbox.details['environment_id']}/as/jwks", "/elsewhere"):
        with pytest.raises(httpx.ReadError):
            http.get(f"{sandbox.url}{path}")


def test_control_page_refuses_invalid_forms(sandbox: Sandbox, http: httpx.Client):
    http.cookies.set("sandbox_csrf", "y" * 32)

    def send(**form: str) -> httpx.Response:
        return http.post(f"{sandbox.url}/sandbox/faults/", data={"csrfmiddlewaretoken": "y" * 32, **form})

    assert send(control="nonsense").status_code == 400
    refused = send(control="fault", effect="503", on="api", times="0", retry_after="3\r\nSet-Cookie: a=b")
    assert refused.status_code == 422
    assert "Printable ASCII only." in refused.text
    assert "greater than or equal to 1" in refused.text
    assert "No administrator has this username" in send(control="remove-role", administrator="nobody").text
    assert http.post(f"{sandbox.url}/sandbox/faults/", data={"control": "stop"}).status_code == 403
    assert "<p>Nothing is broken.</p>" in control_page(sandbox)


def test_faults_and_changes_survive_a_restart(tmp_path: Path):
    with running_sandbox(tmp_path, "--users", "0") as first:
        first.fault("503")
        first.change("delete-environment")

    with running_sandbox(tmp_path, "--users", "0") as second, new_browser() as http:
        assert http.get(f"{second.url}/v1/environments").status_code == 503
        assert "The managed environment is deleted." in control_page(second)


def test_revoked_grants_stay_revoked(sandbox: Sandbox, console: oauth.Application, http: httpx.Client):
    token = console.tokens(http)

    sandbox.change("revoke-grants")
    with sandbox.api(token["access_token"]) as api:
        assert_refused(api.get("users"), 401, "ACCESS_FAILED", "INVALID_TOKEN", "Authentication Credentials")
    sandbox.mend()

    assert_error(console.refresh(http, token["refresh_token"]), 400, "invalid_grant")
    assert console.tokens(http)


def test_grants_of_a_single_administrator_may_be_revoked(sandbox: Sandbox, ada: httpx.Client):
    with sandbox.api(sandbox.token("enno.environment")) as enno:
        sandbox.change("revoke-grants", administrator="enno.environment")

        assert enno.get("populations").status_code == 401
        assert ada.get("populations").status_code == 200


def test_rotated_key_signs_new_tokens_and_leaves_old_tokens_valid(
    sandbox: Sandbox, console: oauth.Application, http: httpx.Client
):
    def keys() -> set[str]:
        return {key["kid"] for key in http.get(f"{sandbox.issuer}/jwks").json()["keys"]}

    old, before = sandbox.token(), keys()

    sandbox.change("rotate-keys")

    assert oauth.claims_of(sandbox, http, console.tokens(http)["access_token"])
    assert not keys() & before
    with sandbox.api(old) as api:
        assert api.get("populations").status_code == 200


def test_secret_rotation_lasts_until_mended(sandbox: Sandbox, console: oauth.Application, http: httpx.Client):
    refresh_token = console.tokens(http)["refresh_token"]

    sandbox.change("rotate-secret")
    sandbox.change("rotate-secret")
    new_secret = sandbox.sql("SELECT client_secret FROM sandbox_application WHERE id = ?", console.id)[0]

    assert_error(console.refresh(http, refresh_token), 401, "invalid_client")
    assert new_secret["client_secret"] in control_page(sandbox)
    assert console.client_secret in http.get(sandbox.url).text
    sandbox.mend()
    assert console.refresh(http, refresh_token).status_code == 200


def test_administrator_without_roles_may_do_nothing(sandbox: Sandbox, ada: httpx.Client):
    before = sandbox.sql("SELECT * FROM sandbox_roleassignment ORDER BY id")

    sandbox.change("remove-role")
    sandbox.change("remove-role", administrator="Petra.Partners")

    assert_refused(ada.get("users"), 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    assert len(sandbox.sql("SELECT * FROM sandbox_roleassignment")) == len(before) - 2
    sandbox.mend()
    assert ada.get("users").status_code == 200
    assert sandbox.sql("SELECT * FROM sandbox_roleassignment ORDER BY id") == before


def test_deleted_environment_is_404_and_its_contents_403(sandbox: Sandbox, ada: httpx.Client, http: httpx.Client):
    managed = sandbox.details["managed_environment_id"]
    everybody = ada.get("users").json()["count"]

    sandbox.change("delete-environment")

    assert_refused(ada.get(f"../{managed}"), 404, "NOT_FOUND")
    assert_refused(ada.get("users"), 403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
    assert ada.get("../../environments").json()["_embedded"]["environments"] == []
    assert http.get(f"{sandbox.url}/{managed}/as/.well-known/openid-configuration").status_code == 404
    sandbox.mend()
    assert ada.get(f"../{managed}").json()["id"] == managed
    assert ada.get("users").json()["count"] == everybody


def test_plan_without_unlock_refuses_its_media_type(sandbox: Sandbox, person: Person):
    sandbox.change("no-unlock")
    person.act("account.lock").raise_for_status()

    assert_refused(person.act("account.unlock"), 415, "INVALID_REQUEST")
    assert person.read()["account"]["status"] == "LOCKED"
    sandbox.mend()
    assert person.act("account.unlock").json()["account"]["status"] == "OK"


def test_refresh_tokens_may_be_jwts(sandbox: Sandbox, console: oauth.Application, http: httpx.Client):
    old = console.tokens(http)["refresh_token"]

    sandbox.change("jwt-refresh-tokens")
    new = console.refresh(http, old).json()["refresh_token"]

    assert oauth.claims_of(sandbox, http, new)["client_id"] == console.client_id
    assert console.introspect(http, new)["token_type"] == "refresh_token"
    sandbox.mend()
    assert console.refresh(http, new).json()["refresh_token"].count(".") == 0
    assert_error(console.refresh(http, new), 400, "invalid_grant")


def test_grace_period_may_be_set(sandbox: Sandbox, console: oauth.Application, http: httpx.Client):
    sandbox.change("grace-period", seconds="300")
    first, second = (console.tokens(http)["refresh_token"] for _ in range(2))

    for _ in range(2):
        assert console.refresh(http, first).status_code == 200
    sandbox.mend()

    assert console.refresh(http, second).status_code == 200
    assert_error(console.refresh(http, second), 400, "invalid_grant")


def test_mending_restores_the_database(sandbox: Sandbox):
    def everything() -> list[Any]:
        tables = ("sandbox_environment", "sandbox_application", "sandbox_roleassignment", "sandbox_fault")
        return [sandbox.sql(f"SELECT * FROM {table} ORDER BY id") for table in tables]  # noqa: S608

    before = everything()
    changes = ("rotate-secret", "remove-role", "delete-environment", "no-unlock", "jwt-refresh-tokens")
    for name in (*changes, *changes):
        sandbox.change(name)
    for seconds in ("60", "90"):
        sandbox.change("grace-period", seconds=seconds)
    sandbox.fault("503", times=1)
    assert all(now != then for now, then in zip(everything(), before, strict=True))

    sandbox.mend()

    assert everything() == before
    assert sandbox.sql("SELECT * FROM sandbox_worldchange") == []
