"""Ticket policies: org admins decide which actions need a ticket, and each change is on record."""

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from console.actions.catalogue import ACTIONS
from console.models import AuditEntry, Operator, Organization, TicketPolicy
from console.models.tickets import ticket_policy
from tests.support.small_environment import browser

pytestmark = pytest.mark.database

PAGE = "/o/acme/settings/policies/tickets/"

BrowserOf = Callable[[Operator], Client]


@pytest.fixture
def admin(browser_of: BrowserOf, org_admin: Operator) -> Client:
    return browser_of(org_admin)


def as_before(**changes: str) -> dict[str, str]:
    """Return the form's data, with fields `<action>-<field>`. In `changes`, `__` means a dot and `_at_` means `-`."""
    keys = [*(action.key for action in ACTIONS), "api.call"]
    sent = {f"{key}-requirement": "optional" for key in keys} | {f"{key}-pattern": "" for key in keys}
    return sent | {name.replace("__", ".").replace("_at_", "-"): value for name, value in changes.items()}


def test_every_action_has_a_line_in_the_policies(admin: Client) -> None:
    text = admin.get(PAGE).content.decode()

    assert all(f'name="{action.key}-requirement"' in text for action in ACTIONS)
    assert 'name="api.call-requirement"' in text


def test_only_changed_policies_are_saved_and_on_record(admin: Client, acme: Organization) -> None:
    changes = {"user__delete_at_requirement": "pattern", "user__delete_at_pattern": "CHG#, INC###"}

    response = admin.post(PAGE, as_before(**changes), follow=True)

    assert "Policies saved." in response.content.decode()
    assert ticket_policy(acme, "user.delete").problem_with("soon") != ""
    assert ticket_policy(acme, "user.delete").problem_with("CHG7") == ""
    assert ticket_policy(acme, "user.unlock").problem_with("") == ""
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == ("policy.changed", "user.delete")
    assert entry.before == {"requirement": "optional", "pattern": ""}
    assert entry.after == {"requirement": "pattern", "pattern": "CHG#, INC###"}


def test_unchanged_policies_are_not_saved(admin: Client, acme: Organization) -> None:
    response = admin.post(PAGE, as_before(), follow=True)

    assert "Nothing was changed." in response.content.decode()
    assert not AuditEntry.objects.exists()
    assert not TicketPolicy.objects.exists()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "Enter a pattern"),
        (r"INC\d+", "Leave out the backslash"),
        ("INC", "Use # for a digit"),
    ],
)
def test_invalid_pattern_is_reported_at_its_field_and_nothing_is_saved(admin: Client, pattern: str, words: str) -> None:
    changes = {"user__delete_at_requirement": "pattern", "user__delete_at_pattern": pattern}

    response = admin.post(PAGE, as_before(**changes, user__unlock_at_requirement="required"))

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not TicketPolicy.objects.exists()


def test_pattern_is_removed_with_its_requirement(admin: Client, acme: Organization) -> None:
    pattern = TicketPolicy.Requirement.PATTERN
    TicketPolicy.objects.create(organization=acme, action="user.delete", requirement=pattern, pattern="INC#")

    admin.post(PAGE, as_before(user__delete_at_pattern="INC#"))

    assert ticket_policy(acme, "user.delete").pattern == ""


def test_message_about_a_ticket_shows_an_example() -> None:
    policy = TicketPolicy(requirement=TicketPolicy.Requirement.PATTERN, pattern="CHG-@##, INC#####")

    assert policy.problem_with("soon") == "Enter a ticket number like CHG-A12."


def test_policies_are_for_org_admins_only(browser_of: BrowserOf, helpdesk: Operator, auditor: Operator) -> None:
    for operator in (helpdesk, auditor):
        assert browser_of(operator).post(PAGE, as_before()).status_code == 403


def test_policy_applies_only_to_its_own_organization(admin: Client, acme: Organization, globex: Organization) -> None:
    admin.post(PAGE, as_before(user__unlock_at_requirement="required"))

    assert ticket_policy(acme, "user.unlock").is_required
    assert not ticket_policy(globex, "user.unlock").is_required


LINK = "https://jira.acme.test/browse/{ticket}"


def test_organization_settings_are_saved_and_on_record(admin: Client, acme: Organization) -> None:
    sent = as_before(countries="se, no SE", ticket_link=LINK, time_zone="america/new york")
    response = admin.post(PAGE, sent, follow=True)

    assert "Policies saved." in response.content.decode()
    acme.refresh_from_db()
    assert (acme.phone_countries, acme.ticket_link) == (("SE", "NO"), LINK)
    entry = AuditEntry.objects.get()
    assert entry.action == "organization.settings-changed"
    assert acme.time_zone == "America/New_York"
    assert entry.before == {"countries": "", "time_zone": "", "ticket_link": ""}
    assert entry.after == {"countries": "SE NO", "time_zone": "America/New_York", "ticket_link": LINK}


def test_cooling_off_is_set_here_and_shortened_after_a_fresh_sign_in(org_admin: Operator, acme: Organization) -> None:
    browser(org_admin).post(PAGE, as_before(cooling_off_hours="100"))
    stale = browser(org_admin, fresh=False)
    assert hours_of(acme) == 100
    asked = stale.post(PAGE, as_before(cooling_off_hours="1"))
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert 'name="cooling_off_hours" value="1"' in stale.get(PAGE).content.decode()
    assert hours_of(acme) == 100
    browser(org_admin).post(PAGE, as_before(cooling_off_hours="1"))

    assert hours_of(acme) == 1
    entry = AuditEntry.objects.order_by("sequence").last()
    assert entry
    assert (entry.before, entry.after) == ({"cooling_off_hours": 100}, {"cooling_off_hours": 1})


def hours_of(organization: Organization) -> int:
    organization.refresh_from_db()
    return organization.cooling_off_hours


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cooling_off_hours", "0", "Enter a number from 1 to 720."),
        ("cooling_off_hours", "soon", "Enter a number from 1 to 720."),
        ("countries", "Sweden", "“SWEDEN” is not a country code"),
        ("countries", "SE XX", "“XX” is not a country code"),
        ("time_zone", "Stockholm", "“Stockholm” is not a time zone."),
        ("time_zone", "UTC+1", "“UTC+1” is not a time zone."),
        ("countries", "SE NO DK FI IS DE FR ES IT GB US", "at most 10 countries"),
        ("ticket_link", "http://jira.acme.test/{ticket}", "Start the link with https://"),
        ("ticket_link", "javascript:alert({ticket})//", "Start the link with https://"),
        ("ticket_link", "//jira.acme.test/{ticket}", "Start the link with https://"),
        ("ticket_link", "https:///{ticket}", "Start the link with https://"),
        ("ticket_link", "https://jira.acme.test/", "Write {ticket} where the ticket number goes"),
        ("ticket_link", "https://{ticket}.acme.test/", "after the name of the server"),
        ("ticket_link", "https://jira.acme.test:{ticket}/{ticket}", "This is not a web address"),
        ("ticket_link", "https://jira.acme.test@evil.test/{ticket}", "Leave the username and password out"),
        ("ticket_link", "https://jira.acme.test/a/../{ticket}", "without “.” or “..”"),
        ("ticket_link", "https://jira.acme.test/%2E%2e/{ticket}", "without “.” or “..”"),
        ("ticket_link", "https://jira.acme.test/{ticket}?{user}", "Use a plain web address"),
        ("ticket_link", "https://jira.acme.test\\@evil.test/{ticket}", "Use a plain web address"),
        ("ticket_link", "https://j\u0456ra.acme.test/{ticket}", "Use a plain web address"),
        ("ticket_link", "https://[::1/{ticket}", "This is not a web address"),
        ("ticket_link", f"https://jira.acme.test/{'x' * 300}/{{ticket}}", "at most 300 characters"),
    ],
)
def test_setting_that_cannot_work_is_refused_at_its_field(
    admin: Client, acme: Organization, field: str, value: str, words: str
) -> None:
    response = admin.post(PAGE, as_before(**{field: value}, user__unlock_at_requirement="required"))

    assert response.status_code == 422
    assert words in unescape(response.content.decode())
    assert not AuditEntry.objects.exists()
    acme.refresh_from_db()
    assert (acme.countries, acme.ticket_link) == ("", "")


def test_settings_of_one_organization_leave_the_others_alone(admin: Client, globex: Organization) -> None:
    admin.post(PAGE, as_before(countries="SE", ticket_link=LINK))

    globex.refresh_from_db()
    assert (globex.countries, globex.ticket_link) == ("", "")
