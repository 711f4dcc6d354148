"""Attacks on account recovery, which anybody can open. Each story: who does what, and what must not come of it.

Every story was seen to succeed with its guard taken out, which `test_story_would_succeed_without_the_guard` repeats.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from console.models import Organization, ProtectedMark, RecoveryAttempt, RecoveryPolicy, RecoverySettings
from console.operators.attempt_limit import Limit
from console.recovery import attempts, codes, devices, look_up, operations, rules, throttle
from pingone_integration.values import pingone_time
from tests.support.answers import ADA, BO, ada
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.recovering import (
    DEVICE_CODE,
    LONG_AGO,
    NEW_PASSWORD,
    PersonAtPages,
    RecoveryEnvironment,
    device,
    mocked_environment,
    switch_on,
)

pytestmark = pytest.mark.django_db(transaction=True)

Step = RecoveryAttempt.Step
WITHOUT_LIMIT = Limit("without", 10_000, 60)


@dataclass
class Scene:
    """The owner's browser, the stranger's, and the organization with its PingOne."""

    acme: Organization
    environment: RecoveryEnvironment
    owner: PersonAtPages
    stranger: PersonAtPages

    def password_is_changed(self) -> bool:
        return bool(self.environment.set_passwords)

    def is_proven(self) -> bool:
        return RecoveryAttempt.objects.filter(user_id__isnull=False).exists()


@pytest.fixture
def scene(acme: Organization, globex: Organization) -> Iterator[Scene]:
    with mocked_environment() as environment:
        switch_on(acme)
        switch_on(globex)
        yield Scene(acme, environment, PersonAtPages(), PersonAtPages(network="203.0.113.9"))


def guess_on(scene: Scene) -> None:
    scene.stranger.start()
    for _ in range(100):
        codes.check(scene.stranger.attempt, "AAAA-AAAA")
    assert scene.environment.password_of(ADA)["status"] == "PASSWORD_LOCKED_OUT"
    assert scene.environment.operations == []
    scene.stranger.post("code", code=scene.owner.code())  # the guess that would be right in the end


def use_the_code_in_another_browser(scene: Scene) -> None:
    scene.owner.start()
    scene.stranger.post("code", code=scene.owner.code())
    scene.stranger.choose_password()


def use_a_proven_attempt_in_another_organization(scene: Scene) -> None:
    scene.owner.prove()
    there = PersonAtPages(org="globex")
    there.client.cookies = scene.owner.client.cookies
    there.choose_password()


def replay_the_code_in_an_attempt_of_ones_own(scene: Scene) -> None:
    scene.stranger.start()
    code = scene.owner.code()
    scene.owner.prove()  # with a code of a later email
    scene.stranger.post("code", code=code)
    scene.stranger.choose_password()


def change_the_address_between_code_and_password(scene: Scene) -> None:
    scene.owner.prove()
    scene.environment.users[ADA] = ada(email="thief@mail.test")
    scene.owner.choose_password()


def move_to_another_population_between_code_and_password(scene: Scene) -> None:
    """Where recovery is on as well, perhaps under weaker rules."""
    switch_on(scene.acme, BO)
    scene.owner.prove()
    scene.environment.users[ADA] = ada(population={"id": str(BO)}, _embedded={})
    scene.owner.choose_password()


def change_the_password_between_code_and_password(scene: Scene) -> None:
    scene.owner.prove()
    scene.environment.password_of(ADA)["lastChangedAt"] = "2026-11-28T00:00:00.000Z"
    scene.owner.choose_password()


def change_the_address_then_recover_by_it(scene: Scene) -> None:
    scene.owner.start()
    scene.environment.users[ADA] = ada(email="thief@mail.test")
    scene.stranger.start()


def recover_an_administrator(scene: Scene) -> None:
    scene.environment.roles.add(ADA)
    scene.stranger.start()


def recover_a_protected_user(scene: Scene) -> None:
    by = make_operator("admin@acme.test")
    ProtectedMark.objects.create(organization=scene.acme, kind="user", target_id=ADA, reason="Chair", marked_by=by)
    scene.stranger.start()


def recover_a_deactivated_user(scene: Scene) -> None:
    scene.environment.users[ADA] = ada(enabled=False)
    scene.stranger.start()


def recover_a_user_of_another_provider(scene: Scene) -> None:
    scene.environment.users[ADA] = ada(identityProvider={"id": str(BO), "type": "GOOGLE"})
    scene.stranger.start()


def shut_the_owner_out(scene: Scene) -> None:
    last_sign_on = {"at": "2026-11-20T06:41:12.903Z", "remoteIp": "198.51.100.99"}
    scene.environment.users[ADA] = ada(lastSignOn=last_sign_on)
    for number in range(throttle.MAILS.most + 1):
        stranger = PersonAtPages(network=f"203.0.{number}.9")
        stranger.start()
        stranger.post("code", code="AAAA-AAAA")
    scene.owner.start()


def owner_is_shut_out(scene: Scene) -> bool:
    return RecoveryAttempt.objects.filter(network="198.51.100.0/24", code_sent=False).exists()


def fill_the_mailbox(scene: Scene) -> None:
    for number in range(8):
        scene.stranger.client.defaults["HTTP_USER_AGENT"] = f"Browser {number}"
        scene.stranger.start()


def start_without_end(scene: Scene) -> None:
    for number in range(63):
        scene.stranger.start(f"nobody.{number}", worker=False)


def keep_the_sessions_of_a_thief(scene: Scene) -> None:
    scene.owner.prove()
    scene.owner.choose_password()


def with_device(scene: Scene) -> None:
    RecoveryPolicy.objects.update(demands_device=True)
    scene.environment.devices = [device()]


def skip_the_device(scene: Scene) -> None:
    with_device(scene)
    scene.stranger.prove()
    scene.stranger.choose_password()


def prove_a_device_of_somebody_else(scene: Scene) -> None:
    with_device(scene)
    scene.stranger.prove()
    scene.stranger.ask_device(9)
    scene.stranger.post("device/code", code=DEVICE_CODE)
    scene.stranger.choose_password()


def pair_a_device_then_recover(scene: Scene) -> None:
    with_device(scene)
    scene.environment.devices = [device(createdAt=pingone_time(timezone.now() - timedelta(hours=1)))]
    scene.stranger.prove()
    scene.stranger.ask_device()
    scene.stranger.post("device/code", code=DEVICE_CODE)
    scene.stranger.choose_password()


def guess_device_codes(scene: Scene) -> None:
    with_device(scene)
    for attempt in range(3):
        guesser = PersonAtPages(network=f"203.0.{attempt}.9")
        guesser.prove()
        guesser.ask_device()
        for guess in range(2):
            guesser.post("device/code", code=f"00000{guess}")


def codes_are_many(scene: Scene) -> bool:
    return len(scene.environment.checked_codes) > 3


def devices_of_everybody(*_args: Any) -> list[devices.Choice]:
    return [devices.Choice(id=UUID(int=0xD09), label="", nickname="", makes_codes=False)]


def whoever(attempt: RecoveryAttempt) -> str:
    return str(attempt.pk)


def with_pingone_code(scene: Scene) -> None:
    RecoverySettings.objects.create(organization=scene.acme, uses_pingone_code=True)
    scene.environment.passwords[ADA] = {"status": "OK", "lastChangedAt": LONG_AGO}


def guess_pingone_codes(scene: Scene) -> None:
    with_pingone_code(scene)
    for attempt in range(3):
        guesser = PersonAtPages(network=f"203.0.{attempt}.9")
        guesser.start()
        for guess in range(3):
            guesser.answer(f"WRONG{guess}")


def guess_for_the_locked(scene: Scene) -> None:
    with_pingone_code(scene)
    scene.stranger.start()
    scene.environment.passwords[ADA]["status"] = "PASSWORD_LOCKED_OUT"
    scene.stranger.answer("WRONG")


def pingone_saw_a_code(scene: Scene) -> bool:
    return bool(scene.environment.checked_codes)


def pass_the_new_password_in_plain(scene: Scene) -> None:
    with_pingone_code(scene)
    scene.owner.start()
    scene.owner.answer(worker=False)


def database_shows_the_password(_scene: Scene) -> bool:
    return NEW_PASSWORD in str(list(RecoveryAttempt.objects.values()))


def plainly(_attempt: RecoveryAttempt, _column: str, secret: str) -> str:
    return secret


Patch = Callable[[pytest.MonkeyPatch], None]


def put(target: Any, name: str, value: Any) -> Patch:
    return lambda patch: patch.setattr(target, name, value)


def never(*_args: Any) -> None:
    return None


def latest(_organization: Organization, _key: str) -> RecoveryAttempt | None:
    return RecoveryAttempt.objects.order_by("-started_at").first()


def of_any_organization(_organization: Organization, key: str) -> RecoveryAttempt | None:
    return RecoveryAttempt.objects.filter(key_hash=attempts._hash(key)).first()


def without_organizations(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attempts, "current", of_any_organization)
    patch.setattr(rules, "is_as_seen", always)


def always(*_args: Any) -> bool:
    return True


def no(*_args: Any) -> bool:
    return False


def starts_are_many(scene: Scene) -> bool:
    return RecoveryAttempt.objects.filter(organization=scene.acme).count() > 60


def mails_are_many(scene: Scene) -> bool:
    return len([email for email in sent_emails() if email.to == [scene.environment.users[ADA]["email"]]]) > 3


def without_limits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(throttle, "allows_form", always)
    patch.setattr(throttle, "allows_beginning", always)
    for name in ("MAILS_OF_NETWORK", "MAILS", "MAILS_TO_UNKNOWN_NETWORKS", "ASKED"):
        patch.setattr(throttle, name, Limit(name, 10_000, 60))


def one_code(*_args: Any) -> str:
    return "AAAABBBB"


def one_code_for_all(patch: pytest.MonkeyPatch) -> None:
    """Forget which attempt a code is of, and that it was used."""
    patch.setattr(codes, "_derived", one_code)
    patch.setattr(attempts, "end", no)


@dataclass(frozen=True)
class Story:
    title: str
    happens: Callable[[Scene], object]
    succeeds: Callable[[Scene], bool]
    open_guard: Patch


def mailed(scene: Scene) -> bool:
    return any(scene.acme.name in email.body and "code is" in email.body for email in sent_emails())


def mailed_the_thief(scene: Scene) -> bool:
    return mailed(scene) and any(email.to == ["thief@mail.test"] for email in sent_emails())


STORIES = [
    Story("Guess codes until one is right", guess_on, Scene.is_proven, put(attempts, "TRIES", 1_000)),
    Story(
        "Use the owner's code in another browser",
        use_the_code_in_another_browser,
        Scene.password_is_changed,
        put(attempts, "current", latest),
    ),
    Story(
        "Use an attempt in another organization",
        use_a_proven_attempt_in_another_organization,
        Scene.password_is_changed,
        without_organizations,
    ),
    Story(
        "Replay a code after another one was used",
        replay_the_code_in_an_attempt_of_ones_own,
        Scene.password_is_changed,
        one_code_for_all,
    ),
    Story(
        "Go on after the address was changed",
        change_the_address_between_code_and_password,
        Scene.password_is_changed,
        put(rules, "is_as_seen", always),
    ),
    Story(
        "Go on after a move to another population",
        move_to_another_population_between_code_and_password,
        Scene.password_is_changed,
        put(rules, "is_as_seen", always),
    ),
    Story(
        "Go on after the password was changed",
        change_the_password_between_code_and_password,
        Scene.password_is_changed,
        put(rules, "is_as_seen", always),
    ),
    Story(
        "Change the address, then recover by it",
        change_the_address_then_recover_by_it,
        mailed_the_thief,
        put(rules, "is_new_contact", no),
    ),
    Story("Recover an administrator", recover_an_administrator, mailed, put(rules, "stop_by_state", never)),
    Story("Recover a protected user", recover_a_protected_user, mailed, put(rules, "stop_by_state", never)),
    Story("Recover a deactivated user", recover_a_deactivated_user, mailed, put(rules, "stop_by_user", never)),
    Story(
        "Recover a user of another provider",
        recover_a_user_of_another_provider,
        mailed,
        put(rules, "stop_by_user", never),
    ),
    Story(
        "Use up the owner's emails from elsewhere",
        shut_the_owner_out,
        owner_is_shut_out,
        put(throttle, "MAILS_TO_UNKNOWN_NETWORKS", WITHOUT_LIMIT),
    ),
    Story("Fill the owner's mailbox", fill_the_mailbox, mails_are_many, without_limits),
    Story(
        "Start without end",
        start_without_end,
        starts_are_many,
        without_limits,
    ),
    Story("Skip the device", skip_the_device, Scene.password_is_changed, put(rules, "needs_device", no)),
    Story(
        "Prove a device of somebody else",
        prove_a_device_of_somebody_else,
        Scene.password_is_changed,
        put(devices, "choices", devices_of_everybody),
    ),
    Story(
        "Pair a device, then recover",
        pair_a_device_then_recover,
        Scene.password_is_changed,
        put(devices, "proves", always),
    ),
    Story(
        "Guess codes of a device over several attempts",
        guess_device_codes,
        codes_are_many,
        put(devices, "_whose", whoever),
    ),
    Story(
        "Guess codes of PingOne over several attempts",
        guess_pingone_codes,
        codes_are_many,
        put(throttle, "PINGONE_CODES", WITHOUT_LIMIT),
    ),
    Story(
        "Guess codes of PingOne for somebody who is locked",
        guess_for_the_locked,
        pingone_saw_a_code,
        put(rules, "stop_by_pingone", never),
    ),
    Story(
        "Read the new password while it waits",
        pass_the_new_password_in_plain,
        database_shows_the_password,
        put(RecoveryAttempt, "seal", plainly),
    ),
    Story(
        "Stay signed in as the owner",
        keep_the_sessions_of_a_thief,
        lambda scene: bool(scene.environment.sessions),
        put(operations, "end_sessions", operations.unlock_password),
    ),
]
EACH = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)


@EACH
def test_story_fails(scene: Scene, story: Story) -> None:
    story.happens(scene)

    assert not story.succeeds(scene)


@EACH
def test_story_would_succeed_without_the_guard(scene: Scene, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.open_guard(monkeypatch)
    story.happens(scene)

    assert story.succeeds(scene)


STEPS = {
    "code": {"code": "AAAA-AAAA"},
    "code/again": {},
    "choice": {"choice": "unlock"},
    "password": {"new_password": NEW_PASSWORD, "again": NEW_PASSWORD},
    "answer": {"code": "K7MP42QX", "new_password": NEW_PASSWORD, "again": NEW_PASSWORD},
    "device": {"device": str(UUID(int=0xD01))},
    "device/code": {"code": DEVICE_CODE},
    "restart": {},
}


@pytest.mark.parametrize("step", STEPS)
def test_no_step_can_be_skipped(scene: Scene, step: str) -> None:
    scene.stranger.start()
    scene.stranger.post("choice", choice="password")
    scene.stranger.post(step, **STEPS[step], user_id=str(ADA), state="proven", user=str(ADA))

    assert not scene.is_proven()
    assert scene.environment.operations == []


def test_choice_is_that_of_the_row(scene: Scene) -> None:
    scene.owner.prove()
    scene.owner.post("password", new_password=NEW_PASSWORD, again=NEW_PASSWORD, choice="password")

    assert scene.environment.operations == []


def test_reading_changes_nothing(scene: Scene) -> None:
    """Scanners open the links of emails, and every address they find."""
    scene.owner.start()
    before = RecoveryAttempt.objects.values().get()
    answers = [scene.owner.client.get(f"/recover/acme/{step}/") for step in (*STEPS, "start")]
    scene.owner.see()

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/recover/acme/")}
    assert RecoveryAttempt.objects.values().get() == before


def test_links_in_mails_ignore_the_host_header(scene: Scene, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    scene.stranger.client.defaults["HTTP_HOST"] = "evil.test"
    scene.stranger.start()

    [email] = sent_emails()
    assert "evil.test" not in f"{email.body}{email.subject}"
    assert f"{settings.PUBLIC_URL}/recover/acme/" in email.body


@pytest.mark.parametrize("typed", ["ada.berg", "no.body"])
def test_dead_mail_server_and_limits_tell_nothing(scene: Scene, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: Any, **more: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuses)
    answers = [scene.stranger.start(typed) for _ in range(throttle.ASKED.most + 2)]
    sent_emails()

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/recover/acme/")}
    assert "Enter the code" in scene.stranger.see()


def test_operator_who_views_as_somebody_keeps_nobody_from_recovering(scene: Scene) -> None:
    scene.owner.client.force_login(make_operator("agent@acme.test", scene.acme, "helpdesk_agent"))
    session = scene.owner.client.session
    session["viewing-as"] = {"organization": str(scene.acme.pk), "membership": 1}
    session.save()
    scene.owner.prove()

    assert scene.is_proven()


def test_session_over_tls_is_bound_to_the_host(scene: Scene, settings: Any) -> None:
    settings.SERVED_OVER_TLS = True
    settings.RECOVERY_COOKIE_NAME = "__Host-recovery"
    scene.owner.client.defaults["wsgi.url_scheme"] = "https"
    scene.owner.prove()
    cookie = scene.owner.client.cookies["__Host-recovery"]
    assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
    assert "recovery" not in scene.owner.client.cookies
    scene.stranger.client.cookies["recovery"] = cookie.value  # as a plain connection could set it
    assert "Username or email address" in scene.stranger.see()
    scene.owner.choose_password()
    assert scene.password_is_changed()

    scene.owner.start()
    ended = scene.owner.post("restart").cookies["__Host-recovery"]
    assert (ended["max-age"], ended["secure"], ended["path"]) == (0, True, "/")


def test_session_of_recovery_is_never_an_operators(scene: Scene, browser_of: Any) -> None:
    operator = make_operator("agent@acme.test", scene.acme, "helpdesk_agent")
    scene.owner.client.force_login(operator)
    scene.owner.prove()
    scene.owner.choose_password()
    assert scene.password_is_changed()

    cookie = scene.owner.client.cookies["recovery"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    scene.owner.client.logout()
    assert scene.owner.client.get("/o/acme/users/").status_code == 302
    assert settings.SESSION_COOKIE_NAME != "recovery"
    assert look_up.run_due() == 0
