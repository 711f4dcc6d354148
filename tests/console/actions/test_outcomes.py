"""Outcomes of the whole catalogue: every action and role, by page, fragment and command, with every failure.

Every action is tested for its request and its roles. Each failure is tested by page, fragment and command with one
action; those that the form shows, with one action of each shape (see `one_of_each_shape`); and each with the actions
that have their own error for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.cache import cache
from django.utils import timezone, translation
from django.utils.functional import lazy

from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.failures.failure import status_of
from console.management.pingone import actions
from console.management.pingone.terminal import FAILED, REFUSED, UNKNOWN
from console.models import AuditEntry, Membership, Operator
from console.rights.roles import BUILT_IN
from pingone_integration import errors
from pingone_integration.connection import tokens
from pingone_integration.connection.refusals import (
    CodeRefused,
    GrantTypeOff,
    NotAWorker,
    WrongAuthenticationMethod,
    WrongClientSecret,
)
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection
from tests.support.answers import ADA, error
from tests.support.asking import (
    Answer,
    Ask,
    Directory,
    Told,
    Way,
    asking,
    directory_for,
    one_of_each_shape,
    sent,
    told_of,
    write_of,
)
from tests.support.people import API_URL
from tests.support.sign_on import ISSUER, discoverable
from tests.support.sign_on import tokens as issued

EVERY_ACTION = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
EVERY_SHAPE = pytest.mark.parametrize("action", one_of_each_shape(), ids=lambda action: action.key)
EVERY_WAY = pytest.mark.parametrize("way", Way)


def every_action_by_page_and_each_shape_by(*ways: Way) -> pytest.MarkDecorator:
    pairs = [(Way.PAGE, action) for action in ACTIONS]
    pairs += [(way, action) for way in ways for action in one_of_each_shape()]
    return pytest.mark.parametrize(
        ("way", "action"), [pytest.param(way, action, id=f"{way}-{action.key}") for way, action in pairs]
    )


@dataclass(frozen=True)
class Failure:
    """A possible answer of PingOne to a write, and the expected error."""

    answer: Answer
    error: type[PingOneError]
    unknown: bool = False


def _refused(status: int, code: str, detail: str = "", target: str = "", **headers: str) -> httpx.Response:
    return httpx.Response(status, json=error(code, detail, target), headers=headers)


FAILURES = {  # one for each error class, and for each way to lose an answer
    "400 of a value": Failure(_refused(400, "INVALID_DATA", "INVALID_VALUE", "title"), errors.InvalidValue),
    "400 of a value taken": Failure(
        _refused(400, "INVALID_DATA", "UNIQUENESS_VIOLATION", "username"), errors.Duplicate
    ),
    "400 of the state": Failure(_refused(400, "REQUEST_FAILED"), errors.RefusedByState),
    "403": Failure(_refused(403, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"), errors.MissingPermission),
    "403 of a gateway": Failure(httpx.Response(403, html="<h1>Forbidden</h1>"), errors.Blocked),
    "403 of the license": Failure(_refused(403, "REQUEST_LIMITED", "LICENSE_EXCEEDED"), errors.LicenseExceeded),
    "404": Failure(_refused(404, "NOT_FOUND"), errors.NotFound),
    "418": Failure(httpx.Response(418, text="a teapot"), errors.PingOneError),
    "429": Failure(_refused(429, "REQUEST_LIMITED", **{"Retry-After": "7"}), errors.RateLimited),
    "500": Failure(_refused(500, "UNEXPECTED_ERROR"), errors.Unavailable, unknown=True),
    "200 in HTML": Failure(httpx.Response(200, html="<h1>Welcome</h1>"), errors.Unavailable, unknown=True),
    "no answer in time": Failure(httpx.ReadTimeout("too late"), errors.Unavailable, unknown=True),
    "no connection": Failure(httpx.ConnectError("no route"), errors.ConnectionFailure),
}
OTHER_FAILURES = {  # differ only in how the client parses them, which is the same for all actions
    "400 without details": Failure(_refused(400, "INVALID_DATA"), errors.InvalidValue),
    "400 of no password": Failure(_refused(400, "INVALID_DATA", "NO_PASSWORD"), errors.RefusedByState),
    "401 of a role": Failure(_refused(401, "ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"), errors.MissingPermission),
    "415": Failure(_refused(415, "INVALID_REQUEST"), errors.RefusedByState),
    "302": Failure(httpx.Response(302, headers={"Location": "https://evil.test/"}), errors.Unavailable, unknown=True),
    "503 in HTML": Failure(httpx.Response(503, html="<h1>Sorry</h1>"), errors.Unavailable, unknown=True),
    "200 cut off": Failure(httpx.Response(200, text='{"id": "c0a8'), errors.Unavailable, unknown=True),
    "an answer cut off": Failure(httpx.RemoteProtocolError("cut off"), errors.Unavailable, unknown=True),
    "a request cut off": Failure(httpx.WriteError("cut off"), errors.Unavailable, unknown=True),
    "no connection in time": Failure(httpx.ConnectTimeout("no route"), errors.ConnectionFailure),
}
# The form of an action decides how the page shows these. All other failures take one path for all actions.
SHOWN_BY_THE_FORM = {"400 of a value", "400 of a value taken", "403", "404", "500", "no answer in time"}
FORGIVEN = {("sessions.end-all", errors.NotFound)}  # the session ended on its own in the meantime
SAID_BETTER: dict[tuple[str, type[PingOneError]], type[PingOneError]] = {
    (key, errors.RefusedByState): errors.UnlockFailure for key in ("user.unlock", "password.unlock", "device.unlock")
}
# States of a connection that prevent every call, by error.
STATES: dict[type[PingOneError], dict[str, Any]] = {
    errors.NotConnected: {"state": "disconnected"},
    errors.NoEnvironmentChosen: {"managed_environment_id": None},
    errors.InvalidApiUrl: {"auth_url": "https://evil.test"},
    errors.SealBroken: {"sealed_access_token": "somebody else's"},
    errors.BeingRenewed: {
        "access_token_expires_at": None,
        "lease_owner": uuid4(),
        "lease_until": timezone.now() + timedelta(hours=1),
    },
    errors.CallsPaused: {"calls_paused_until": timezone.now() + timedelta(hours=1)},
    **{
        kind: {"state": "reconnect_needed", "state_kind": kind.kind}
        for kind in (errors.TokenRefreshFailure, errors.NoRefreshToken, errors.AuthenticationError)
    },
}
STATES_BY_FORM = {errors.NotConnected, errors.CallsPaused}  # at least one of each status
ELSEWHERE: dict[type[PingOneError], str] = {  # errors that no action's call raises
    errors.SettingsIncomplete: "pressing Connect",
    errors.UnknownEnvironment: "pressing Connect",
    errors.SignOnUnverified: "coming back from PingOne",
    errors.StateRejected: "coming back from PingOne",
    **dict.fromkeys(
        (CodeRefused, GrantTypeOff, NotAWorker, WrongAuthenticationMethod, WrongClientSecret), "connecting"
    ),
    errors.StaleCursor: "the second page of a list",
    errors.TokenRejected: "an access token that is refused twice: a test of its own below",
    errors.OutOfTime: "a page that has waited ten seconds before: tests of its deadline",
    errors.Busy: "more requests at once than the connection has slots: tests of those",
    errors.ChangedMeanwhile: "decided here, before the write: tests of editing a profile",
}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def directory(request: pytest.FixtureRequest) -> Iterator[Directory]:
    """Mock Acme's environment so that the test's action succeeds. Nothing else can be reached."""
    values = request.node.callspec.params
    canned = directory_for(values["action"] if "action" in values else BY_KEY[values["key"]])
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=canned)
        yield canned


@pytest.fixture
def renewed(directory: Directory) -> Iterator[respx.Route]:
    """Mock PingOne's token endpoint, which issues a new access token."""
    with respx.mock(assert_all_called=False) as router:
        discoverable(router)
        router.route(url__startswith=API_URL).mock(side_effect=directory)
        yield router.post(f"{ISSUER}/token").respond(json=issued())


def is_first_shape(action: Action) -> bool:
    return action is one_of_each_shape()[0]


def latest() -> AuditEntry:
    return AuditEntry.objects.order_by("sequence").last() or pytest.fail("nothing is on record")


def may(operator: Operator, action: Action) -> bool:
    membership = Membership.objects.filter(operator=operator, organization__slug="acme").first()
    return membership is not None and action.key in BUILT_IN[membership.role].actions


def assert_done(told: Told, action: Action, way: Way, directory: Directory, **objects: str) -> None:
    assert told.status == {Way.PAGE: 302, Way.FRAGMENT: 200, Way.COMMAND: 0}[way] or action.secret_result
    if action.secret_result:
        assert told.status in {0, 200}
        assert directory.writes[-1].content.decode().split('"')[3] in told.text
    elif way is Way.COMMAND:
        assert told.text.startswith(told_of(action, "ada.berg", **objects))
    elif action.effect == {"exists": False}:
        assert told_of(action, "ada.berg") in told.text
        assert told.sent_to in {"", "/o/acme/users/"}
    else:
        assert told_of(action, "Ada Berg", **objects) in told.text
        assert 'id="account"' in told.text
        assert told.sent_to in {"", f"/o/acme/users/{ADA}/"}


def assert_on_record(action: Action, way: Way, operator: Operator, outcome: str, error_kind: str = "") -> None:
    entry = latest()
    assert (entry.action, entry.outcome, entry.error_kind) == (action.key, outcome, error_kind)
    assert (entry.operator, entry.operator_email) == (operator, operator.email)
    assert entry.channel == ("command" if way is Way.COMMAND else "page")
    assert entry.subject_id == (str(ADA) if action.needs_user or outcome == "succeeded" else "")


@EVERY_ACTION
@EVERY_WAY
def test_action_sends_the_request_of_the_catalogue_and_is_on_record(action, way, org_admin, directory):
    told = asking(way, org_admin)(action, ticket="INC1", reason="Asked for")

    assert_done(told, action, way, directory)
    assert_on_record(action, way, org_admin, "succeeded")
    assert [sent(request) for request in directory.writes] == [write_of(action)]
    assert directory.writes[0].headers["X-Ping-External-Transaction-ID"] == str(latest().entry)
    assert (latest().ticket, latest().reason) == ("INC1", "Asked for")
    assert [row.outcome for row in AuditEntry.objects.order_by("sequence")] == ["started", "succeeded"]


@pytest.mark.parametrize("key", ["user.unlock"])
def test_command_prints_the_notice_in_english(key, monkeypatch, org_admin, directory):
    action = replace(BY_KEY[key], told=lazy(translation.get_language, str)())
    monkeypatch.setattr(actions, "ACTIONS", (action,))

    with translation.override("de"):
        told = asking(Way.COMMAND, org_admin)(action)

    assert told.text == "en\n"


@every_action_by_page_and_each_shape_by(Way.FRAGMENT, Way.COMMAND)
def test_action_runs_only_for_permitted_roles(subtests, action, way, helpdesk, auditor, stranger, directory):
    for operator in (helpdesk, auditor, stranger, None):
        with subtests.test(operator=str(operator)):
            directory.requests.clear()
            entries = AuditEntry.objects.exclude(action="access.refused").count()

            told = asking(way, operator)(action)

            if operator and may(operator, action):
                assert_done(told, action, way, directory)
                assert_on_record(action, way, operator, "succeeded")
                continue
            assert AuditEntry.objects.exclude(action="access.refused").count() == entries
            assert directory.requests == []
            assert "Acme" not in told.text or operator is auditor or operator is helpdesk
            if way is Way.COMMAND:
                assert told.status == REFUSED
            elif operator is None:
                assert told.sent_to == "/accounts/login/"
            else:
                assert told.status == (404 if operator is stranger else 403)


@EVERY_SHAPE
@EVERY_WAY
def test_failure_is_shown_and_on_record_and_the_write_is_not_repeated(subtests, action, way, org_admin, directory):
    ask = asking(way, org_admin)
    for name, failure in FAILURES.items():
        if (action.key, failure.error) in FORGIVEN:
            continue
        if is_first_shape(action) or name in SHOWN_BY_THE_FORM:
            with subtests.test(answer=name):
                assert_it_fails(ask, action, way, org_admin, directory, failure)


@pytest.mark.parametrize(("key", "kind"), SAID_BETTER)
@EVERY_WAY
def test_unlock_action_has_its_own_error(key, kind, way, org_admin, directory):
    (failure,) = (failure for failure in FAILURES.values() if failure.error is kind)

    assert_it_fails(asking(way, org_admin), BY_KEY[key], way, org_admin, directory, failure)


@pytest.mark.parametrize(("key", "kind"), FORGIVEN)
@EVERY_WAY
def test_action_succeeds_if_the_failure_means_it_is_already_done(key, kind, way, org_admin, directory):
    (failure,) = (failure for failure in FAILURES.values() if failure.error is kind)
    directory.answers, directory.effect_of_others = [failure.answer], True

    told = asking(way, org_admin)(BY_KEY[key])

    assert_done(told, BY_KEY[key], way, directory, sessions="0 sessions")
    assert_on_record(BY_KEY[key], way, org_admin, "succeeded")


@pytest.mark.parametrize("action", [BY_KEY["user.unlock"]], ids=[""])
@EVERY_WAY
def test_failure_in_another_format_is_shown_and_on_record(subtests, action, way, org_admin, directory):
    ask = asking(way, org_admin)
    for name, failure in OTHER_FAILURES.items():
        with subtests.test(answer=name):
            assert_it_fails(ask, action, way, org_admin, directory, failure)


def assert_it_fails(
    ask: Ask, action: Action, way: Way, operator: Operator, directory: Directory, failure: Failure
) -> None:
    Connection.objects.update(calls_closed_until=None)  # as if the pause after an earlier 429 were over
    directory.requests.clear()
    directory.answers = [failure.answer]

    told = ask(action)

    kind = SAID_BETTER.get((action.key, failure.error), failure.error)
    assert len(directory.writes) == 1
    assert_on_record(action, way, operator, "unknown" if failure.unknown else "failed", kind.kind)
    assert not [user for user in ("Ada Berg", "ada.berg") if told_of(action, user) in told.text]
    if failure.unknown:
        assert_told_to_look(told, action, way)
    else:
        assert_told_why(told, way, kind)
    if kind is errors.RateLimited:
        assert "Try again in 7 seconds." in told.text


def assert_told_to_look(told: Told, action: Action, way: Way) -> None:
    assert str(latest().entry) in told.text  # the transaction ID at PingOne
    assert "may have been made" in told.text
    if way is Way.COMMAND:
        assert told.status == UNKNOWN
    elif action.needs_user:
        assert told.status == (200 if way is Way.FRAGMENT else 302)
        assert 'id="account"' in told.text
    else:
        assert told.status == status_of(errors.Unavailable)
        assert 'name="look"' in told.text


def assert_told_why(told: Told, way: Way, error: type[PingOneError]) -> None:
    assert str(error.title) in told.text
    # The directory's user has no lock, which is the reason of a refused unlock.
    resolution = "If they still cannot sign in, check" if error is errors.UnlockFailure else str(error.resolution)
    is_paused = error in (errors.RateLimited, errors.CallsPaused)  # a page says for how long
    assert ("Try again in " if is_paused and way is not Way.COMMAND else resolution) in told.text
    assert told.status == (FAILED if way is Way.COMMAND else status_of(error))
    assert way is Way.COMMAND or f'data-failure="{error.kind}"' in told.text


@EVERY_SHAPE
@EVERY_WAY
def test_connection_problem_is_shown_before_anything_is_sent(subtests, monkeypatch, action, way, org_admin, directory):
    monkeypatch.setattr(tokens, "WAIT_S", 0)
    ask = asking(way, org_admin)
    good = Connection.objects.values().get()
    for kind, wrong in STATES.items():
        if not is_first_shape(action) and kind not in STATES_BY_FORM:
            continue
        with subtests.test(kind=kind.kind):
            Connection.objects.update(**(good | wrong))

            told = ask(action)

            assert directory.requests == []
            assert {entry.outcome for entry in AuditEntry.objects.current()} <= {"failed"}
            assert_told_why(told, way, kind)


def test_every_error_class_is_covered():
    covered = {failure.error for failure in FAILURES.values()} | {*SAID_BETTER.values(), *STATES, *ELSEWHERE}

    assert set(errors.kinds().values()) - covered == set()


@EVERY_SHAPE
@EVERY_WAY
def test_rejected_access_token_is_renewed_once(action, way, org_admin, directory, renewed):
    directory.rejected = "the-access-token"

    told = asking(way, org_admin)(action)

    assert renewed.call_count == 1
    authorized = [request.headers["Authorization"] for request in directory.writes]
    assert authorized == ["Bearer the-access-token", "Bearer new-access-token"]
    assert_done(told, action, way, directory)
    assert_on_record(action, way, org_admin, "succeeded")


@EVERY_SHAPE
@EVERY_WAY
def test_access_token_rejected_twice_is_not_renewed_again(action, way, org_admin, directory, renewed):
    directory.rejected = "the-access-token"
    directory.answers = [_refused(401, "ACCESS_FAILED", "INVALID_TOKEN")]

    told = asking(way, org_admin)(action)

    assert (renewed.call_count, len(directory.writes)) == (1, 2)
    assert_on_record(action, way, org_admin, "failed", "token-rejected")
    assert_told_why(told, way, errors.TokenRejected)


ALREADY: dict[str, tuple[Answer | None, str]] = {  # the answer to the first submission, and the notice of the second
    "done": (None, "This was already done."),
    "failed": (_refused(403, "ACCESS_FAILED"), "This was already submitted and failed."),
    "unknown": (httpx.ReadTimeout("too late"), "its outcome is unknown"),
}


@pytest.mark.parametrize(
    ("way", "action", "answer", "words"),
    [
        pytest.param(way, action, *ALREADY[name], id=f"{name}-{way}-{action.key}")
        for name in ALREADY
        for way in (Way.PAGE, Way.FRAGMENT)
        for action in (ACTIONS if name == "done" and way is Way.PAGE else one_of_each_shape())
    ],
)
def test_double_submit_has_one_effect(action, way, answer, words, org_admin, directory):
    ask, submission = asking(way, org_admin), str(uuid4())
    outcome_known = not isinstance(answer, Exception)
    directory.answers = [answer] if answer else []
    first = ask(action, submission=submission)

    again = ask(action, submission=submission)

    assert len(directory.writes) == 1
    assert AuditEntry.objects.count() == 2
    if action.needs_user or outcome_known:
        assert words.lower() in again.text.lower()
    else:
        assert 'name="look"' in again.text
    if action.secret_result and not answer:
        password = directory.writes[0].content.decode().split('"')[3]
        assert password in first.text
        assert password not in again.text
