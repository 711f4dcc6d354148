"""Call API: reads run at once, writes after confirmation, all on record. Secrets go only to PingOne."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID, uuid4

import httpx
import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from console.access import enter_org
from console.actions.outcome import Refused
from console.audit import entries
from console.audit.api_requests import LEFT_OUT, harmless_query
from console.audit.entries import Circumstances
from console.call_api.api_call import ApiCall, as_curl, perform_call
from console.models import AuditEntry, Membership, Operator, Organization, SavedApiCall, TicketPolicy
from pingone_integration.calls.any_endpoint import Endpoint
from tests.support.answers import ada
from tests.support.people import ENVIRONMENT

USER = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
PAGE = "/o/acme/call-api/"

BrowserOf = Callable[[Operator], Client]


@pytest.fixture
def admin(browser_of: BrowserOf, org_admin: Operator) -> Client:
    return browser_of(org_admin)


def compose(client: Client, **typed: Any) -> HttpResponse:
    return client.post(PAGE, {"method": "GET", "path": "/users"} | typed)  # type: ignore[return-value]


def send_write(client: Client, submission: UUID | None = None, **typed: Any) -> HttpResponse:
    second_look = {"reason": "INC1", "submission": str(submission or uuid4())}
    return compose(client, method="POST", **(second_look | typed))


def outcomes() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "outcome"))


def test_read_is_sent_at_once_and_shown_with_status_and_ids(admin: Client, pingone: respx.MockRouter) -> None:
    route = pingone.get("/users", params={"limit": "2", "filter": 'email sw "<b>"'}).respond(
        json={"size": 0, "note": "<script>"}, headers={"Correlation-Id": "c-42"}
    )

    response = compose(admin, query="limit=2&filter=email+sw+%22%3Cb%3E%22")

    text = response.content.decode()
    assert response.status_code == 200
    assert "200 OK" in text
    assert "c-42" in text
    assert "&quot;note&quot;: &quot;&lt;script&gt;&quot;" in text
    assert "<script>&quot;" not in text
    entry = AuditEntry.objects.current().get()
    assert (entry.action, entry.outcome, entry.after) == ("api.call", "succeeded", {"status": 200})
    assert route.calls.last.request.headers["X-Ping-External-Transaction-ID"] == str(entry.entry)


def test_pingone_error_is_shown_as_an_answer(admin: Client, pingone: respx.MockRouter) -> None:
    pingone.get("/users").respond(403, json={"id": "e-1", "code": "ACCESS_FAILED"}, headers={"Correlation-Id": "c-1"})

    text = compose(admin).content.decode()

    assert "403 Forbidden" in text
    assert "e-1" in text
    assert AuditEntry.objects.current().get().outcome == "failed"


def test_write_is_shown_for_confirmation_before_anything_is_sent(admin: Client, pingone: respx.MockRouter) -> None:
    response = compose(admin, method="DELETE", path=f"/users/{USER}")

    assert f"DELETE <code>/users/{USER}</code>" in response.content.decode()
    assert "This may change data in Acme production." in response.content.decode()
    assert outcomes() == []


def test_write_needs_a_reason(admin: Client, pingone: respx.MockRouter) -> None:
    response = send_write(admin, reason=" ", body="{}")

    assert response.status_code == 422
    assert "This field is required." in response.content.decode()
    assert outcomes() == []


def test_write_needs_a_ticket_if_the_policy_requires_it(
    admin: Client, acme: Organization, pingone: respx.MockRouter
) -> None:
    required = TicketPolicy.Requirement.PATTERN
    TicketPolicy.objects.create(organization=acme, action="api.call", requirement=required, pattern="INC##")
    pingone.post("/users").respond(201, json={})

    refused = send_write(admin, ticket="soon", body="{}")
    sent = send_write(admin, ticket="INC77", body="{}")

    assert "Enter a ticket number like INC12." in refused.content.decode()
    assert "201 Created" in sent.content.decode()
    assert AuditEntry.objects.current().get().ticket == "INC77"


def test_write_is_sent_as_composed_and_recorded_with_its_reason(admin: Client, pingone: respx.MockRouter) -> None:
    unlock = "application/vnd.pingidentity.account.unlock+json"
    pingone.get(f"/users/{USER}").respond(json=ada())
    route = pingone.post(f"/users/{USER}").respond(200, json={"id": USER})

    response = send_write(admin, path=f"/users/{USER}", media_type=unlock)

    assert "200 OK" in response.content.decode()
    assert route.calls.last.request.headers["Content-Type"] == unlock
    entry = AuditEntry.objects.current().get()
    assert (entry.reason, entry.outcome, entry.subject_name) == ("INC1", "succeeded", f"POST /users/{USER}")
    assert entry.inputs["media_type"] == unlock


def test_double_submit_has_one_effect(admin: Client, pingone: respx.MockRouter) -> None:
    route = pingone.post("/users").respond(201, json={"id": USER})
    submission = uuid4()
    send_write(admin, submission, body='{"username": "x"}')

    response = send_write(admin, submission, body='{"username": "x"}')

    assert "This request was already submitted." in response.content.decode()
    assert route.call_count == 1


def test_write_without_an_answer_has_an_unknown_outcome_and_is_not_repeated(
    admin: Client, pingone: respx.MockRouter
) -> None:
    route = pingone.post("/users").mock(side_effect=httpx.ReadTimeout)

    response = send_write(admin, body='{"username": "typed-before"}')

    assert response.status_code >= 500
    assert "may have" in response.content.decode()
    assert "typed-before" in response.content.decode()
    assert outcomes() == [("api.call", "started"), ("api.call", "unknown")]
    assert route.call_count == 1


def test_call_without_a_connection_is_on_record(admin: Client, pingone: respx.MockRouter, acme: Organization) -> None:
    acme.connection.state = "disconnected"
    acme.connection.save()

    response = compose(admin)

    assert response.status_code == 409
    assert outcomes() == [("api.call", "started"), ("api.call", "failed")]


def test_call_without_its_required_ticket_is_refused(
    pingone: respx.MockRouter, acme: Organization, org_admin: Operator
) -> None:
    TicketPolicy.objects.create(organization=acme, action="api.call", requirement="required")
    write = ApiCall(method="POST", endpoint=Endpoint(path="/users"), media_type="application/json", body="{}")

    result = perform_call(enter_org(org_admin, "acme"), write, Circumstances())

    assert isinstance(result, Refused)
    assert outcomes() == [("api.call", "refused")]


def test_call_is_not_sent_after_the_permission_is_lost(pingone: respx.MockRouter, org_admin: Operator) -> None:
    access = enter_org(org_admin, "acme")
    read = ApiCall(method="GET", endpoint=Endpoint(path="/users"), media_type="application/json", body="")
    Membership.objects.update(role=Membership.Role.HELPDESK_AGENT)

    with pytest.raises(PermissionDenied):
        perform_call(access, read, Circumstances())
    Membership.objects.all().delete()
    with pytest.raises(Http404):
        perform_call(access, read, Circumstances())

    assert outcomes() == []


def test_call_that_meets_a_bug_has_an_unknown_outcome(
    pingone: respx.MockRouter, org_admin: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("pingone_integration.calls.any_endpoint.call")
    write = ApiCall(method="POST", endpoint=Endpoint(path="/users"), media_type="application/json", body="{}")

    with pytest.raises(AttributeError):
        perform_call(enter_org(org_admin, "acme"), write, Circumstances())

    assert outcomes() == [("api.call", "started"), ("api.call", "unknown")]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"path": "../users"}, "Remove the empty parts, . and .. from the path."),
        ({"path": "https://evil.test/users"}, "Enter only a path"),
        ({"path": f"/v1/environments/{USER}/users"}, "reaches only environment"),
        ({"query": "limit"}, "name=value"),
        ({"body": "{'a': 1}"}, "at line 1, column 2"),
        ({"media_type": "text/html"}, "application/json"),
        ({"method": "TRACE"}, "TRACE is not one of the available choices"),
    ],
)
def test_mistake_is_shown_at_its_field_and_nothing_is_sent(
    admin: Client, pingone: respx.MockRouter, typed: dict[str, str], words: str
) -> None:
    response = compose(admin, **({"body": "typed-before"} | typed))

    assert response.status_code == 422
    assert words in response.content.decode()
    assert typed.get("body", "typed-before").replace("'", "&#x27;") in response.content.decode()
    assert outcomes() == []


def test_call_api_is_for_org_admins_only(browser_of: BrowserOf, helpdesk: Operator, auditor: Operator) -> None:
    for operator in (helpdesk, auditor):
        assert browser_of(operator).get(PAGE).status_code == 403
        assert compose(browser_of(operator)).status_code == 403
        assert "call-api" not in browser_of(operator).get("/o/acme/").content.decode()


def test_secrets_of_a_body_reach_only_pingone(
    admin: Client, pingone: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"username": "mara", "password": {"value": "canary-1"}, "list": [{"apiToken": "canary-2"}]})
    route = pingone.post("/users").respond(201, json={})

    send_write(admin, body=body)
    admin.post(f"{PAGE}save/", {"method": "POST", "path": "/users", "body": body, "name": "Make Mara"})

    assert b"canary-1" in route.calls.last.request.content
    kept = f"{list(AuditEntry.objects.values())} {list(SavedApiCall.objects.values())} {caplog.text}"
    assert "canary" not in kept
    assert "mara" in kept


@pytest.mark.parametrize(
    ("media_type", "path", "body", "kept"),
    [
        ("application/json", "/users", {"name": {"given": "A"}, "on": True}, {"name": {"given": "A"}, "on": True}),
        (
            "application/json",
            "/users",
            {"Authorization": "Bearer x", "Cookie": "x"},
            {"Authorization": LEFT_OUT, "Cookie": LEFT_OUT},
        ),
        (
            "application/json",
            "/users",
            {"pwd": "x", "apiKey": {"id": "x"}},
            {"pwd": LEFT_OUT, "apiKey": {"id": LEFT_OUT}},
        ),
        (
            "application/json",
            "/users",
            {"notes": "x", "n": 5, "to": [USER]},
            {"notes": LEFT_OUT, "n": LEFT_OUT, "to": [USER]},
        ),
        ("application/json", "/users", {"recoveryCode": 12345678}, {"recoveryCode": LEFT_OUT}),
        ("application/vnd.pingidentity.password.set+json", "/x", {"value": "s"}, {"value": LEFT_OUT}),
        ("application/json", f"/users/{USER}/password", ["s", None], [LEFT_OUT, None]),
        ("application/vnd.pingidentity.device.activate+json", "/x", {"otp": "1"}, {"otp": LEFT_OUT}),
    ],
)
def test_possible_secrets_are_left_out_of_the_record(media_type: str, path: str, body: Any, kept: Any) -> None:
    call = ApiCall(method="POST", endpoint=Endpoint(path=path), media_type=media_type, body=json.dumps(body))

    assert json.loads(call.harmless_body) == kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("limit=25&expand=population", "limit=25&expand=population"),
        ("access_token=canary&limit=1", "access_token=(left out)&limit=1"),
        ("apiKey=canary&apiKey=canary", "apiKey=(left out)&apiKey=(left out)"),
        (f"population.id={USER}", f"population.id={USER}"),
        ("sig", "sig=(left out)"),
    ],
)
def test_query_keeps_harmless_values_alone(query: str, kept: str) -> None:
    assert unquote_plus(harmless_query(query)) == kept


WRITTEN_BEFORE = {
    "method": "POST",
    "path": "/users",
    "query": "access_token=canary",
    "media_type": "application/json",
    "body": '{"username": "mara", "Cookie": "canary"}',
}


def test_values_in_older_entries_are_hidden_wherever_they_are_shown(
    admin: Client, acme: Organization, org_admin: Operator
) -> None:
    circumstances = Circumstances(source_address="203.0.113.7")
    actor = enter_org(org_admin, "acme").actor
    subject = entries.Subject(kind=AuditEntry.Subject.API, name="POST /users")
    entry = entries.refuse(
        acme, actor, "api.call", subject, circumstances=circumstances, inputs=WRITTEN_BEFORE, reason="a test"
    )
    assert entry
    addresses = [PAGE, f"{PAGE}?entry={entry.entry}", f"/o/acme/audit/{entry.entry}/", "/o/acme/audit/"]
    addresses += ["/o/acme/audit/export/csv/", "/o/acme/audit/export/jsonl/"]

    shown = {address: admin.get(address).getvalue().decode() for address in addresses}

    assert "mara" in shown[f"{PAGE}?entry={entry.entry}"]
    assert [address for address, text in shown.items() if "canary" in text] == []


def test_saved_request_with_a_value_left_out_is_not_sent_until_it_is_filled_in(
    admin: Client, acme: Organization, org_admin: Operator, pingone: respx.MockRouter
) -> None:
    SavedApiCall.objects.create(organization=acme, name="Old", saved_by=org_admin, **WRITTEN_BEFORE)
    page = admin.get(f"{PAGE}?saved={SavedApiCall.objects.get().pk}").text
    assert "canary" not in page
    left_out = {"query": f"access_token={LEFT_OUT}", "body": json.dumps({"username": "mara", "Cookie": LEFT_OUT})}

    for name, value in left_out.items():
        refused = send_write(admin, None, **{name: value})
        assert refused.status_code == 422
        assert "Fill in the values that are marked (left out)" in refused.content.decode()

    assert not pingone.calls
    saved = admin.post(f"{PAGE}save/", {"method": "POST", "path": "/users", "name": "New", **left_out})
    assert saved.status_code == 302


@given(
    st.recursive(st.just("canary") | st.just(31337), lambda inner: st.dictionaries(st.text("xyz-", max_size=3), inner))
)
def test_no_value_of_an_unknown_name_is_kept(body: Any) -> None:
    call = ApiCall(
        method="POST", endpoint=Endpoint(path="/users"), media_type="application/json", body=json.dumps({"x": body})
    )

    assert "canary" not in call.harmless_body
    assert "31337" not in call.harmless_body


def test_saved_call_fills_the_form_only_in_its_organization(
    admin: Client, browser_of: BrowserOf, stranger: Operator, acme: Organization
) -> None:
    typed = {"method": "PATCH", "path": f"/users/{USER}", "query": "a=1", "body": '{"title": "Analyst"}'}
    admin.post(f"{PAGE}save/", typed | {"name": "Retitle"})
    saved = SavedApiCall.objects.get()

    mine = admin.get(f"{PAGE}?saved={saved.pk}").content.decode()
    others = browser_of(stranger).get(f"/o/globex/call-api/?saved={saved.pk}").content.decode()

    assert f'value="/users/{USER}"' in mine
    assert "&quot;(left out)&quot;" in mine
    assert USER not in others
    assert browser_of(stranger).post(f"/o/globex/call-api/{saved.pk}/forget/").status_code == 404
    assert SavedApiCall.objects.exists()


def test_call_in_the_history_fills_the_form(admin: Client, pingone: respx.MockRouter) -> None:
    pingone.get("/populations").respond(json={})
    compose(admin, path="populations")
    entry = AuditEntry.objects.current().get()

    assert 'value="/populations"' in admin.get(f"{PAGE}?entry={entry.entry}").content.decode()


@pytest.mark.parametrize("query", ["saved=99999999999999999999", "saved=x", "entry=x", f"entry={USER}"])
def test_link_to_an_unknown_call_shows_the_page(admin: Client, query: str) -> None:
    assert admin.get(f"{PAGE}?{query}").status_code == 200


def test_curl_command_is_quoted_for_a_shell_and_holds_no_token() -> None:
    call = ApiCall(
        method="POST",
        endpoint=Endpoint(path="/users", query=(("a", "'; rm"),)),
        media_type="application/json",
        body='{"a": "it\'s $HOME"}',
    )

    assert as_curl(call, f"https://api.pingone.test/v1/environments/{ENVIRONMENT}") == (
        'curl --request POST --header "Authorization: Bearer $PINGONE_TOKEN" --header '
        "'Content-Type: application/json' --data '{\"a\": \"it'\"'\"'s $HOME\"}' "
        f"'https://api.pingone.test/v1/environments/{ENVIRONMENT}/users?a=%27%3B+rm'"
    )
