"""The resolution of an error: the step at PingOne, then who acts in the console and where."""

import pytest

from console.actions.catalogue import ACTIONS
from console.failures.failure import failure_of
from console.failures.next_step import resolution_of
from pingone_integration import errors
from pingone_integration.errors import PingOneError, UnlockFailure

Reason = UnlockFailure.Reason


@pytest.mark.parametrize("error", errors.kinds().values(), ids=lambda error: error.kind)
def test_resolution_begins_with_the_step_at_pingone(error: type[PingOneError]) -> None:
    assert str(resolution_of(error)).startswith(str(error.resolution))
    assert str(resolution_of(error)).endswith(".")


def test_resolution_of_an_ended_grant_names_who_connects_and_where() -> None:
    error = errors.TokenRefreshFailure()

    assert resolution_of(error) == (
        "A PingOne administrator has to approve the connection again. "
        "An org admin can reconnect under Settings, PingOne."
    )
    assert failure_of(error, None).resolution == resolution_of(error) == resolution_of(type(error))


def test_subclass_does_not_inherit_the_next_step() -> None:
    assert resolution_of(errors.Duplicate) == str(errors.Duplicate.resolution)
    assert resolution_of(errors.RefusedByState) == str(errors.RefusedByState.resolution)


@pytest.mark.parametrize(
    ("reason", "button"),
    [(Reason.PASSWORD, "Unlock password"), (Reason.DEVICE, "Unlock")],
    ids=["password", "device"],
)
def test_refused_unlock_names_the_button_for_the_other_lock(reason: UnlockFailure.Reason, button: str) -> None:
    error = UnlockFailure()
    error.reason = reason

    assert f"Press {button}, next to the" in str(resolution_of(error))
    assert any(action.label == button for action in ACTIONS)


@pytest.mark.parametrize("reason", [None, Reason.REFUSED, Reason.ACCOUNT, Reason.DISABLED, Reason.NO_PASSWORD])
def test_refused_unlock_without_another_lock_names_no_button(reason: UnlockFailure.Reason | None) -> None:
    error = UnlockFailure()
    error.reason = reason

    assert resolution_of(error) == str(error.resolution)
