"""Every failure is explained to the operator: as a page, as a notice, or in place of the failed panel."""

from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views.decorators.http import require_POST

from console.access import PERMISSION_LABELS, OrgAccess, Permission, org_view, public_view
from console.failures.failure import status_of
from console.failures.next_step import resolution_of
from console.failures.pages import fails_in_place
from console.models import Operator
from pingone_integration import errors
from pingone_integration.errors import Detail, PingOneError, SealBroken, Trace

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/o/acme/users/?q=ada"}
HOSTILE = "<script>alert(1)</script>"
raised: list[Exception] = []


@org_view(Permission.ENTER)
def failing(request: HttpRequest, access: OrgAccess) -> HttpResponse:
    raise raised.pop()


@org_view(Permission.ENTER)
@fails_in_place
def failing_panel(request: HttpRequest, access: OrgAccess) -> HttpResponse:
    raise raised.pop()


@org_view(Permission.MANAGE_CONNECTION)
def for_org_admins(request: HttpRequest, access: OrgAccess) -> HttpResponse:
    return HttpResponse("secret")


@public_view(reason="a test")
@require_POST
def only_by_post(request: HttpRequest) -> HttpResponse:
    return HttpResponse("posted")


urlpatterns = [
    path("o/<slug:org>/failing/", failing),
    path("o/<slug:org>/panel/", failing_panel),
    path("o/<slug:org>/admins/", for_org_admins),
    path("post/", only_by_post),
    path("", include("console.urls")),
]
handler400, handler403 = "console.failures.pages.bad_request", "console.failures.pages.permission_denied"
handler404, handler500 = "console.failures.pages.not_found", "console.failures.pages.server_error"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def every_class(parent: type[PingOneError] = PingOneError) -> list[type[PingOneError]]:
    return [parent, *(error for child in parent.__subclasses__() for error in every_class(child))]


def example(error: type[PingOneError]) -> PingOneError:
    if issubclass(error, errors.StateRejected):
        return error(errors.StateRejected.Reason.FOREIGN)
    return error("the-developers-text")


EVERY_ERROR = [example(error) for error in every_class()]


@pytest.fixture
def fail(browser_of: Callable[[Operator], Client]) -> Callable[..., Any]:
    def failed(operator: Operator, error: Exception, where: str = "failing", **headers: str) -> Any:
        raised[:] = [error]
        return browser_of(operator).get(f"/o/acme/{where}/", headers=headers)

    return failed


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.kind)
def test_error_page_shows_cause_and_next_step(fail: Any, org_admin: Operator, error: Any) -> None:
    response = fail(org_admin, error)

    assert response.status_code == status_of(type(error)) >= 400
    assert response["Cache-Control"] == "no-store"
    html = unescape(response.content.decode())
    assert f"<h1>{error.title}</h1>" in html
    assert str(error.cause) in html
    assert str(resolution_of(error)) in html
    assert "<nav" in html
    assert "the-developers-text" not in html


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.kind)
def test_failed_fragment_becomes_a_notice_and_keeps_the_page(fail: Any, helpdesk: Operator, error: Any) -> None:
    response = fail(helpdesk, error, **HTMX)

    assert response["HX-Retarget"] == "#notices"
    assert response["HX-Reswap"] == "innerHTML"
    assert response["HX-Push-Url"] == "false"
    assert str(error.title) in unescape(response.content.decode())
    assert "<html" not in response.content.decode()


def test_failed_panel_offers_a_retry_in_place(fail: Any, helpdesk: Operator) -> None:
    response = fail(helpdesk, errors.Unavailable(), "panel", **HTMX)

    assert "HX-Retarget" not in response
    html = response.content.decode()
    assert "Try again" in html
    assert 'hx-get="/o/acme/panel/"' in html


def test_ids_for_support_are_shown_and_can_be_copied(fail: Any, helpdesk: Operator) -> None:
    trace = Trace(error_id=str(uuid4()), correlation_id=str(uuid4()), transaction_id=str(uuid4()))

    html = fail(helpdesk, errors.Unavailable(trace=trace)).content.decode()

    for value in (trace.error_id, trace.correlation_id, trace.transaction_id):
        assert f'data-copy="{value}"' in html


def test_text_from_pingone_is_escaped(fail: Any, helpdesk: Operator) -> None:
    details = (Detail(code="INVALID_VALUE", target=HOSTILE, message=HOSTILE),)

    html = fail(helpdesk, errors.InvalidValue(HOSTILE, details=details, trace=Trace(error_id=HOSTILE))).content.decode()

    assert HOSTILE not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;: &lt;script&gt;" in html


def test_org_admin_gets_a_link_to_the_connection_settings(fail: Any, org_admin: Operator) -> None:
    html = fail(org_admin, errors.TokenRefreshFailure()).content.decode()

    assert 'href="/o/acme/settings/connection/"' in html
    assert "Ask an org admin" not in html


def test_agent_is_told_whom_to_ask(fail: Any, org_admin: Operator, helpdesk: Operator) -> None:
    html = fail(helpdesk, errors.TokenRefreshFailure()).content.decode()

    assert "Ask an org admin of Acme: admin@acme.test." in html
    assert "/settings/connection/" not in html


def test_header_shows_the_new_connection_state(fail: Any, helpdesk: Operator, acme: Any) -> None:
    acme.connection.state = "reconnect_needed"
    acme.connection.save()

    assert 'data-state="reconnect_needed"' in fail(helpdesk, errors.TokenRefreshFailure()).content.decode()


def test_unknown_outcome_page_says_that_it_may_have_happened(fail: Any, helpdesk: Operator) -> None:
    html = fail(helpdesk, errors.Unavailable(outcome_known=False)).content.decode()

    assert "the change may have been made" in html


def test_rate_limit_page_says_when_to_try_again(fail: Any, helpdesk: Operator) -> None:
    response = fail(helpdesk, errors.RateLimited(retry_after_s=7))

    assert response["Retry-After"] == "7"
    assert "Try again in 7 seconds." in response.content.decode()
    assert "Wait a moment" not in response.content.decode()  # said once, with the time


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("url", ["/o/acme/users/?q=ada", "/o/acme/call-api/"])
def test_page_that_shows_the_rate_limit_inside_says_when_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
    browser_of: Callable[[Operator], Client],
    org_admin: Operator,
    url: str,
    headers: Any,
) -> None:
    def limited(*args: Any, **options: Any) -> Any:
        raise errors.RateLimited(retry_after_s=7)

    monkeypatch.setattr("pingone_integration.calls.api.PingOneApi._send", limited)
    browser = browser_of(org_admin)
    call = {"method": "GET", "path": "/users", "submission": str(uuid4())}
    response = browser.post(url, call, headers=headers) if "call-api" in url else browser.get(url, headers=headers)

    assert (response.status_code, response["Retry-After"]) == (429, "7")


def test_unreadable_credentials_are_explained(fail: Any, org_admin: Operator) -> None:
    response = fail(org_admin, SealBroken("a-row/client_secret"))

    assert response.status_code == 503
    html = response.content.decode()
    assert "The stored credentials cannot be decrypted" in html
    assert "CREDENTIAL_KEYS" in html
    assert "a-row" not in html


def test_missing_permission_is_named_with_the_roles_that_have_it(
    browser_of: Callable[[Operator], Client], helpdesk: Operator, org_admin: Operator
) -> None:
    response = browser_of(helpdesk).get("/o/acme/admins/")

    assert response.status_code == 403
    html = response.content.decode()
    assert "You need permission to manage the connection to PingOne. Your role in Acme " in html
    assert "(Helpdesk agent)" in html
    assert "Roles that do: Org admin." in html
    assert "admin@acme.test" in html


def test_every_permission_has_a_label() -> None:
    assert set(PERMISSION_LABELS) == set(Permission)


def test_not_found_page_looks_like_the_console(browser_of: Callable[[Operator], Client], helpdesk: Operator) -> None:
    response = browser_of(helpdesk).get("/o/acme/no-such-page/")

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_not_found_in_an_htmx_request_is_a_notice(fail: Any, helpdesk: Operator) -> None:
    response = fail(helpdesk, Http404("gone"), **HTMX)

    assert response.status_code == 404
    assert response["HX-Retarget"] == "#notices"


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "notice"])
def test_internal_error_page_reveals_nothing(
    browser_of: Callable[[Operator], Client], helpdesk: Operator, headers: dict[str, str]
) -> None:
    client = browser_of(helpdesk)
    client.raise_request_exception = False
    raised[:] = [RuntimeError("the-canary")]

    response = client.get("/o/acme/failing/", headers=headers)

    assert response.status_code == 500
    assert ("HX-Retarget" in response) == bool(headers)
    assert "Something went wrong in the console" in response.content.decode()
    assert "the-canary" not in response.content.decode()


def test_form_without_a_csrf_token_is_refused(helpdesk: Operator) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(helpdesk)

    response = client.post("/accounts/logout/")

    assert response.status_code == 403
    assert "This page is out of date" in response.content.decode()
    assert client.get("/o/acme/").status_code == 200


def test_wrong_method_page_keeps_the_allow_header(client: Client) -> None:
    response = client.get("/post/")

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "This page cannot be opened directly" in response.content.decode()
