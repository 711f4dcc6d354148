"""Emails about who is org admin: to the person, and to all who are, whoever did it."""

import re

import pytest
from django.test import Client

from console.models import Membership, Operator, Organization
from tests.support.identity_provider import IdentityProvider, provider
from tests.support.outbox import sent_emails
from tests.support.people import invite, make_operator
from tests.support.small_environment import browser

__all__ = ["provider"]

pytestmark = pytest.mark.django_db

MEMBERS = "/o/acme/settings/members/"
ADMIN, BOSS, THIRD = "admin@acme.test", "boss@acme.test", "third@acme.test"


@pytest.fixture
def boss(acme: Organization, org_admin: Operator) -> Operator:
    make_operator(THIRD, acme, "org_admin")
    return make_operator(BOSS, acme, "org_admin")


def press(by: Operator, about: Operator, step: str, **form: str) -> None:
    membership = Membership.objects.get(operator=about)
    browser(by, fresh=True).post(f"{MEMBERS}{membership.pk}/{step}/", form)


def told() -> list[tuple[str, str]]:
    """Return who got which subject."""
    return [(one.to[0], re.sub(r"^Acme: ", "", str(one.subject))) for one in sent_emails()]


@pytest.mark.parametrize(("step", "form"), [("role", {"role": "auditor"}), ("suspend", {}), ("remove", {})], ids=str)
def test_org_admin_who_is_pushed_out_hears_of_it_and_so_do_the_others(
    org_admin: Operator, boss: Operator, step: str, form: dict[str, str]
) -> None:
    press(org_admin, boss, step, **form)

    assert told() == [(to, f"{BOSS} is no longer org admin") for to in (ADMIN, BOSS, THIRD)]
    assert f"{ADMIN} " in str(sent_emails()[0].body)


def test_new_org_admin_is_told_to_all_of_them(org_admin: Operator, boss: Operator, helpdesk: Operator) -> None:
    press(org_admin, helpdesk, "role", role="org_admin")
    press(org_admin, helpdesk, "suspend")
    press(org_admin, helpdesk, "reactivate")

    subjects = [subject.removeprefix("agent@acme.test ") for to, subject in told() if to == THIRD]
    assert subjects == ["is now org admin", "is no longer org admin", "is now org admin"]


def test_invited_org_admin_is_told_when_they_join(acme: Organization, boss: Operator) -> None:
    link = invite("new@acme.test", "org_admin", to=acme)
    before = len(sent_emails())

    Client().post(link, {"password1": "a long new password", "password2": "a long new password"})

    assert told()[before:] == [(to, "new@acme.test is now org admin") for to in (ADMIN, BOSS, "new@acme.test", THIRD)]


def test_other_members_are_nobody_elses_news(org_admin: Operator, boss: Operator, helpdesk: Operator) -> None:
    press(org_admin, helpdesk, "role", role="auditor")
    press(org_admin, helpdesk, "suspend")
    press(org_admin, helpdesk, "remove")

    assert told() == []


def test_org_admin_by_groups_is_told_too(provider: IdentityProvider, acme: Organization, boss: Operator) -> None:
    acme.mapped_groups.create(group="Admins", role="org_admin")
    for groups in (["Admins"], ["Admins"], []):
        provider.claims["groups"] = groups
        provider.sign_in(Client())

    assert [subject for to, subject in told() if to == BOSS] == [
        "ada@acme.test is now org admin",
        "ada@acme.test is no longer org admin",
    ]
    assert "the groups of the identity provider removed ada@acme.test" in str(sent_emails()[-1].body)
