"""Marks of org admins, and what the pages say of protected users."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from console.models import AuditEntry, OutgoingEmail, ProtectedMark
from tests.support.answers import ADA, ENGINEERS
from tests.support.approving import demand
from tests.support.small_environment import browser, press, read_groups

USER = f"/o/acme/users/{ADA}/"
GROUP = f"/o/acme/groups/{ENGINEERS}/"


def test_org_admin_marks_a_user_and_removes_the_mark_after_a_fresh_sign_in(acme, org_admin, environment):
    browser(org_admin).post(f"{USER}protection/", {"reason": "Chair of the board"})
    assert ProtectedMark.objects.get().name == "Ada Berg"
    page = browser(org_admin).get(USER).content.decode()
    assert "Ada Berg is marked as protected." in page

    asked = browser(org_admin, fresh=False).post(f"{USER}protection/", {"reason": "Left"})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert ProtectedMark.objects.exists()

    browser(org_admin, fresh=True).post(f"{USER}protection/", {"reason": "Left"})
    assert not ProtectedMark.objects.exists()
    rows = AuditEntry.objects.order_by("sequence").values_list("action", "subject_kind", "subject_id", "reason")
    assert list(rows) == [
        ("protection.marked", "user", str(ADA), "Chair of the board"),
        ("user.protected-page-read", "user", str(ADA), "Ada Berg is marked as protected."),
        ("protection.unmarked", "user", str(ADA), "Left"),
    ]


def test_mark_goes_on_for_a_day_where_protected_accounts_need_a_second_person(acme, org_admin, environment):
    """One org admin, alone, would otherwise remove the mark and then act without an approval."""
    demand(acme, protected=True)
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=org_admin)
    browser(org_admin).post(f"{USER}protection/", {"reason": "Left"})
    mark = ProtectedMark.objects.get()
    told = OutgoingEmail.objects.get(about=f"protection {ADA}")

    assert "approval of a second person" in press(browser(org_admin), "user.deactivate", reason="Left")
    assert environment.writes == []
    assert told.to == org_admin.email
    assert mark.ends_at is not None
    assert mark.ends_at > timezone.now() + timedelta(hours=23)

    browser(org_admin).post(f"{USER}protection/", {"reason": "Still here"})
    assert ProtectedMark.objects.get().ends_at is None
    events = AuditEntry.objects.filter(action__startswith="protection.").order_by("sequence")
    assert list(events.values_list("action", "reason")) == [
        ("protection.to-end", "Left"),
        ("protection.marked", "Still here"),
    ]


def test_mark_that_has_ended_protects_nobody(acme, org_admin, helpdesk, environment):
    past = timezone.now() - timedelta(seconds=1)
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=org_admin, ends_at=past
    )

    assert "marked as protected" not in browser(helpdesk).get(USER).content.decode()
    press(browser(helpdesk), "user.deactivate")
    assert environment.writes

    browser(org_admin).post(f"{USER}protection/", {"reason": "Again"})
    assert ProtectedMark.objects.get().reason == "Again"


def test_mark_of_a_group_protects_its_members(acme, org_admin, helpdesk, environment):
    environment.members[ADA].add(ENGINEERS)
    browser(org_admin).post(f"{GROUP}protection/", {"reason": "Executives"})

    assert "This group is protected." in browser(helpdesk).get(GROUP).content.decode()
    said = press(browser(helpdesk), "user.deactivate", htmx=True)
    assert "Ada Berg is in the group Engineers, which is marked as protected. Ask an org admin." in said
    assert not environment.writes


def test_mark_needs_a_reason_and_an_org_admin(acme, org_admin, helpdesk, auditor, environment):
    assert browser(org_admin).post(f"{USER}protection/", {}).status_code == 422
    for operator in (helpdesk, auditor):
        for url in (USER, GROUP):
            assert browser(operator).post(f"{url}protection/", {"reason": "Mine"}).status_code == 403
    assert not ProtectedMark.objects.exists()


def test_mark_of_one_organization_says_nothing_in_another(acme, globex, helpdesk, stranger, environment):
    ProtectedMark.objects.create(organization=globex, kind="user", target_id=ADA, reason="Chair", marked_by=stranger)

    press(browser(helpdesk), "user.deactivate")

    assert environment.writes


def test_page_and_form_say_beforehand_that_a_user_is_protected(acme, helpdesk, org_admin, environment):
    environment.roles.add(ENGINEERS)
    environment.members[ADA].add(ENGINEERS)
    read_groups(acme)
    told = "Ada Berg is a PingOne administrator through the group Engineers."

    assert told in browser(helpdesk).get(USER).content.decode()
    assert f"{told} Ask an org admin." in browser(helpdesk).get(f"{USER}actions/user.deactivate/").content.decode()
    form = browser(org_admin).get(f"{USER}actions/user.deactivate/").content.decode()
    assert f"{told} You have to enter a reason" in form


@pytest.mark.parametrize("path", ["", "?panels=all"])
def test_page_offers_nothing_on_a_protected_user_to_whom_it_would_be_refused(
    acme, helpdesk, org_admin, environment, path
):
    environment.members[ADA].add(ENGINEERS)
    assert "/actions/user.deactivate/" in browser(helpdesk).get(f"{USER}{path}").content.decode()
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=ADA, name="Ada Berg", reason="Chair", marked_by=org_admin
    )

    page = browser(helpdesk).get(f"{USER}{path}").content.decode()

    assert "/actions/" not in page
    assert "/plans/" not in page.split("<main")[1]
    assert f"Ask an org admin of Acme: {org_admin.email}." in page
    assert "/actions/user.deactivate/" in browser(org_admin).get(f"{USER}{path}").content.decode()


@pytest.mark.parametrize("panel", ["password", "devices", "groups", "sessions"])
def test_panels_of_such_a_page_offer_nothing_either(acme, helpdesk, org_admin, environment, panel):
    environment.members[ADA].add(ENGINEERS)
    ProtectedMark.objects.create(
        organization=acme, kind="user", target_id=ADA, name="Ada Berg", reason="Chair", marked_by=org_admin
    )
    agent = browser(helpdesk)

    addresses = re.findall(r'hx-get="([^"]*/(?:panels|standing|sent)/[^"]*)"', agent.get(USER).content.decode())
    address = unescape(next(one for one in addresses if f"/panels/{panel}/" in one))

    answer = agent.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "user-panel" in answer
    assert "/actions/" not in answer
    assert "/users/" not in answer.replace(address, "")  # nor the link to add groups
    assert all(one.endswith("closed=1") for one in addresses)


def test_connections_own_administrator_is_out_of_reach_until_somebody_else_connects(acme, org_admin, environment):
    connection = acme.connection
    connection.consented_by_id = str(ADA)
    connection.save()
    admin = browser(org_admin, fresh=True)

    said = press(admin, "user.deactivate", htmx=True, reason="Left")
    assert "Someone else has to connect before this is possible." in said
    assert not environment.writes

    connection.consented_by_id = str(ENGINEERS)
    connection.save()
    press(admin, "user.deactivate", reason="Left")
    assert environment.writes


def test_connections_own_administrator_can_be_unlocked_by_an_org_admin(acme, org_admin, helpdesk, environment):
    acme.connection.consented_by_id = str(ADA)
    acme.connection.save()
    environment.users[ADA]["account"] = {"status": "LOCKED"}

    press(browser(helpdesk), "user.unlock")
    assert not environment.writes
    press(browser(org_admin, fresh=True), "user.unlock", reason="Locked out")
    assert environment.writes
