"""The names of several networks are searched for together, and each still gets what is theirs."""

from typing import Any

import httpx
import pytest

from console.models import RecoveryAttempt
from console.recovery import look_up
from tests.support.answers import ADA, BO, bo, listing
from tests.support.outbox import sent_emails
from tests.support.recovering import PersonAtPages, RecoveryEnvironment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def ask(*names: str) -> None:
    """Let each of these be typed in a network of its own, then let the worker look."""
    for number, name in enumerate(names, start=1):
        PersonAtPages(network=f"10.0.{number}.7").start(name, worker=False)
    look_up.run_due()


def searches(environment: RecoveryEnvironment) -> list[str]:
    return [one.url.params["filter"] for one in environment.requests if one.url.path.endswith("/users")]


def stops() -> list[str]:
    return list(RecoveryAttempt.objects.order_by("started_at").values_list("stop", flat=True))


def test_names_of_several_networks_take_one_search(person, environment):
    environment.users[BO] = bo(email="bo@acme.test")
    ask("nobody.1", "ada.berg", "nobody.2", "BO@ACME.TEST", "nobody.3")

    (asked,) = searches(environment)
    assert 'username eq "nobody.2"' in asked
    assert stops()[0::2] == ["unknown"] * 3
    candidates = RecoveryAttempt.objects.order_by("started_at").values_list("candidate", flat=True)
    assert list(candidates) == [None, ADA, None, BO, None]
    assert sent_emails()[0].to == [environment.users[ADA]["email"]]


def test_name_that_was_looked_up_lately_is_not_searched_for_again(person, environment):
    ask("nobody.1", "nobody.2")
    environment.requests.clear()
    ask("nobody.2", "nobody.1", "nobody.3", "nobody.4")

    (asked,) = searches(environment)
    assert "nobody.1" not in asked
    assert "nobody.3" in asked


def test_search_that_pingone_refuses_harms_only_the_name_that_it_minds(person, environment, monkeypatch):
    def answer(self: RecoveryEnvironment, path: str) -> Any:
        asked = self.requests[-1].url.params.get("filter", "")
        return None if path == "/users" and "odd" in asked else of_all(self, path)

    of_all = RecoveryEnvironment._found
    monkeypatch.setattr(RecoveryEnvironment, "_found", answer)
    ask("odd.one", "ada.berg", "nobody.1")

    assert stops()[1:] == ["", "unknown"]
    assert len(sent_emails()) == 1


def test_more_users_than_one_search_shows_are_searched_for_name_by_name(person, environment, monkeypatch):
    monkeypatch.setattr("console.recovery.search._MOST_OF_MANY", 2)
    environment.users[BO] = bo(email="bo@acme.test")
    ask("ada.berg", "nobody.1")

    assert len(searches(environment)) == 3
    assert stops() == ["", "unknown"]


def test_one_search_is_no_longer_than_pingone_takes(person, environment):
    ask(*(f"{number}{'é' * 150}" for number in range(4)))

    assert len(searches(environment)) > 1
    assert max(len(str(httpx.URL(params={"filter": one}))) for one in searches(environment)) < 4_000
    assert stops() == ["unknown"] * 4


def test_list_that_goes_on_after_an_empty_page_is_read_on(person, environment, monkeypatch):
    def answer(self: RecoveryEnvironment, path: str) -> Any:
        if path != "/users" or "cursor" in self.requests[-1].url.params:
            return of_all(self, path)
        return listing("users") | {"_links": {"next": {"href": f"{self.requests[-1].url}&cursor=2"}}}

    of_all = RecoveryEnvironment._found
    monkeypatch.setattr(RecoveryEnvironment, "_found", answer)
    ask("ada.berg")

    assert stops() == [""]


def test_flood_of_names_that_nobody_has_costs_no_look_at_each(person, environment, django_assert_max_num_queries):
    for number in range(60):
        at = PersonAtPages(network=f"10.0.{number % 15}.7")
        at.post("start", who=f"nobody.{number % 45}")
    with django_assert_max_num_queries(120):
        look_up.run_due()

    assert stops() == ["unknown"] * 60
    assert len(searches(environment)) == 3


def test_attempt_that_equals_an_unknown_one_keeps_the_time_at_which_pingone_was_asked(person, environment):
    person.start("nobody")
    first = person.attempt
    ask("nobody")
    second = person.attempt

    assert second.stop == "unknown"
    assert second.looked_at == first.looked_at
    assert second.sealed_typed == ""
    assert second.code_expires_at is not None
