"""Sign-in: sessions, redirects (no open redirect), rate limits and second factors."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.models import Operator, OutgoingEmail
from console.operators.attempt_limit import Limit
from console.operators.page_limits import LIMITS, PageLimit
from pingone_integration.sealing import unseal
from tests.support.outbox import sent_emails

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PASSWORD = "correct horse battery"
ELSEWHERE = [
    "https://evil.test/",
    "//evil.test/",
    "///evil.test/",
    "/\\evil.test/",
    "\\\\evil.test/",
    "http:evil.test",
    "javascript:alert(1)",
    "http://localhost/",  # a trusted host, but not a path of this console
    "\x00//evil.test",
    " //evil.test",
]


def sign_in(client: Client, email: str = "admin@acme.test", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


def test_sign_in_ignores_the_case_of_the_email_address(client: Client, org_admin: Operator) -> None:
    response = sign_in(client, "Admin@ACME.test")

    assert (response.status_code, response["Location"]) == (302, "/")


def test_session_lasts_half_a_day(client: Client, org_admin: Operator) -> None:
    assert sign_in(client).cookies["console_session"]["max-age"] == 12 * 3600


def test_sign_in_leads_back_to_the_requested_page(client: Client, org_admin: Operator) -> None:
    asked = client.get("/o/acme/?from=a-link", follow=True)
    assert 'name="next" value="/o/acme/?from=a-link"' in asked.content.decode()

    assert sign_in(client, next="/o/acme/?from=a-link")["Location"] == "/o/acme/?from=a-link"


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_sign_in_never_redirects_to_another_site(client: Client, org_admin: Operator, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere)["Location"] == "/"


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_sign_out_never_redirects_to_another_site(
    browser_of: Callable[[Operator], Client], org_admin: Operator, elsewhere: str
) -> None:
    assert browser_of(org_admin).post("/accounts/logout/", {"next": elsewhere})["Location"] == "/accounts/login/"


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_theme_choice_never_redirects_to_another_site(client: Client, elsewhere: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": elsewhere})["Location"] == "/"


def test_sign_out_needs_post(browser_of: Callable[[Operator], Client], org_admin: Operator) -> None:
    browser = browser_of(org_admin)

    assert "Sign out?" in browser.get("/accounts/logout/").content.decode()
    assert browser.get("/o/acme/").status_code == 200


def test_password_guessing_is_rate_limited(client: Client, org_admin: Operator) -> None:
    for _attempt in range(5):
        sign_in(client, password="a wrong guess")

    response = sign_in(client)

    assert "Too many failed sign-ins" in response.content.decode()
    assert "console_session" not in response.cookies


def test_sign_in_failures_are_counted_by_the_address_from_the_trusted_proxy(
    client: Client, org_admin: Operator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    monkeypatch.setitem(LIMITS, "account_login", (PageLimit(Limit("sign in", 3, 60), get_ip),))

    def tries(claimed: str) -> list[int]:
        headers = {"X-Forwarded-For": claimed}
        form = {"login": "x@y.test", "password": "a wrong guess"}
        return [client.post("/accounts/login/", form, headers=headers).status_code for _ in range(4)]

    assert tries("198.51.100.1")[-1] == 429
    assert tries("198.51.100.2")[0] == 200
    assert tries("203.0.113.7, 198.51.100.1")[0] == 429  # the first address is only the browser's claim


def test_password_reset_does_not_reveal_accounts(client: Client, org_admin: Operator) -> None:
    def asked(email: str) -> str:
        html = client.post("/accounts/password/reset/", {"email": email}, follow=True).content.decode()
        return re.sub(r'"[^"]{64}"', "", html)

    assert asked("nobody@acme.test") == asked("admin@acme.test")
    assert [message.to for message in sent_emails()] == [["admin@acme.test"]]


def test_password_reset_for_a_stranger_takes_as_long_and_keeps_nothing(client: Client, org_admin: Operator) -> None:
    """The time of the answer would tell who is an operator: so the same is rendered, sealed and written."""

    def emails_written(email: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.post("/accounts/password/reset/", {"email": email})
        return sum("outgoingemail" in one["sql"] for one in queries if one["sql"].startswith("INSERT"))

    assert emails_written("hunter2@acme.test") == 1

    kept = OutgoingEmail.objects.get()
    assert (kept.state, kept.to, kept.sealed_text) == ("canceled", "", "")
    assert not sent_emails()
    assert emails_written(org_admin.email) == 1
    assert [message.to for message in sent_emails()] == [["admin@acme.test"]]


def test_password_reset_link_uses_the_public_url(client: Client, org_admin: Operator, settings: Any) -> None:
    settings.PUBLIC_URL = "https://console.acme.test"

    client.post("/accounts/password/reset/", {"email": "admin@acme.test"}, headers={"Host": "127.0.0.1"})

    assert re.findall(r"https?://[^/\s]+/accounts", str(sent_emails()[0].body)) == [
        "https://console.acme.test/accounts"
    ]


def test_password_reset_email_does_not_repeat_the_host_header(client: Client, org_admin: Operator) -> None:
    client.post("/accounts/password/reset/", {"email": "admin@acme.test"}, headers={"Host": "127.0.0.1"})

    (message,) = sent_emails()
    assert message.subject == "Reset your PingOne console password"
    assert "reset the password of admin@acme.test" in str(message.body)
    assert "127.0.0.1" not in message.subject + str(message.body)


def code_now(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def test_authenticator_secret_is_sealed_and_required_at_sign_in(
    client: Client, browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")

    stored = Authenticator.objects.get().data["secret"]
    assert "JBSWY3DPEHPK3PXP" not in stored
    assert unseal("second-factors", stored) == "JBSWY3DPEHPK3PXP"

    assert sign_in(client)["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/o/acme/").status_code == 302
    entered = client.post("/accounts/2fa/authenticate/", {"code": code_now("JBSWY3DPEHPK3PXP")})
    assert entered["Location"] == "/"
    assert client.get("/o/acme/").status_code == 200


def test_authenticator_setup_gives_recovery_codes(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    set_up = "/accounts/2fa/totp/activate/"
    assert client.get(set_up)["Location"].startswith("/accounts/reauthenticate/")
    html = client.post(
        "/accounts/reauthenticate/", {"password": PASSWORD, "next": set_up}, follow=True
    ).content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="(\w+)"', html)
    assert secret
    assert secret[1] not in str(dict(client.session))
    assert unseal("second-factors", client.session["mfa.totp.secret"]) == secret[1]
    assert "Wrong code." in client.post(set_up, {"code": "000000"}).text
    assert secret[1] not in str(dict(client.session))

    response = client.post(set_up, {"code": code_now(secret[1])}, follow=True)

    assert "mfa.totp.secret" not in client.session

    assert "10 recovery codes" in response.content.decode()
    assert {kind.type for kind in Authenticator.objects.all()} == {"totp", "recovery_codes"}


def test_sign_in_form_in_a_second_tab_leads_on_after_signing_in_in_the_first(org_admin: Operator) -> None:
    browser = Client(enforce_csrf_checks=True)

    def token() -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/accounts/login/").text)
        assert found
        return found[1]

    second_tab, first_tab = token(), token()
    sign_in(browser, csrfmiddlewaretoken=first_tab)

    def press(path: str, asked: str) -> str:
        form = {"login": "admin@acme.test", "password": PASSWORD, "next": asked, "csrfmiddlewaretoken": second_tab}
        return str(browser.post(path, form)["Location"])

    for path in (
        "/accounts/login/",
        "/accounts/login/",
        "/accounts/2fa/webauthn/login/",
        "/accounts/2fa/authenticate/",
    ):
        assert press(path, "/o/acme/users/?q=mara") == "/o/acme/users/?q=mara"
    assert {press("/accounts/login/", elsewhere) for elsewhere in ["", *ELSEWHERE]} == {"/"}
    assert browser.post("/accounts/logout/", {"csrfmiddlewaretoken": second_tab}).status_code == 403


def test_sign_in_form_that_is_out_of_date_is_refused_to_a_visitor(org_admin: Operator) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"next": "/o/acme/"})

    assert response.status_code == 403
    assert "This page is out of date" in response.text


def test_page_of_a_deactivated_account_promises_nothing(client: Client) -> None:
    page = client.get("/accounts/inactive/").text

    assert "An account cannot sign in while it is deactivated" in page
    assert "activate it" not in page


def test_authenticator_setup_starts_over_after_its_key_is_gone(
    client: Client, org_admin: Operator, settings: Any
) -> None:
    sign_in(client)
    set_up = "/accounts/2fa/totp/activate/"
    client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": set_up}, follow=True)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    response = client.post(set_up, {"code": "000000"})

    assert "Wrong code." in response.text
    assert unseal("second-factors", client.session["mfa.totp.secret"]) in response.text
