"""Connect, from the button to PingOne's answer: success, refusals and attacks."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
import respx
from django.test import Client

from console.models import AuditEntry, Membership
from pingone_integration.models import AuthorizationRequest, Connection
from tests.support.people import ADMINISTRATORS, API_URL, AUTH_URL, ENVIRONMENT, make_operator
from tests.support.sign_on import CLIENT_ID, ISSUER, discoverable, has_keys, id_token, tokens

SETTINGS = "/o/acme/settings/connection/"
CONNECT = f"{SETTINGS}connect/"
CALLBACK = "/connect/callback/"
CODE = "the-code-canary"
TYPED = {
    "client_id": CLIENT_ID,
    "client_secret": "",
    "auth_url": AUTH_URL,
    "environment_id": str(ADMINISTRATORS),
    "client_authentication": "client_secret_basic",
}


@pytest.fixture
def not_connected(acme) -> Connection:
    """Reset Acme to stored credentials without an approval."""
    connection: Connection = acme.connection
    connection.state = Connection.State.NOT_CONNECTED
    connection.sealed_access_token = connection.sealed_refresh_token = ""
    connection.save()
    return connection


@pytest.fixture
def service() -> Iterator[respx.MockRouter]:
    """Mock PingOne's authorization server and environments. Each test mocks the rest."""
    with respx.mock(assert_all_called=False) as router:
        discoverable(router)
        has_keys(router)
        router.post(f"{ISSUER}/revoke").respond(200)
        router.get(f"{API_URL}/v1/environments").respond(json=environments([ENVIRONMENT]))
        yield router


def environments(ids: list[Any]) -> dict[str, Any]:
    found = [{"id": str(one), "name": f"Environment {one}", "type": "PRODUCTION", "region": "EU"} for one in ids]
    return {"_embedded": {"environments": found}, "count": len(found)}


def leave(client: Client) -> dict[str, str]:
    """Press Connect and return the query of the following address at PingOne."""
    response = client.post(CONNECT, TYPED)
    assert response.status_code == 200, response.text
    url = response.headers["Refresh"].removeprefix("0;url=")
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def approve(service) -> Callable[[dict[str, str]], dict[str, str]]:
    """Return a function that approves as an administrator and returns the query of PingOne's redirect."""

    def approved(asked: dict[str, str]) -> dict[str, str]:
        service.post(f"{ISSUER}/token").respond(json=tokens(id_token=id_token(nonce=asked["nonce"], name="Mara Lind")))
        return {"code": CODE, "state": asked["state"]}

    return approved


@pytest.fixture
def admin(browser_of, org_admin, not_connected) -> Client:
    client: Client = browser_of(org_admin)
    return client


def state_of(connection: Connection) -> str:
    connection.refresh_from_db()
    return connection.state


def test_connect_leaves_for_pingone_without_a_redirect(admin, service) -> None:
    response = admin.post(CONNECT, TYPED)

    url = response.headers["Refresh"].removeprefix("0;url=")
    assert url.startswith(f"{ISSUER}/authorize?")
    assert f'href="{url.replace("&", "&amp;")}"' in response.text
    assert "form-action 'self';" in response.headers["Content-Security-Policy"] + ";"
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == ["http://testserver/connect/callback/"]
    assert query["code_challenge_method"] == ["S256"]


def test_connect_saves_the_form_first(admin, service, not_connected) -> None:
    admin.post(CONNECT, TYPED | {"client_id": "another-client", "client_secret": "another-secret"})

    not_connected.refresh_from_db()
    assert not_connected.client_id == "another-client"
    assert not_connected.unseal("client_secret") == "another-secret"


def test_connect_with_a_mistake_stays_on_the_page(admin, service) -> None:
    response = admin.post(CONNECT, TYPED | {"auth_url": "https://auth.pingone.de"})

    assert response.status_code == 422
    assert "Refresh" not in response.headers
    assert not AuthorizationRequest.objects.exists()


def test_approval_connects_and_leads_to_the_settings(admin, approve, not_connected) -> None:
    back = admin.get(CALLBACK, approve(leave(admin)))

    assert (back.status_code, back.headers["Location"]) == (302, SETTINGS)
    assert state_of(not_connected) == Connection.State.CONNECTED
    page = admin.get(SETTINGS).text
    assert "Connected Acme to PingOne." in page
    assert "Mara Lind" in page
    assert "openid profile email" in page
    assert AuditEntry.objects.get(action="connection.connected").outcome == "succeeded"


def test_approval_leads_to_the_choice_of_several_environments(admin, approve, service, not_connected) -> None:
    not_connected.managed_environment_id = None
    not_connected.save()
    several = environments([ENVIRONMENT, ADMINISTRATORS, "11111111-2222-4333-8444-555555555555"])
    service.get(f"{API_URL}/v1/environments").respond(json=several)

    back = admin.get(CALLBACK, approve(leave(admin)))

    assert back.headers["Location"] == f"{SETTINGS}environments/"


def test_only_environment_is_taken_and_put_on_record(admin, approve, not_connected) -> None:
    Connection.objects.filter(pk=not_connected.pk).update(managed_environment_id=None, managed_environment_name="")

    admin.get(CALLBACK, approve(leave(admin)))

    taken = {"managed_environment": f"Environment {ENVIRONMENT}"}
    assert AuditEntry.objects.get(action="connection.connected").after == taken


def test_connect_without_a_refresh_token_says_when_access_ends_and_what_to_do(admin, service, not_connected) -> None:
    asked = leave(admin)
    good = id_token(nonce=asked["nonce"], name="Mara Lind")
    service.post(f"{ISSUER}/token").respond(json=tokens(id_token=good, refresh_token=None))
    admin.cookies["timezone"] = "Europe/Stockholm"

    told = admin.get(CALLBACK, {"code": CODE, "state": asked["state"]}, follow=True).text

    ends = Connection.objects.get(pk=not_connected.pk).access_token_expires_at
    assert ends
    at = f"{ends.astimezone(ZoneInfo('Europe/Stockholm')):%H:%M}"
    assert "Connected Acme to PingOne for now." in told
    assert "Connected Acme to PingOne." not in told
    for page in (
        told,
        admin.get(SETTINGS).text,
        admin.get("/o/acme/").text,
        admin.get("/o/acme/troubleshooting/").text,
    ):
        assert at in page
        assert "Turn on the Refresh Token grant of the PingOne application, then connect again." in page
    Connection.objects.filter(pk=not_connected.pk).update(sealed_refresh_token="kept")
    assert "Access ends at" not in admin.get("/o/acme/").text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "The connection was not approved"),
        ("consent_required", "The connection was not approved"),
        ("invalid_scope", "does not allow a scope"),
        ("unauthorized_client", "Authorization Code grant is off"),
        ("unsupported_response_type", "response type Code is off"),
        ("invalid_request", "did not accept the request"),
        ("login_required", "No one signed in to PingOne"),
        ("interaction_required", "No one signed in to PingOne"),
        ("server_error", "PingOne has a problem right now"),
        ("temporarily_unavailable", "PingOne has a problem right now"),
        ("SOMETHING_NEW", "The console does not know the reason"),
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;: told so"),
        ("x" * 5000, "xxx…"),
    ],
)
def test_refusal_is_explained_once(admin, service, not_connected, error, words) -> None:
    answer = {"state": leave(admin)["state"], "error": error, "error_description": "told so"}
    back = admin.get(CALLBACK, answer)

    assert (back.status_code, back.headers["Location"]) == (302, SETTINGS)
    page = admin.get(SETTINGS).text
    assert words in page
    assert words not in admin.get(SETTINGS).text, "told once"
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED
    assert AuthorizationRequest.objects.get().used_at
    assert AuditEntry.objects.get(action="connection.connect-failed").outcome == "failed"


def test_error_ends_the_attempt_even_with_a_code(admin, approve, not_connected) -> None:
    answer = approve(leave(admin))

    admin.get(CALLBACK, answer | {"error": "access_denied"})
    admin.get(CALLBACK, answer)

    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


FOREIGN = "by someone else, or before a sign-out"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "The address has no"),
        ({"code": CODE}, "The address has no"),
        ({"code": CODE, "state": ""}, "The address has no"),
        ({"code": CODE, "state": "invented"}, FOREIGN),
        ({"code": CODE, "state": "x" * 100_000}, FOREIGN),
        ({"code": CODE, "state": "\x00\U0001f600"}, FOREIGN),
        ({"error": "access_denied", "error_description": "<i>Call 555 now</i>", "state": "invented"}, FOREIGN),
    ],
    ids=["nothing", "no state", "empty state", "invented", "endless", "no text", "somebody else's words"],
)
def test_unsolicited_answer_changes_nothing(admin, service, not_connected, answer, words) -> None:
    back = admin.get(CALLBACK, answer)

    assert (back.status_code, back.headers["Location"]) == (302, SETTINGS)
    page = admin.get(SETTINGS).text
    assert words in page
    assert "Call 555" not in page, "nobody puts words on our page by making up an answer"
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_answer_without_code_and_error_is_reported_as_incomplete(admin, service, not_connected) -> None:
    admin.get(CALLBACK, {"state": leave(admin)["state"]})

    assert "PingOne&#x27;s answer is incomplete" in admin.get(SETTINGS).text


def test_repeated_parameter_is_ignored(admin, approve, not_connected) -> None:
    answer = approve(leave(admin))

    admin.get(f"{CALLBACK}?state={answer['state']}&code={CODE}&code=other")

    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_approval_expires_after_ten_minutes(admin, approve, not_connected) -> None:
    answer = approve(leave(admin))
    AuthorizationRequest.objects.update(
        created_at=AuthorizationRequest.objects.get().created_at - timedelta(minutes=11)
    )

    admin.get(CALLBACK, answer)

    assert "More than ten minutes" in admin.get(SETTINGS).text
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_repeated_answer_connects_once_without_an_alert(admin, approve, service, not_connected) -> None:
    answer = approve(leave(admin))
    token_endpoint = next(route for route in service.routes if str(route.pattern).find("/token") > 0)

    admin.get(CALLBACK, answer)
    again = admin.get(CALLBACK, answer)

    assert again.headers["Location"] == SETTINGS
    assert token_endpoint.call_count == 1
    assert state_of(not_connected) == Connection.State.CONNECTED
    page = admin.get(SETTINGS).text
    assert "This sign-in was already used" in page
    assert 'role="alert"' not in page


def test_replay_after_disconnecting_is_reported_and_does_nothing(admin, approve, not_connected) -> None:
    answer = approve(leave(admin))
    admin.get(CALLBACK, answer)
    admin.post(f"{SETTINGS}disconnect/")

    admin.get(CALLBACK, answer)

    assert "This sign-in was already used" in admin.get(SETTINGS).text
    assert state_of(not_connected) == Connection.State.DISCONNECTED


def test_either_of_two_tabs_can_finish_connect(admin, approve, not_connected) -> None:
    first, second = leave(admin), leave(admin)

    admin.get(CALLBACK, approve(first))
    assert state_of(not_connected) == Connection.State.CONNECTED
    answer = approve(second)
    admin.get(CALLBACK, answer)

    assert state_of(not_connected) == Connection.State.CONNECTED
    assert AuthorizationRequest.objects.filter(used_at=None).count() == 0


def test_connect_cannot_be_finished_in_another_browser(admin, approve, browser_of, org_admin, not_connected) -> None:
    answer = approve(leave(admin))
    elsewhere = browser_of(org_admin)

    elsewhere.get(CALLBACK, answer)

    assert FOREIGN in elsewhere.get(SETTINGS).text
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED
    admin.get(CALLBACK, answer)
    assert state_of(not_connected) == Connection.State.CONNECTED, "and it spoiled nothing"


def test_connect_cannot_be_finished_by_another_admin(admin, approve, browser_of, acme, not_connected) -> None:
    answer = approve(leave(admin))
    second = browser_of(make_operator("second@acme.test", acme, Membership.Role.ORG_ADMIN))

    second.get(CALLBACK, answer)

    assert FOREIGN in second.get(SETTINGS).text
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


@pytest.mark.parametrize("answer", [{"code": CODE}, {"error": "access_denied"}], ids=["code", "error"])
def test_state_of_another_organization_reveals_nothing(admin, service, browser_of, stranger, answer) -> None:
    state = leave(admin)["state"]
    theirs = browser_of(stranger)

    known = theirs.get(CALLBACK, answer | {"state": state}, follow=True)
    unknown = theirs.get(CALLBACK, answer | {"state": "invented"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain == [("/o/globex/settings/connection/", 302)]
    assert "Acme" not in known.text
    assert FOREIGN in known.text
    assert not AuthorizationRequest.objects.get().used_at


@pytest.mark.parametrize("answer", [{"code": CODE}, {"error": "access_denied"}], ids=["code", "error"])
def test_connect_cannot_be_finished_by_a_former_admin(admin, approve, org_admin, not_connected, answer) -> None:
    state = approve(leave(admin))["state"]
    Membership.objects.filter(operator=org_admin).update(role=Membership.Role.AUDITOR)

    back = admin.get(CALLBACK, answer | {"state": state}, follow=True)

    assert back.status_code == 403
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED
    assert not AuthorizationRequest.objects.get().used_at


def test_connect_cannot_be_finished_by_a_former_member(admin, approve, org_admin, not_connected) -> None:
    answer = approve(leave(admin))
    Membership.objects.filter(operator=org_admin).delete()

    back = admin.get(CALLBACK, answer)

    assert back.headers["Location"] == "/"
    assert FOREIGN in admin.get("/").text
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_connect_after_a_sign_out_leads_to_sign_in_and_a_message(admin, approve, org_admin, not_connected) -> None:
    answer = approve(leave(admin))
    admin.logout()

    back = admin.get(CALLBACK, answer)
    assert back.status_code == 302
    assert CODE not in back.headers["Location"]
    assert answer["state"] not in back.headers["Location"]
    sign_in = {"login": org_admin.email, "password": "correct horse battery"}
    signed_in = admin.post(back.headers["Location"], sign_in, follow=True)

    assert signed_in.redirect_chain[-1] == (SETTINGS, 302)
    assert "You were signed out of the console before PingOne answered" in signed_in.text
    admin.get(CALLBACK, answer)
    assert FOREIGN in admin.get(SETTINGS).text
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_callback_is_no_open_redirect(admin, approve) -> None:
    for hostile in ("//evil.test", "https://evil.test/", "javascript:alert(1)"):
        answer = approve(leave(admin)) | {"next": hostile, "redirect_uri": hostile, "RelayState": hostile}
        assert admin.get(CALLBACK, answer).headers["Location"] == SETTINGS
        assert admin.get(CALLBACK, {"next": hostile, "state": hostile}).headers["Location"] == SETTINGS


def test_code_state_and_tokens_stay_out_of_logs_and_pages(admin, approve, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    asked = leave(admin)
    pages = [admin.get(CALLBACK, approve(asked), follow=True), admin.get(SETTINGS), admin.get("/o/acme/")]

    told = caplog.text + "".join(page.text for page in pages) + str(dict(admin.session.items()))
    for secret in (CODE, asked["state"], asked["nonce"], "new-access-token", "new-refresh-token", "the-client-secret"):
        assert secret not in told


def test_callback_refuses_post(admin, service) -> None:
    assert admin.post(CALLBACK, {"code": CODE, "state": leave(admin)["state"]}).status_code == 405


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), "The Client secret is wrong"),
        (httpx.Response(400, json={"error": "invalid_grant"}), "The code that came back with it has expired"),
        (httpx.Response(400, json={"error": "unauthorized_client"}), "Its Authorization Code grant is off"),
        (httpx.Response(503), "PingOne is not responding properly"),
        (httpx.Response(200, json=tokens()), "could not be verified"),
    ],
    ids=["wrong secret", "code expired", "grant type", "outage", "no ID token"],
)
def test_failed_exchange_is_shown_and_keeps_the_settings(admin, service, not_connected, answer, words) -> None:
    state = leave(admin)["state"]
    service.post(f"{ISSUER}/token").mock(return_value=answer)

    admin.get(CALLBACK, {"code": CODE, "state": state})

    page = admin.get(SETTINGS).text
    assert words in page
    assert 'href="/o/acme/troubleshooting/#kind-' in page
    assert CLIENT_ID in page
    assert state_of(not_connected) == Connection.State.NOT_CONNECTED


def test_unknown_environment_is_reported_at_its_field(admin, service) -> None:
    service.get(f"{ISSUER}/.well-known/openid-configuration").respond(404)
    service.get(f"{AUTH_URL}/as/.well-known/openid-configuration").respond(404)

    response = admin.post(CONNECT, TYPED)

    assert response.status_code == 422
    assert "PingOne does not know this environment" in response.text
    assert 'href="/o/acme/troubleshooting/#kind-unknown-environment"' in response.text
    assert 'aria-invalid="true"' in response.text
    assert str(ADMINISTRATORS) in response.text


def test_unreachable_pingone_is_reported_on_the_page(admin, service) -> None:
    service.get(f"{ISSUER}/.well-known/openid-configuration").mock(side_effect=httpx.ConnectError("no route"))

    response = admin.post(CONNECT, TYPED)

    assert response.status_code == 504
    assert "PingOne could not be reached" in response.text
    assert CLIENT_ID in response.text
