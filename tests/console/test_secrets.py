"""No secret leaks: the tests plant canaries as secrets and search all output of the process for them."""

import base64
import logging
import re
from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import respx
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client

from console.actions.catalogue import ACTIONS, BY_KEY
from console.models import Operator, Organization
from pingone_integration.models import Connection
from tests.support.addresses import ALLAUTH, EVERY_ADDRESS, OURS, Address
from tests.support.answers import ADA, ada, anew, error, listing
from tests.support.asking import one_of_each_shape, page_of, typed_for
from tests.support.outbox import sent_emails
from tests.support.people import ADMINISTRATORS, API_URL, AUTH_URL, ENVIRONMENT
from tests.support.sign_on import CLIENT_ID, ISSUER, discoverable, has_keys, id_token, tokens

SETTINGS = "/o/acme/settings/connection/"

# Only letters and digits, so that escaping does not change them.
CLIENT_SECRET = "CanaryClientSecret1"
TYPED_SECRET = "CanaryTypedSecret2"
ACCESS_TOKEN = "CanaryAccessToken3"
REFRESH_TOKEN = "CanaryRefreshToken4"
NEW_ACCESS_TOKEN = "CanaryNewAccessToken5"
NEW_REFRESH_TOKEN = "CanaryNewRefreshToken6"
CODE = "CanaryCode7"
PASSWORD = "CanaryPassword8"
MISTYPED_PASSWORD = "CanaryMistypedPassword9"
BODY_PASSWORD = "CanaryBodyPassword10"


def basic(secret: str) -> str:
    return base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()


class Witness(Client):
    """A browser that keeps every answer, and searches the answers and all other outputs for secrets."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        super().__init__(raise_request_exception=False)
        self.log = log
        self.answers: list[tuple[str, str]] = []
        self.secrets = {
            *(CLIENT_SECRET, TYPED_SECRET, basic(CLIENT_SECRET), basic(TYPED_SECRET)),
            *(ACCESS_TOKEN, REFRESH_TOKEN, NEW_ACCESS_TOKEN, NEW_REFRESH_TOKEN),
            *(CODE, PASSWORD, MISTYPED_PASSWORD, BODY_PASSWORD),
        }

    def request(self, **request: Any) -> Any:
        response: Any = super().request(**request)
        self.remember(f"{request['REQUEST_METHOD']} {request['PATH_INFO']}", response)
        return response

    def remember(self, called: str, response: HttpResponse) -> None:
        body = response.getvalue() if response.streaming else response.content
        headers = "\n".join(f"{name}: {value}" for name, value in response.items())
        text = f"{headers}\n{response.cookies}\n{body.decode(errors='replace')}"
        self.answers.append((f"{called}: {response.status_code}", text))

    def forget_last(self) -> str:
        """Remove and return the last answer, which may show a secret to its owner once."""
        return self.answers.pop()[1]

    def ways_out(self) -> Iterator[tuple[str, str]]:
        yield from self.answers
        formatter = logging.Formatter("%(message)s %(args)s")
        for record in self.log.get_records("call"):
            yield f"log of {record.name}", f"{formatter.format(record)} {record.exc_text}"
        for message in mail.outbox:
            yield f"mail to {message.to}", str(message.message())
        yield "cache", repr(getattr(cache, "_cache", None))
        for session in Session.objects.all():
            yield "session", repr(session.get_decoded())
        with database.cursor() as cursor:
            for table in database.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")  # noqa: S608 - our own tables
                yield f"table {table}", repr(cursor.fetchall())

    def leaks(self) -> list[str]:
        return [f"{secret} in {where}" for where, text in self.ways_out() for secret in self.secrets if secret in text]


@pytest.fixture
def witness(caplog: pytest.LogCaptureFixture, org_admin: Operator, acme: Organization) -> Iterator[Witness]:
    """Return the org admin's browser, and check after the test that no secret has leaked."""
    caplog.set_level(logging.DEBUG)
    for name in ("django", "django.db.backends", "console", "pingone_integration", "allauth"):
        caplog.set_level(logging.DEBUG, logger=name)
    plant(acme.connection)
    org_admin.set_password(PASSWORD)
    org_admin.save()
    witness = Witness(caplog)
    witness.force_login(org_admin)
    yield witness
    assert witness.leaks() == []


def plant(connection: Connection) -> None:
    connection.client_id = CLIENT_ID
    connection.sealed_client_secret = connection.seal("client_secret", CLIENT_SECRET)
    connection.sealed_access_token = connection.seal("access_token", ACCESS_TOKEN)
    connection.sealed_refresh_token = connection.seal("refresh_token", REFRESH_TOKEN)
    connection.save()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def typed(**changes: str) -> dict[str, str]:
    return {
        "client_id": CLIENT_ID,
        "client_secret": TYPED_SECRET,
        "auth_url": AUTH_URL,
        "environment_id": str(ADMINISTRATORS),
        "client_authentication": "client_secret_basic",
        "end_access": "on",
    } | changes


def leave(witness: Witness, wire: respx.MockRouter) -> dict[str, str]:
    """Press Connect and return the query for PingOne. Only this answer may contain its state, nonce and challenge."""
    discoverable(wire)
    has_keys(wire)
    response = witness.post(f"{SETTINGS}connect/", typed())
    url = response.headers["Refresh"].removeprefix("0;url=")
    taken_along = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    witness.forget_last()
    witness.secrets |= {taken_along["state"], taken_along["nonce"], taken_along["code_challenge"]}
    return taken_along


@pytest.fixture
def _emptied_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.mark.database
@pytest.mark.usefixtures("_emptied_cache")
def test_witness_searches_every_output(caplog: pytest.LogCaptureFixture, org_admin: Operator) -> None:
    witness = Witness(caplog)
    witness.force_login(org_admin)
    logging.getLogger("console").warning("with %s", CODE)
    mail.send_mail("Subject", ACCESS_TOKEN, None, ["admin@acme.test"])
    cache.set("key", REFRESH_TOKEN)
    session = witness.session
    session["kept"] = CLIENT_SECRET
    session.save()
    Organization.objects.update(name=PASSWORD)
    witness.remember("GET /", HttpResponse(NEW_ACCESS_TOKEN, headers={"X-Told": NEW_REFRESH_TOKEN}))

    assert set(witness.leaks()) == {
        f"{CODE} in log of console",
        f"{ACCESS_TOKEN} in mail to ['admin@acme.test']",
        f"{REFRESH_TOKEN} in cache",
        f"{CLIENT_SECRET} in session",
        f"{PASSWORD} in table console_organization",
        f"{NEW_ACCESS_TOKEN} in GET /: 200",
        f"{NEW_REFRESH_TOKEN} in GET /: 200",
    }


def test_connection_form_leaks_no_secret(witness: Witness) -> None:
    for changes in ({}, {"auth_url": "https://evil.test"}, {"environment_id": "no id"}, {"client_id": ""}):
        witness.post(SETTINGS, typed(**changes))
        witness.get(SETTINGS)


def test_connect_leaks_no_secret(witness: Witness, wire: respx.MockRouter) -> None:
    asked = leave(witness, wire)
    signed = id_token(nonce=asked["nonce"], name="Mara Lind")
    witness.secrets.add(signed)
    granted = tokens(id_token=signed, access_token=NEW_ACCESS_TOKEN, refresh_token=NEW_REFRESH_TOKEN)
    wire.post(f"{ISSUER}/token").respond(json=granted)
    wire.post(f"{ISSUER}/revoke").respond(200)
    environment = {"id": str(ENVIRONMENT), "name": "Acme production", "type": "PRODUCTION", "region": "EU"}
    wire.get(f"{API_URL}/v1/environments").respond(json=listing("environments", environment))

    back = {"code": CODE, "state": asked["state"]}
    assert witness.get("/connect/callback/", back).headers["Location"] == SETTINGS
    assert "Connected Acme to PingOne." in witness.get(SETTINGS).text
    witness.get("/connect/callback/", back)
    witness.get(SETTINGS)
    witness.post(f"{SETTINGS}disconnect/")
    witness.get(SETTINGS)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_client", "error_description": "Wrong (Correlation ID: 1f0c)"}),
        httpx.Response(400, json={"error": "invalid_grant"}),
        httpx.Response(200, json=tokens(id_token="no.token", access_token=NEW_ACCESS_TOKEN)),
        httpx.Response(200, json={"access_token": NEW_ACCESS_TOKEN, "expires_in": "soon"}),
        httpx.Response(200, text=f"not json: {NEW_ACCESS_TOKEN}"),
        httpx.Response(302, headers={"Location": f"https://evil.test/?token={NEW_ACCESS_TOKEN}"}),
        httpx.ReadTimeout("too slow"),
        httpx.ConnectError("nobody there"),
    ],
    ids=["client", "grant", "id-token", "lifetime", "text", "redirect", "timeout", "refused"],
)
def test_failed_connect_leaks_no_secret(witness: Witness, wire: respx.MockRouter, answer: Any) -> None:
    asked = leave(witness, wire)
    wire.post(f"{ISSUER}/token").mock(side_effect=[answer])
    wire.post(f"{ISSUER}/revoke").respond(200)

    witness.get("/connect/callback/", {"code": CODE, "state": asked["state"]})
    witness.get(SETTINGS)


def test_rejected_callback_leaks_no_secret(witness: Witness) -> None:
    witness.get("/connect/callback/", {"code": CODE, "state": "unknown"})
    witness.get(SETTINGS)
    witness.logout()
    witness.get("/connect/callback/", {"code": CODE, "state": "unknown"})
    witness.get(witness.get("/connect/callback/", {"code": CODE}).headers["Location"])


# One for each way through the code: a 404, an empty answer and no connection take the way of another one.
ANSWERS: dict[str, httpx.Response | Exception] = {
    "rejected": httpx.Response(401, json=error("ACCESS_FAILED", "INVALID_TOKEN")),
    "forbidden": httpx.Response(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")),
    "invalid": httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "username")),
    "limited": httpx.Response(429, json=error("REQUEST_LIMITED"), headers={"Retry-After": "7"}),
    "broken": httpx.Response(500, text="<html>no</html>"),
    "a user": httpx.Response(200, json=ada()),
    "timeout": httpx.ReadTimeout("too slow"),
    "our mistake": RuntimeError("a mistake of ours"),
}


def mock(route: respx.Route, answer: httpx.Response | Exception) -> None:
    if isinstance(answer, Exception):
        route.mock(side_effect=(anew(answer) for _ in count()))
    else:
        route.mock(return_value=answer)


WRITTEN = {"submission": str(uuid4()), "reason": "a test", "ticket": "INC1"} | typed()


def requests(address: Address) -> Iterator[tuple[str, Address]]:
    if not is_leaving(address):
        yield from (("get", address), ("post", address))


def send(witness: Witness, method: str, address: Address) -> None:
    if method == "get":
        witness.get(address.path)
    else:
        witness.post(address.path, {} if address.name in ALLAUTH else WRITTEN)


@pytest.fixture
def pingone_answers(wire: respx.MockRouter, settings: Any) -> Callable[[str], None]:
    def every_call(answer: str) -> None:
        settings.DEBUG = answer == "our mistake"
        settings.ADMINS = [("Operations", "operations@acme.test")]
        granted = tokens(access_token=NEW_ACCESS_TOKEN, refresh_token=NEW_REFRESH_TOKEN)
        wire.post(f"{ISSUER}/token").respond(json=granted)
        mock(wire.route(host=urlsplit(API_URL).hostname), ANSWERS[answer])
        discoverable(wire)
        has_keys(wire)

    return every_call


@pytest.mark.database  # whatever PostgreSQL refuses to store
@pytest.mark.parametrize("answer", ["a user", "our mistake"])
def test_every_address_leaks_no_secret(witness: Witness, pingone_answers: Callable[[str], None], answer: str) -> None:
    pingone_answers(answer)

    for address in EVERY_ADDRESS:
        for method, _ in requests(address):
            send(witness, method, address)


CALLING: list[tuple[str, Address]] = []  # requests that make the console call PingOne; filled by the first test


@pytest.mark.parametrize("answer", sorted(ANSWERS.keys() - {"a user", "our mistake"}))
def test_every_address_leaks_no_secret_for_each_answer_of_pingone(
    witness: Witness, wire: respx.MockRouter, pingone_answers: Callable[[str], None], answer: str
) -> None:
    if not CALLING:
        pingone_answers("a user")
        for method, address in chain.from_iterable(map(requests, OURS)):
            so_far = wire.calls.call_count
            send(witness, method, address)
            if wire.calls.call_count > so_far:
                CALLING.append((method, address))
        assert {"users", "user", "user-action", "groups"} <= {address.name for _, address in CALLING}
        plant(Connection.objects.get())
        cache.clear()
    pingone_answers(answer)

    for method, address in CALLING:
        send(witness, method, address)


def is_leaving(address: Address) -> bool:
    """Return whether the address signs the browser out or changes the connection. Other tests cover these addresses."""
    return address.name in {"account_logout", "connect", "disconnect"}


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        *(("a user", action.key) for action in ACTIONS),
        # The handling of a failure depends on the action's shape.
        *((answer, action.key) for answer in ("invalid", "timeout", "our mistake") for action in one_of_each_shape()),
    ],
)
def test_every_action_leaks_no_secret(
    witness: Witness, wire: respx.MockRouter, settings: Any, key: str, answer: str
) -> None:
    action = BY_KEY[key]
    settings.DEBUG = True
    wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users/{ADA}").respond(json=ada())
    written = wire.route(method__in=["POST", "PUT", "PATCH", "DELETE"], host=urlsplit(API_URL).hostname)
    mock(written, ANSWERS[answer])
    wire.route(host=urlsplit(API_URL).hostname).respond(json={})

    response = witness.post(page_of(action), {"submission": str(uuid4())} | typed_for(action))

    if action.secret_result and written.called:
        password = re.search(r'"value": ?"([^"]+)"', written.calls.last.request.content.decode())
        assert password
        witness.secrets.add(password[1])
        if answer == "a user":
            shown = witness.forget_last()
            assert response.status_code == 200
            assert "no-store" in shown
            witness.get(f"/o/acme/users/{ADA}/")


def test_token_refresh_leaks_no_secret(witness: Witness, wire: respx.MockRouter) -> None:
    Connection.objects.update(access_token_expires_at=None)
    discoverable(wire)
    wire.post(f"{ISSUER}/token").respond(json=tokens(access_token=NEW_ACCESS_TOKEN, refresh_token=NEW_REFRESH_TOKEN))
    wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users/{ADA}").respond(json=ada())

    assert witness.get(f"/o/acme/users/{ADA}/").status_code == 200


@pytest.mark.parametrize("debug", [False, True], ids=["", "DEBUG"])
@pytest.mark.parametrize("where", ["discovery", "code", "refresh", "call"])
def test_internal_error_leaks_no_secret(
    witness: Witness, wire: respx.MockRouter, settings: Any, where: str, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.ADMINS = [("Operations", "operations@acme.test")]
    mistake = RuntimeError("a mistake of ours")
    if where == "code":
        asked = leave(witness, wire)
        wire.post(f"{ISSUER}/token").mock(side_effect=mistake)
        response = witness.get("/connect/callback/", {"code": CODE, "state": asked["state"]})
    elif where == "discovery":
        wire.route().mock(side_effect=mistake)
        response = witness.post(f"{SETTINGS}connect/", typed())
    else:
        if where == "refresh":
            Connection.objects.update(access_token_expires_at=None)
        wire.route().mock(side_effect=mistake)
        body = {"method": "POST", "path": "/users", "body": f'{{"password": {{"value": "{BODY_PASSWORD}"}}}}'}
        response = witness.post("/o/acme/call-api/", body | {"submission": str(uuid4()), "reason": "a test"})

    assert response.status_code == 500
    assert debug == ("RuntimeError" in response.text)
    assert debug != any("a mistake of ours" in message.body for message in mail.outbox)


def test_sign_in_and_password_reset_leak_no_secret(witness: Witness, org_admin: Operator) -> None:
    witness.logout()
    for password in (MISTYPED_PASSWORD, PASSWORD):
        witness.post("/accounts/login/", {"login": org_admin.email, "password": password})
    witness.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": MISTYPED_PASSWORD, "password2": "another one"},
    )
    witness.logout()
    witness.post("/accounts/password/reset/", {"email": org_admin.email})
    link = re.search(r"/accounts/password/reset/key/\S+", str(sent_emails()[-1].body))
    assert link
    mail.outbox.clear()  # the email may contain the link, nothing else may
    witness.secrets.add(link[0])
    form = witness.get(link[0]).headers["Location"]
    witness.get(form)
    assert witness.post(form, {"password1": BODY_PASSWORD, "password2": BODY_PASSWORD}).status_code == 302


def test_api_call_leaks_no_password_of_its_body(
    witness: Witness, wire: respx.MockRouter, browser_of: Callable[[Operator], Client]
) -> None:
    wire.route().respond(201, json=ada())
    body = f'{{"username": "mara", "password": {{"value": "{BODY_PASSWORD}"}}}}'
    call = {"method": "POST", "path": "/users", "body": body, "media_type": "application/json"}

    witness.post("/o/acme/call-api/", call)
    witness.forget_last()  # the page shows the body again for confirmation
    witness.post("/o/acme/call-api/", call | {"submission": str(uuid4()), "reason": "a test"})
    witness.forget_last()
    witness.post("/o/acme/call-api/save/", call | {"name": "Create Mara"})
    witness.get("/o/acme/call-api/")
    witness.get("/o/acme/call-api/", {"saved": "1"})
    witness.get("/o/acme/audit/")
