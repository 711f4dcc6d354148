"""An operator types the reference number that a caller reads out, and sees where the recovery stopped."""

import pytest
from django.contrib.messages import get_messages

from tests.support.answers import ADA, STAFF, ada
from tests.support.narrowed import narrow
from tests.support.recovering import PersonAtPages

pytestmark = pytest.mark.django_db(transaction=True)


def looked_up(client, person: PersonAtPages, *, written=str) -> tuple[str, str]:
    response = client.get("/o/acme/users/", {"q": written(person.attempt.reference)})
    return response.get("Location", ""), " ".join(str(told) for told in get_messages(response.wsgi_request))


def test_reference_number_shows_where_a_recovery_stopped(person, environment, helpdesk, browser_of):
    client, of_ada = browser_of(helpdesk), f"/o/acme/users/{ADA}/"
    person.start("no.body")
    assert looked_up(client, person) == (
        "/o/acme/users/",
        f"Recovery {person.attempt.reference}: No user has this username or email address.",
    )
    environment.users[ADA] = ada(emailVerified=False)
    person.start()
    url, words = looked_up(client, person, written=str.lower)
    assert (url, "not verified" in words) == (of_ada, True)

    environment.users[ADA] = ada()
    person.start("ada.berg@acme.test")
    assert "They have not entered it yet." in looked_up(client, person)[1]
    person.post("code", code=person.code())
    assert "The code was right." in looked_up(client, person)[1]
    person.choose_password()
    assert "They finished. Your new password is set." in looked_up(client, person)[1]


def test_reference_number_of_somebody_outside_tells_a_narrowed_operator_nothing(
    person, environment, helpdesk, browser_of
):
    client = browser_of(narrow(helpdesk, ADA))  # another population
    for typed in ("ada.berg", "no.body"):  # the difference would tell who exists
        person.start(typed)
        assert looked_up(client, person) == ("", "")

    person.start()
    narrow(helpdesk, STAFF)
    assert looked_up(client, person)[0] == f"/o/acme/users/{ADA}/"


def test_reference_number_of_another_organization_is_a_search(person, environment, stranger, browser_of):
    person.start()
    response = browser_of(stranger).get("/o/globex/users/", {"q": person.attempt.reference})

    assert list(get_messages(response.wsgi_request)) == []
