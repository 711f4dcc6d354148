"""Actions that find the user as they should be: "was already", no Undo, and an entry that says no change."""

from collections.abc import Iterator

import httpx
import pytest
import respx
from django.core.cache import cache

from console.actions.catalogue import ACTIONS, Action
from console.models import AuditEntry, Operator
from tests.support.answers import error
from tests.support.asking import Directory, Way, asking, directory_for, one_of_each_shape, told_of
from tests.support.people import API_URL

# Not here: a user who is gone has no page, and the form of a profile finds nothing to change.
SO_BEFORE = [
    action for action in ACTIONS if action.effect is not None and action.key not in {"user.delete", "user.update"}
]
GONE = [action for action in SO_BEFORE if action.endpoint.startswith("DELETE") and "each" not in action.endpoint]
UNLOCKS = [action for action in SO_BEFORE if "unlock" in action.key]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def directory(request: pytest.FixtureRequest) -> Iterator[Directory]:
    """Mock Acme's environment, where the action's effect is there before."""
    canned = directory_for(request.node.callspec.params["action"])
    canned.taken, canned.before = 1, {}
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=canned)
        yield canned


def by_key(*actions: Action) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("action", actions, ids=lambda action: action.key)


def assert_nothing_changed(text: str, action: Action) -> None:
    entry = AuditEntry.objects.current().order_by("sequence").reverse()[0]
    assert (entry.action, entry.outcome, entry.before) == (action.key, "no change", entry.after)
    assert "Nothing was changed." in text
    assert str(action.already).split("}")[-1] in text
    assert not [user for user in ("Ada Berg", "ada.berg") if told_of(action, user) in text]
    assert 'class="notice-action"' not in text  # Undo


@pytest.mark.parametrize(
    ("way", "action"),
    [(Way.PAGE, action) for action in SO_BEFORE]
    + [(way, action) for way in (Way.FRAGMENT, Way.COMMAND) for action in one_of_each_shape() if action in SO_BEFORE],
    ids=lambda value: getattr(value, "key", value),
)
def test_action_that_finds_its_effect_says_so(action: Action, way: Way, org_admin: Operator, directory: Directory):
    if action.key == "mfa.bypass":
        asking(way, org_admin)(action)  # the directory then has this bypass
    told = asking(way, org_admin)(action)

    assert_nothing_changed(told.text, action)


@by_key(*GONE)
def test_removal_of_what_is_gone_changes_nothing(action: Action, org_admin: Operator, directory: Directory):
    directory.answers = [httpx.Response(404, json=error("NOT_FOUND"))]

    told = asking(Way.PAGE, org_admin)(action)

    assert_nothing_changed(told.text, action)


@by_key(*UNLOCKS)
@pytest.mark.parametrize("way", [Way.PAGE, Way.COMMAND])
def test_refused_unlock_of_what_is_not_locked_says_so_and_what_else_to_check(
    action: Action, way: Way, org_admin: Operator, directory: Directory
):
    directory.answers = [httpx.Response(415, json=error("INVALID_REQUEST"))]

    told = asking(way, org_admin)(action)

    assert_nothing_changed(told.text, action)
    assert "Nothing is locked: not the account, the password or an MFA device." in told.text
    assert AuditEntry.objects.current().get().note in told.text


@by_key(*UNLOCKS)
def test_refused_unlock_of_what_is_locked_has_failed(action: Action, org_admin: Operator, directory: Directory):
    directory.taken, directory.before = 0, directory_for(action).before
    directory.answers, directory.has_effect = [httpx.Response(415, json=error("INVALID_REQUEST"))], False

    asking(Way.PAGE, org_admin)(action)

    assert AuditEntry.objects.current().get().outcome == "failed"
