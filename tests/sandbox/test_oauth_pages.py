"""The sign-in and consent pages as people use them, and their protection."""

import json
from uuid import UUID

import httpx
import pytest

from tests.support.oauth import Application, administrator, answer_of, claims_of, console, follow
from tests.support.sandbox_server import Form, Sandbox, sign_on

PASSWORD = "Sandbox-2026!"


def try_password(http: httpx.Client, application: Application, username: str, password: str) -> httpx.Response:
    page = follow(http, application.authorize_url())
    return Form(page).submit(http, "sign_on", username=username, password=password)


def test_wrong_password_is_reported_and_the_username_is_kept(sandbox: Sandbox, http: httpx.Client):
    page = try_password(http, console(sandbox), "ada.admin", "wrong")

    assert "The username or the password is wrong." in page.text
    assert Form(page).fields["username"] == "ada.admin"
    assert Form(page).fields["password"] == ""
    assert Form(page).submit(http, "sign_on", password=PASSWORD).has_redirect_location


def test_unknown_username_looks_like_a_wrong_password(sandbox: Sandbox, http: httpx.Client):
    page = try_password(http, console(sandbox), "nobody", PASSWORD)

    assert "The username or the password is wrong." in page.text


def test_user_of_another_environment_is_unknown(sandbox: Sandbox, http: httpx.Client):
    elsewhere = UUID(sandbox.details["managed_environment_id"])
    username = administrator(sandbox, environment_id=elsewhere)

    assert "is wrong" in try_password(http, console(sandbox), username, PASSWORD).text


def test_username_is_matched_in_any_case(sandbox: Sandbox, http: httpx.Client):
    assert try_password(http, console(sandbox), " Ada.ADMIN ", PASSWORD).has_redirect_location


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"enabled": False}, "This account is disabled."),
        ({"locked": True}, "This account is locked."),
        ({"password_status": "MUST_CHANGE_PASSWORD"}, "The password must be changed first"),
        ({"password_status": "PASSWORD_EXPIRED"}, "The password must be changed first"),
        ({"password_status": "PASSWORD_LOCKED_OUT"}, "Too many wrong passwords"),
        ({"password": "", "password_status": "NO_PASSWORD"}, "The username or the password is wrong."),
    ],
    ids=str,
)
def test_account_in_a_state_that_forbids_sign_in_is_refused(
    sandbox: Sandbox, http: httpx.Client, state: dict[str, object], message: str
):
    page = try_password(http, console(sandbox), administrator(sandbox, **state), PASSWORD)

    assert message in page.text
    assert "sandbox_sign_on" not in http.cookies


def test_account_state_is_only_shown_after_the_right_password(sandbox: Sandbox, http: httpx.Client):
    page = try_password(http, console(sandbox), administrator(sandbox, enabled=False), "wrong")

    assert "disabled" not in page.text


def test_account_is_locked_by_wrong_passwords_and_unlocked_by_time(sandbox: Sandbox, http: httpx.Client):
    application, username = console(sandbox), administrator(sandbox)
    for _ in range(5):
        assert "is wrong" in try_password(http, application, username, "wrong").text

    assert "Too many wrong passwords" in try_password(http, application, username, PASSWORD).text

    sandbox.sql(
        """UPDATE sandbox_user SET password_unlock_at = datetime(password_unlock_at, '-901 seconds')
        WHERE username_key = ?""",
        username,
    )
    assert "is wrong" in try_password(http, application, username, "wrong").text, "one mistake does not lock again"
    assert try_password(http, application, username, PASSWORD).has_redirect_location


def test_sign_in_is_stored_with_the_user_and_as_a_session(sandbox: Sandbox, http: httpx.Client):
    application, username = console(sandbox), administrator(sandbox)
    http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

    back = sign_on(application.authorize_url(), username, browser=http)

    tokens = application.exchange(http, answer_of(back)["code"]).json()
    session = UUID(claims_of(sandbox, http, tokens["access_token"])["sid"])
    (stored,) = sandbox.sql("SELECT details FROM sandbox_session WHERE id = ?", session)
    details = json.loads(stored["details"])
    assert details["locations"][0]["remoteIp"] == "127.0.0.1"
    assert (details["browser"], details["operatingSystem"]) == ({"name": "Firefox"}, {"name": "Linux"})
    (user,) = sandbox.sql("SELECT last_sign_on_ip FROM sandbox_user WHERE username_key = ?", username)
    assert user["last_sign_on_ip"] == "127.0.0.1"


def test_sign_in_and_consent_are_not_asked_for_again(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    sign_on(application.authorize_url(), browser=http)

    assert "code" in answer_of(follow(http, application.authorize_url()).headers["Location"])
    assert "code" in answer_of(follow(http, application.authorize_url(prompt="none")).headers["Location"])


def test_consent_is_separate_for_each_application(sandbox: Sandbox, http: httpx.Client):
    sign_on(console(sandbox).authorize_url(), browser=http)
    other = console(sandbox, name="Another console")

    page = follow(http, other.authorize_url())
    silent = follow(http, other.authorize_url(prompt="none"))

    assert "Another console" in page.text
    assert "allow" in Form(page).buttons
    assert answer_of(silent.headers["Location"])["error"] == "consent_required"


def test_consent_is_asked_for_again_with_a_wider_scope(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    sign_on(application.authorize_url(scope="openid"), browser=http)

    assert "allow" in Form(follow(http, application.authorize_url(scope="openid email"))).buttons


def test_consent_ends_when_the_grant_is_revoked(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    code = answer_of(sign_on(application.authorize_url(), browser=http))["code"]
    refresh_token = application.exchange(http, code).json()["refresh_token"]

    http.post(f"{sandbox.issuer}/revoke", data={"token": refresh_token}, auth=application.basic)

    assert "allow" in Form(follow(http, application.authorize_url())).buttons


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}], ids=str)
def test_new_sign_in_can_be_requested_and_is_asked_for_once(sandbox: Sandbox, http: httpx.Client, wish: dict[str, str]):
    application, username = console(sandbox), administrator(sandbox)
    sign_on(application.authorize_url(), browser=http)

    assert "sign_on" in Form(follow(http, application.authorize_url(**wish))).buttons
    back = sign_on(application.authorize_url(**wish), username, browser=http)

    tokens = application.exchange(http, answer_of(back)["code"]).json()
    assert claims_of(sandbox, http, tokens["id_token"])["preferred_username"] == username


def test_consent_can_be_requested_again(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    sign_on(application.authorize_url(), browser=http)

    assert "allow" in Form(follow(http, application.authorize_url(prompt="consent"))).buttons
    assert "code" in answer_of(sign_on(application.authorize_url(prompt="login consent"), browser=http))


@pytest.mark.parametrize("nonsense", ["x", "-1", "9" * 1000, "१"])
def test_invalid_max_age_is_ignored(sandbox: Sandbox, http: httpx.Client, nonsense: str):
    application = console(sandbox)
    sign_on(application.authorize_url(), browser=http)

    back = follow(http, application.authorize_url(max_age=nonsense))

    assert "code" in answer_of(back.headers["Location"])


def test_login_hint_fills_in_the_username(sandbox: Sandbox, http: httpx.Client):
    page = follow(http, console(sandbox).authorize_url(login_hint="rosa.reader"))

    assert Form(page).fields["username"] == "rosa.reader"


def test_cancelled_sign_in_is_access_denied(sandbox: Sandbox, http: httpx.Client):
    page = follow(http, console(sandbox).authorize_url())

    back = Form(page).submit(http, "cancel").headers["Location"]

    assert (answer_of(back)["error"], answer_of(back)["state"]) == ("access_denied", "the state")


def test_user_without_administrator_role_is_told_and_returned_with_access_denied(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    page = try_password(http, application, "nils.norole", PASSWORD)

    page = follow(http, str(page.url.join(page.headers["Location"])))

    assert page.status_code == 403
    assert "nils.norole has no administrator role" in page.text
    assert Form(page).buttons == {"cancel"}
    assert answer_of(Form(page).submit(http, "cancel").headers["Location"])["error"] == "access_denied"
    silent = follow(http, application.authorize_url(prompt="none"))
    assert answer_of(silent.headers["Location"])["error"] == "access_denied"


def test_user_without_administrator_role_gets_no_code_by_a_forged_allow(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    page = try_password(http, application, "nils.norole", PASSWORD)
    form = Form(follow(http, str(page.url.join(page.headers["Location"]))))

    response = http.post(form.target, data={**form.fields, "action": "allow"})

    assert response.status_code == 403


ADMITTED = ("ada.admin", "enno.environment", "petra.partners", "ivan.identity")
KEPT_OUT = ("rosa.reader", "henk.helpdesk", "nils.norole")


@pytest.mark.parametrize("username", [*ADMITTED, *KEPT_OUT])
def test_admin_only_access_admits_four_roles(sandbox: Sandbox, http: httpx.Client, username: str):
    for_administrators, for_everybody = console(sandbox), console(sandbox, admin_users_only=False)
    sign_on(for_everybody.authorize_url(), username, browser=http)

    silent = follow(http, for_administrators.authorize_url(prompt="none"))

    expected = "consent_required" if username in ADMITTED else "access_denied"
    assert answer_of(silent.headers["Location"])["error"] == expected


def test_role_held_through_a_group_makes_an_administrator(sandbox: Sandbox):
    username = administrator(sandbox)
    (user,) = sandbox.sql("SELECT id, environment_id FROM sandbox_user WHERE username_key = ?", username)
    group = UUID(int=UUID(user["id"]).int ^ 1)
    sandbox.sql(
        """INSERT INTO sandbox_group (id, environment_id, name, description, external_id, custom_data, user_filter,
        source_type, created_at, updated_at)
        VALUES (?, ?, 'Admins', '', '', '{}', '', '', '2026-01-01', '2026-01-01')""",
        group,
        user["environment_id"],
    )
    sandbox.sql("INSERT INTO sandbox_groupmembership (group_id, user_id) VALUES (?, ?)", group, user["id"])
    sandbox.sql("UPDATE sandbox_roleassignment SET user_id = NULL, group_id = ? WHERE user_id = ?", group, user["id"])

    assert "code" in answer_of(sign_on(console(sandbox).authorize_url(), username))


def test_consent_page_names_application_account_and_scopes(sandbox: Sandbox, http: httpx.Client):
    page = try_password(http, console(sandbox, name="Desk & Co"), "ada.admin", PASSWORD)
    page = follow(http, str(page.url.join(page.headers["Location"])))

    for text in ("Desk &amp; Co", "ada.admin", "<code>openid</code>", "<code>profile</code>", "<code>email</code>"):
        assert text in page.text


HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}\"'"


def test_hostile_text_is_shown_as_text(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, name=HOSTILE, scopes=["openid", "<b>"])
    url = application.authorize_url(login_hint=HOSTILE, state=HOSTILE, scope="openid <b>")

    first = follow(http, url)
    again = Form(first).submit(http, "sign_on", username=HOSTILE, password="x")
    page = Form(again).submit(http, "sign_on", username="ada.admin", password=PASSWORD)
    consent = follow(http, str(page.url.join(page.headers["Location"])))

    assert Form(again).fields["username"] == HOSTILE
    for text in (first.text, again.text, consent.text):
        assert "<script" not in text
        assert "<b>" not in text
        assert "{{ 7|add:7 }}" in text
    assert answer_of(Form(consent).submit(http, "allow").headers["Location"])["state"] == HOSTILE


@pytest.mark.parametrize("action", ["sign_on", "allow", "cancel"])
def test_forged_form_is_refused(sandbox: Sandbox, http: httpx.Client, action: str):
    application = console(sandbox)
    if action == "allow":
        sign_on(application.authorize_url(), browser=http)
    page = "consent" if action == "allow" else "sign-on"
    target = application.authorize_url().replace("/as/authorize", f"/as/{page}")

    response = http.post(target, data={"action": action, "username": "ada.admin", "password": PASSWORD})

    assert response.status_code == 403
    assert "Location" not in response.headers


def test_pages_cannot_be_cached_framed_or_scripted(sandbox: Sandbox, http: httpx.Client):
    page = follow(http, console(sandbox).authorize_url())

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text
    assert "<style" not in page.text


def test_stylesheet_is_served(sandbox: Sandbox, http: httpx.Client):
    assert http.get(f"{sandbox.url}/assets/pages.css").headers["Content-Type"].startswith("text/css")


def test_session_cookie_does_not_collide_with_the_cookies_of_the_console(sandbox: Sandbox, http: httpx.Client):
    response = try_password(http, console(sandbox), "ada.admin", PASSWORD)

    (cookie,) = [value for value in response.headers.get_list("Set-Cookie") if value.startswith("sandbox_sign_on=")]
    assert f"Path=/{sandbox.details['environment_id']}/as;" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert {"sessionid", "csrftoken"}.isdisjoint(http.cookies)


def test_made_up_session_cookie_is_no_session(sandbox: Sandbox, http: httpx.Client):
    application, path = console(sandbox), f"/{sandbox.details['environment_id']}/as"
    (ada,) = sandbox.sql("SELECT id FROM sandbox_user WHERE username_key = 'ada.admin'")
    sign_on(application.authorize_url())
    (session, *_) = sandbox.sql("SELECT id FROM sandbox_session WHERE user_id = ?", ada["id"])

    http.cookies.set("sandbox_sign_on", str(UUID(session["id"])), domain="127.0.0.1", path=path)

    assert "sign_on" in Form(follow(http, application.authorize_url())).buttons


def test_session_is_valid_only_in_its_own_environment(sandbox: Sandbox, http: httpx.Client):
    elsewhere = sandbox.details["managed_environment_id"]
    application = console(sandbox, environment_id=UUID(elsewhere), admin_users_only=False)
    sign_on(console(sandbox).authorize_url(), browser=http)

    http.cookies.set("sandbox_sign_on", http.cookies["sandbox_sign_on"], domain="127.0.0.1", path=f"/{elsewhere}/as")
    address = application.authorize_url().replace(sandbox.details["environment_id"], elsewhere)

    assert "sign_on" in Form(follow(http, address)).buttons


def test_session_ends_when_the_user_is_deactivated(sandbox: Sandbox, http: httpx.Client):
    application, username = console(sandbox), administrator(sandbox)
    sign_on(application.authorize_url(), username, browser=http)
    sandbox.sql("UPDATE sandbox_user SET enabled = 0 WHERE username_key = ?", username)

    assert "sign_on" in Form(follow(http, application.authorize_url())).buttons
