"""From New user to a plan: nothing typed is lost, and what would happen is shown before it does."""

import re
from html import unescape
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache

from console.models import PlanRun, ProtectedMark, UserTemplate
from tests.support.answers import STAFF
from tests.support.plan_people import LEAVERS, MAIL, PERSON, VPN, onboard, recovery_is_on, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NEW = "/o/acme/users/new/"
HERE = f"{NEW}plans/onboard/"
TYPED = {
    "username": "mara.lind",
    "email": "mara@acme.test",
    "given_name": "Mara",
    "family_name": "Lind",
    "title": "",
    "population_id": str(STAFF),
}


@pytest.fixture
def client(acme, org_admin, environment, browser_of):
    cache.clear()
    environment.populations = [
        {"id": str(STAFF), "name": "Staff", "default": True},
        {"id": str(LEAVERS), "name": "Leavers"},
    ]
    return browser_of(org_admin)


def words(answer):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def sent_by(answer):
    """Return what the form would send, without its visible fields."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', answer.content.decode())
    return {name: unescape(value) for name, value in hidden if name != "csrfmiddlewaretoken"}


def to_plan(client, **typed):
    """Press "Onboard with a plan" on New user, and return the page that follows."""
    pressed = client.post(NEW, TYPED | {"submission": str(uuid4()), "plan": "onboard"} | typed)
    assert (pressed.status_code, pressed.url) == (302, HERE)
    return client.get(HERE)


def goes_on(client, page, **typed):
    whole = {"when": "now", "reason": "They join", "password": "email", "submission": str(uuid4())}
    return client.post(HERE, sent_by(page) | whole | typed)


def confirm_in(page):
    found = re.search(r'name="confirm" value="([^"]+)"', page.content.decode())
    assert found, words(page)
    return unescape(found[1])


def starts(client, page, **typed):
    shown = goes_on(client, page, **typed)
    return goes_on(client, shown, confirm=confirm_in(shown), **typed)


def test_new_user_offers_to_create_or_to_onboard(client):
    page = words(client.get(NEW))

    assert "Create user" in page
    assert "Onboard with a plan" in page


def test_page_shows_each_step_before_anything_happens(acme, client, environment):
    recovery_is_on(acme)
    page = to_plan(client, ticket="INC1", reason="They join")

    shown = words(page)
    for step in ("Create user", "mara.lind", "Mara Lind", "Staff", "Replace password", "To mara@acme.test."):
        assert step in shown
    assert "They choose one themselves." in shown
    assert "Their profile names no manager." in shown
    assert 'value="INC1"' in page.content.decode()
    assert (environment.writes, PlanRun.objects.count()) == ([], 0)
    assert words(client.get(HERE)) == shown  # it can be loaded again


def test_plan_starts_with_what_was_typed(acme, client, environment):
    recovery_is_on(acme)
    answer = starts(client, to_plan(client, title="Chief", mobile_phone="+1 555 0100"))

    run = PlanRun.objects.get()
    assert answer.url == f"/o/acme/plans/{run.pk}/"
    assert worked(run).state == "finished"
    mara = environment.named("mara.lind")
    assert (mara["title"], mara["email"], mara["population"]) == ("Chief", "mara@acme.test", {"id": str(STAFF)})
    assert mara["mobilePhone"]


def test_back_to_the_profile_loses_nothing(client, environment):
    page = to_plan(client, title="Chief", verify="on")

    back = client.post(NEW, sent_by(page) | {"back": "1"}).content.decode()

    assert 'value="Chief"' in back
    assert 'value="mara.lind"' in back
    assert re.search(r'name="verify"[^>]* checked', back)
    assert environment.writes == []


def test_page_without_a_profile_leads_to_new_user(client):
    assert client.get(HERE).url == NEW
    assert client.get(f"{NEW}plans/offboard/").status_code == 404
    assert client.post(NEW, TYPED | {"submission": str(uuid4()), "plan": "offboard"}).status_code == 404


def test_profile_with_a_mistake_stays_on_new_user(client):
    answer = client.post(NEW, TYPED | {"submission": str(uuid4()), "plan": "onboard", "email": "no address"})

    assert answer.status_code == 422
    assert "mara.lind" in answer.content.decode()


def test_groups_of_a_colleague_are_given_without_those_that_give_rights(acme, org_admin, client, environment):
    recovery_is_on(acme)
    secret = environment.add_group(UUID(int=(4 << 76) + (8 << 60) + 0xF9), "Secret")
    environment.members[PERSON].add(secret)
    ProtectedMark.objects.create(
        organization=acme,
        kind=ProtectedMark.Kind.GROUP,
        target_id=str(secret),
        name="Secret",
        reason="Board",
        marked_by=org_admin,
    )
    page = to_plan(client)

    shown = words(goes_on(client, page, like="kim.lund"))
    assert "VPN" in shown
    assert "Not Secret: The group Secret is marked as protected." in shown
    assert "Everybody" not in shown  # a rule gives it, so that it is nobody's to give
    starts(client, page, like="kim@acme.test")

    run = worked(PlanRun.objects.get())
    assert environment.members[run.person_id] == {VPN, MAIL}


@pytest.mark.parametrize(("like", "told"), [("nobody", "No user has this"), ("both@acme.test", "More than one user")])
def test_colleague_has_to_be_one_user(client, environment, like, told):
    environment.add(5, 6, email="both@acme.test")

    answer = goes_on(client, to_plan(client), like=like)

    assert answer.status_code == 422
    assert told in words(answer)
    assert "confirm" not in answer.content.decode()


def test_template_adds_its_groups_and_fills_what_was_left_empty(acme, client, environment):
    recovery_is_on(acme)
    template = UserTemplate.objects.create(
        organization=acme,
        name="Engineers",
        groups=[{"id": str(VPN), "name": "VPN"}],
        fields={"title": "Engineer", "family_name": "Nobody"},
    )
    starts(client, to_plan(client), template=str(template.pk))

    run = worked(PlanRun.objects.get())
    mara = environment.named("mara.lind")
    assert (mara["title"], mara["name"]["family"]) == ("Engineer", "Lind")
    assert environment.members[run.person_id] == {VPN}


def test_what_was_confirmed_is_what_was_shown(acme, client, environment):
    """The colleague joined another group between the page and the button."""
    recovery_is_on(acme)
    shown = goes_on(client, to_plan(client), like="kim.lund")
    environment.members[PERSON].discard(VPN)

    again = goes_on(client, shown, like="kim.lund", confirm=confirm_in(shown))

    assert "This has changed since it was shown." in words(again)
    assert not PlanRun.objects.exists()


def test_page_says_where_somebody_has_to_give_a_password(acme, client, environment):
    shown = words(to_plan(client))
    assert "Account recovery is off in their population. The plan waits until someone" in shown
    assert "Waits for someone" in shown

    recovery_is_on(acme)
    page = to_plan(client)
    assert "Waits for someone" not in words(page)
    assert "You chose that someone gives them a password." in words(goes_on(client, page, password="hand"))
    starts(client, page, password="hand")
    assert worked(PlanRun.objects.get()).stop == "by hand"


def test_taken_username_is_said_and_the_next_free_one_is_offered(acme, client, environment):
    environment.add(5, username="mara.lind")
    acme.username_pattern = "{given}.{family}"
    acme.save()
    page = to_plan(client)

    assert "Someone has this username. The next free one is mara.lind2." in words(page)
    answer = goes_on(client, page)
    assert "confirm" not in answer.content.decode()
    free = goes_on(client, page, use="mara.lind2")
    assert "Someone has this username" not in words(free)
    starts(client, free)
    assert PlanRun.objects.get().person_name == "mara.lind2"


def test_second_run_for_the_username_is_refused_or_replaces_the_first(acme, org_admin, client, environment, tomorrow):
    first = onboard(org_admin, when=tomorrow)
    page = to_plan(client)

    assert "“Onboard” already runs for this username." in words(page)
    assert goes_on(client, page).status_code == 422
    starts(client, page, replaces="on")
    first.refresh_from_db()
    assert first.state == "canceled"
    assert environment.named("mara.lind")


def test_agent_who_may_not_create_users_finds_no_plan(helpdesk, environment, browser_of):
    assert browser_of(helpdesk).get(HERE).status_code == 403
    assert browser_of(helpdesk).post(HERE, TYPED).status_code == 403
