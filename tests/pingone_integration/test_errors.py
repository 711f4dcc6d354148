"""The text of every error: title, cause and resolution."""

import pytest
from django.utils import translation

from pingone_integration import errors
from pingone_integration.calls import connection_states
from pingone_integration.errors import PingOneError, StateRejected, Unavailable


def every_class() -> list[type[PingOneError]]:
    found = [PingOneError]
    for one in found:
        found += one.__subclasses__()
    return found


@pytest.mark.parametrize("error", every_class(), ids=lambda error: error.__name__)
def test_error_says_what_happened_why_and_what_next(error: type[PingOneError]) -> None:
    assert error.__doc__
    title, cause, resolution = str(error.title), str(error.cause), str(error.resolution)
    assert title
    assert not title.endswith(".")
    for sentence in (cause, resolution):
        assert sentence.endswith(".")
        assert len(sentence) < 160
    assert len(title) < 70
    assert error.kind == error.kind.lower()


def test_kind_is_unique_to_its_class() -> None:
    classes = every_class()

    assert len({error.kind for error in classes}) == len(classes)
    assert set(errors.kinds().values()) == set(classes)
    assert all(errors.of_kind(error.kind, otherwise=PingOneError) is error for error in classes)


def test_kind_of_another_version_falls_back() -> None:
    assert errors.of_kind("no-longer-known", otherwise=Unavailable) is Unavailable


@pytest.mark.parametrize("kind", errors.kinds())
def test_error_is_rebuilt_from_its_stored_kind_and_text(kind: str) -> None:
    error = errors.rebuilt(kind, "What was stored.", otherwise=Unavailable)

    error_class = errors.kinds()[kind]
    assert type(error) is error_class
    assert str(error) == "What was stored."
    assert (error.title, error.cause, error.resolution) == (
        error_class.title,
        error_class.cause,
        error_class.resolution,
    )
    assert (error.details, error.trace, error.retry_after_s) == ((), errors.Trace(), None)
    assert str(errors.rebuilt(kind, "", otherwise=Unavailable)) == error_class.title


def test_error_of_an_unknown_kind_is_rebuilt_as_the_fallback() -> None:
    assert type(errors.rebuilt("no-longer-known", "", otherwise=Unavailable)) is Unavailable


@pytest.mark.parametrize("reason", StateRejected.Reason)
def test_rejected_return_has_a_cause_for_each_reason(reason: StateRejected.Reason) -> None:
    assert StateRejected(reason).cause == StateRejected.causes[reason]
    assert len(set(StateRejected.causes.values())) == len(StateRejected.Reason)


def test_outcome_unknown_is_in_the_words_of_the_error() -> None:
    error = Unavailable(outcome_known=False)

    assert "the change may have been made" in str(error.title)
    assert "before you try again" in str(error.resolution)
    assert "may have been made" not in str(Unavailable().title)


def test_error_is_logged_and_stored_in_english() -> None:
    with translation.override("en-xa"):
        error = Unavailable()

        assert str(error) == "PingOne is not responding properly"
        assert connection_states.cause_of(error) == "PingOne or the network in between has a problem right now."


@pytest.mark.parametrize(
    ("ahead_s", "cause"),
    [
        (60, "This server's clock is 1 minute ahead of PingOne's."),
        (-600, "This server's clock is 10 minutes behind PingOne's."),
    ],
)
def test_clock_error_names_the_minutes(ahead_s: float, cause: str) -> None:
    assert str(errors.SignOnUnverified(clock_ahead_s=ahead_s).cause) == cause
