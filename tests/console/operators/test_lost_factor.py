"""A lost second factor: reset by another org admin after a delay, or by whoever runs the server."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, FactorReset, Membership, Operator, Organization
from console.rights.roles import BUILT_IN
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.rights import give
from tests.support.small_environment import browser

pytestmark = pytest.mark.django_db

PAGE = "/o/acme/settings/members/"


@pytest.fixture
def member(helpdesk: Operator) -> Operator:
    """Return an agent with a second factor and recovery codes."""
    TOTP.activate(helpdesk, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(helpdesk)
    return helpdesk


def press(by: Operator, about: Operator, step: str = "reset-second-factor", *, fresh: bool = True) -> str:
    pk = Membership.objects.get(organization__slug="acme", operator=about).pk
    return browser(by, fresh=fresh).post(f"{PAGE}{pk}/{step}/", follow=True).content.decode()


def run_late() -> None:
    """Let the delay be over, and the worker do what is due."""
    FactorReset.objects.update(due_at=timezone.now())
    call_command("remove_lost_factors", stdout=StringIO())


def events() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "outcome"))


def factors(operator: Operator) -> int:
    return len(Authenticator.objects.filter(user=operator))


def stop_link() -> str:
    found = re.search(r"http://localhost(/second-factor-reset/\S+)", str(sent_emails()[-1].body))
    assert found
    return found[1]


def test_factor_is_removed_after_a_day_with_its_codes_and_sessions(org_admin: Operator, member: Operator) -> None:
    assert "We told agent@acme.test." in press(org_admin, member)
    reset = FactorReset.objects.get()
    assert reset.due_at - reset.asked_at == timedelta(hours=24)
    assert sent_emails()[0].to == [member.email]
    call_command("remove_lost_factors", stdout=StringIO())
    assert factors(member) == 2  # not due

    run_late()
    run_late()

    assert factors(member) == 0
    assert events() == [("second-factor.reset-asked", "succeeded"), ("second-factor.reset", "succeeded")]


def test_owner_stops_it_by_the_link_in_the_email_and_one_click_more(org_admin: Operator, member: Operator) -> None:
    press(org_admin, member)
    link = stop_link()
    assert "Stop the reset" in Client().get(link).content.decode()
    assert FactorReset.objects.get().stopped_at is None

    assert "Stopped." in Client().post(link).content.decode()

    run_late()
    assert factors(member) == 2
    assert Client().get(link).status_code == Client().get("/second-factor-reset/made-up/").status_code == 404
    assert events()[-1] == ("second-factor.reset-stopped", "succeeded")
    assert link.split("/")[2] not in str(list(FactorReset.objects.values()))


def test_org_admin_takes_it_back(org_admin: Operator, member: Operator) -> None:
    press(org_admin, member)
    press(org_admin, member, "cancel-reset")

    run_late()

    assert factors(member) == 2


def test_factor_of_ones_own_or_a_missing_one_is_not_reset(org_admin: Operator, helpdesk: Operator) -> None:
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    for about in (org_admin, helpdesk):
        assert "Nothing was changed" in press(org_admin, about)

    assert not FactorReset.objects.exists()


def test_reset_asks_for_a_fresh_sign_in(org_admin: Operator, member: Operator) -> None:
    press(org_admin, member, fresh=False)

    assert not FactorReset.objects.exists()


def test_account_of_several_organizations_is_reset_by_command_alone(
    org_admin: Operator, member: Operator, globex: Organization
) -> None:
    Membership.objects.create(organization=globex, operator=member, role="auditor")
    assert "Ask whoever runs this server" in press(org_admin, member)
    assert not FactorReset.objects.exists()

    output = StringIO()
    call_command("reset_second_factor", "AGENT@acme.test", stdout=output)

    assert output.getvalue() == "Removed 1 second factors of agent@acme.test.\n"
    assert factors(member) == 0
    assert sorted(AuditEntry.objects.values_list("organization__slug", "action")) == [
        ("acme", "second-factor.reset"),
        ("globex", "second-factor.reset"),
    ]


@pytest.mark.parametrize("change", ["the account joins another organization", "the org admin is suspended"])
def test_due_reset_is_refused_if_it_is_no_longer_allowed(
    org_admin: Operator, member: Operator, globex: Organization, change: str
) -> None:
    press(org_admin, member)
    if change == "the org admin is suspended":
        org_admin.memberships.update(suspended_at=timezone.now())
    else:
        Membership.objects.create(organization=globex, operator=member, role="auditor")

    run_late()

    assert factors(member) == 2
    assert events()[-1] == ("second-factor.reset", "refused")


def test_sessions_are_ended_by_command(member: Operator, acme: Organization) -> None:
    Authenticator.objects.all().delete()
    client, output = Client(), StringIO()
    client.post("/accounts/login/", {"login": member.email, "password": "correct horse battery"})

    call_command("end_sessions", member.email, stdout=output)

    assert client.get("/o/acme/").status_code == 302
    assert output.getvalue() == "Ended 1 sessions of agent@acme.test.\n"
    with pytest.raises(CommandError, match="No operator has this address"):
        call_command("end_sessions", "nobody@acme.test")


def test_page_of_the_member_shows_the_reset_that_waits(org_admin: Operator, member: Operator) -> None:
    assert "Reset second factor" in browser(org_admin).get(f"{PAGE}{member.memberships.get().pk}/").content.decode()

    press(org_admin, member)

    assert "Cancel the reset" in browser(org_admin).get(f"{PAGE}{member.memberships.get().pk}/").content.decode()


def test_role_that_manages_members_resets_no_factor(member: Operator, acme: Organization) -> None:
    manager = make_operator("manager@acme.test", acme, Membership.Role.HELPDESK_AGENT)
    give(manager, BUILT_IN["org_admin"])  # all rights, and no org admin

    press(manager, member)

    assert not FactorReset.objects.exists()
