"""Answers that prove nothing: a success without content, and a proper answer without its effect."""

from collections.abc import Iterator

import httpx
import pytest
import respx
from django.core.cache import cache

from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.models import AuditEntry, Operator
from tests.support.answers import ADA
from tests.support.asking import Directory, Told, Way, asking, directory_for, told_of
from tests.support.people import API_URL

EVERY_ACTION = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
WITH_EFFECT = pytest.mark.parametrize(
    "action",
    [action for action in ACTIONS if action.effect is not None and not action.goes_by_answer],
    ids=lambda action: action.key,
)
# The answer alone says who was created.
ON_A_USER = pytest.mark.parametrize(
    "action", [action for action in ACTIONS if action.needs_user], ids=lambda action: action.key
)
# Otherwise the effect depends on the input, the user is gone, or the form finds nothing to change.
CAN_BE_SO_BEFORE = pytest.mark.parametrize(
    "action",
    [
        action
        for action in ACTIONS
        if action.effect is not None and action.key not in {"mfa.bypass", "user.delete", "user.update"}
    ],
    ids=lambda action: action.key,
)
EMPTY = httpx.Response(200)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def directory(request: pytest.FixtureRequest) -> Iterator[Directory]:
    canned = directory_for(request.node.callspec.params["action"])
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=canned)
        yield canned


def outcome() -> str:
    return str(AuditEntry.objects.order_by("sequence").last().outcome)  # type: ignore[union-attr]


def says_done(told: Told, action: Action) -> bool:
    return any(told_of(action, user) in told.text for user in ("Ada Berg", "ada.berg"))


@EVERY_ACTION
def test_empty_200_without_an_effect_is_not_done(action: Action, org_admin: Operator, directory: Directory) -> None:
    directory.written, directory.has_effect = EMPTY, False

    told = asking(Way.PAGE, org_admin)(action)

    if action.goes_by_answer:
        assert outcome() == "succeeded"
        return
    assert outcome() == "unknown"
    assert not says_done(told, action)
    assert not (action.secret_result and directory.writes[0].content.decode().split('"')[3] in told.text)
    assert not AuditEntry.objects.filter(undoes__isnull=False).exists()
    assert "Undo" not in told.text


@ON_A_USER
def test_empty_200_with_a_new_effect_is_done(action: Action, org_admin: Operator, directory: Directory) -> None:
    directory.written = httpx.Response(200)

    told = asking(Way.PAGE, org_admin)(action)

    assert outcome() == "succeeded"
    assert says_done(told, action) or action.secret_result


@CAN_BE_SO_BEFORE
def test_empty_200_with_the_effect_there_before_changes_nothing(
    action: Action, org_admin: Operator, directory: Directory
) -> None:
    directory.written, directory.taken, directory.before = EMPTY, 1, {}

    asking(Way.PAGE, org_admin)(action)

    assert outcome() == "no change"


@WITH_EFFECT
def test_proper_answer_without_its_effect_is_unknown(action: Action, org_admin: Operator, directory: Directory) -> None:
    directory.has_effect = False

    told = asking(Way.PAGE, org_admin)(action)

    assert outcome() == "unknown"
    assert "PingOne accepted the change, but does not show it" in told.text
    assert not says_done(told, action)


@pytest.mark.parametrize("action", [BY_KEY["user.deactivate"]], ids=[""])
def test_204_without_content_is_an_answer(action: Action, org_admin: Operator, directory: Directory) -> None:
    directory.written = httpx.Response(204)

    told = asking(Way.PAGE, org_admin)(action)

    assert outcome() == "succeeded"
    assert says_done(told, action)


@pytest.mark.parametrize(
    "path",
    [
        "/o/acme/users/",
        f"/o/acme/users/{ADA}/",
        *(f"/o/acme/users/{ADA}/panels/{panel}/" for panel in ("groups", "devices", "password", "sessions")),
        "/o/acme/groups/",
    ],
)
def test_empty_200_to_a_read_is_no_empty_list(browser_of, org_admin: Operator, path: str) -> None:
    with respx.mock(assert_all_called=False) as router:
        if "panels" in path:
            router.get(f"{API_URL}/v1/environments").respond(200)
        router.route(url__startswith=API_URL).respond(200)
        told = browser_of(org_admin).get(path, headers={"HX-Request": "true"} if "panels" in path else {})

    assert "PingOne is not responding properly" in told.text
