"""A session that somebody found: in a backup, on a desk that was left, in a tab that stays open."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import time_machine
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from console.models import Operator, Organization
from console.sessions.store import BEGAN, SessionStore, key_of

PASSWORD = "correct horse battery"
PAGE = "/o/acme/settings/members/"
IN_COOKIE = settings.SESSION_COOKIE_NAME


def sign_in(client: Client) -> None:
    client.post("/accounts/login/", {"login": "admin@acme.test", "password": PASSWORD})
    assert is_in(client)


def is_in(client: Client, **headers: str) -> bool:
    return client.get(PAGE, headers=headers).status_code == 200


def after(**passed: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**passed))


def test_keys_in_the_database_open_no_session(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    token = client.cookies[IN_COOKIE].value
    stored = {*Session.objects.values_list("pk", flat=True), *UserSession.objects.values_list("session_key", flat=True)}

    assert len(stored) == 1
    for key in (*stored, token[:40], ""):
        thief = Client()
        thief.cookies[IN_COOKIE] = key
        assert not is_in(thief)
    assert token not in str(list(Session.objects.values())) + str(list(UserSession.objects.values()))
    assert is_in(client)


def test_session_of_the_version_before_ends(client: Client, org_admin: Operator) -> None:
    """Its key was in the cookie and in the database, so whoever has a backup of that time has the session."""
    sign_in(client)
    row = Session.objects.get()
    old = "0123456789abcdef0123456789abcdef"
    Session.objects.create(session_key=old, session_data=row.session_data, expire_date=row.expire_date)
    UserSession.objects.create(session_key=old, user=org_admin, ip="203.0.113.1", user_agent="")
    client.cookies[IN_COOKIE] = old

    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    sign_in(client)
    assert client.get("/accounts/sessions/").status_code == 200


def test_unused_session_ends_after_half_an_hour(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    with after(minutes=29):
        assert is_in(client)
    with after(minutes=58):
        assert is_in(client)  # it was used
    with after(minutes=58 + 31):
        assert not is_in(client)


def test_open_page_that_asks_by_itself_keeps_no_session_alive(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    with after(minutes=20):
        client.get(f"{PAGE}?was=running", headers={"HX-Request": "true"})
    with after(minutes=31):
        asked = client.get(f"{PAGE}?was=running", headers={"HX-Request": "true"})
        assert asked["HX-Redirect"].startswith("/accounts/login/")


def test_fragments_that_an_operator_asks_for_keep_it_alive(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    with after(minutes=20):
        client.get(PAGE, headers={"HX-Request": "true"})
    with after(minutes=45):
        assert is_in(client)


def test_session_in_constant_use_ends_after_twelve_hours(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    for minutes in range(25, 12 * 60, 25):
        with after(minutes=minutes):
            client.post("/theme/", {"theme": "dark"})
            changed = client.session
            changed["ticket"] = minutes  # each change used to add twelve hours
            changed.save()
            assert is_in(client)
    with after(hours=12, minutes=1):
        assert not is_in(client)


def test_hours_count_from_the_sign_in_and_not_from_the_visit_before(client: Client, org_admin: Operator) -> None:
    client.get("/accounts/login/")
    client.session.save()
    began = client.session[BEGAN]
    with after(minutes=25):
        sign_in(client)
        assert client.session[BEGAN] >= began + 25 * 60 - 1


def test_organization_ends_unused_sessions_sooner(client: Client, acme: Organization, org_admin: Operator) -> None:
    Organization.objects.filter(pk=acme.pk).update(session_idle_minutes=10)
    sign_in(client)

    with after(minutes=9):
        assert is_in(client)
    with after(minutes=20):
        assert not is_in(client)
        assert client.get("/")["Location"].startswith("/accounts/login/")  # the session is over, not only this page


def test_organization_ends_old_sessions_sooner(client: Client, acme: Organization, org_admin: Operator) -> None:
    Organization.objects.filter(pk=acme.pk).update(session_hours=1)
    sign_in(client)

    for minutes in (25, 50):
        with after(minutes=minutes):
            assert is_in(client)
    with after(minutes=60):
        assert not is_in(client)


def test_signing_in_again_changes_the_key_and_keeps_the_session(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    thief = Client()
    thief.cookies[IN_COOKIE] = client.cookies[IN_COOKIE].value
    assert is_in(thief)

    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert is_in(client)
    assert not is_in(thief)
    assert UserSession.objects.get().session_key == client.session.session_key == Session.objects.get().pk
    assert "This session" in client.get("/accounts/sessions/").text


def test_sign_out_clears_what_the_browser_keeps(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    thief = Client()
    thief.cookies[IN_COOKIE] = client.cookies[IN_COOKIE].value

    assert client.post("/accounts/logout/")["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(thief)
    assert not Session.objects.filter(pk=key_of(thief.cookies[IN_COOKIE].value)).exists()


def test_other_sessions_end_from_the_list(client: Client, org_admin: Operator) -> None:
    sign_in(client)
    other = Client()
    sign_in(other)

    client.post("/accounts/sessions/")

    assert (is_in(client), is_in(other)) == (True, False)


def test_token_is_long_and_no_two_are_the_same(db: None, browser_of: Callable[[Operator], Client]) -> None:
    first, second = SessionStore(), SessionStore()
    first.save()
    second.save()

    assert first.token != second.token
    assert len(str(first.token)) >= 43


def test_every_template_that_polls_says_so() -> None:
    polling = [path for path in Path(settings.BASE_DIR, "templates").rglob("*.html") if '"every ' in path.read_text()]

    assert polling
    assert [path.name for path in polling if "?was=" not in path.read_text()] == []
