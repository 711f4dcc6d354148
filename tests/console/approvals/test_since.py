"""Since when somebody has been a member, where the row does not know: at an upgrade, and by single sign-on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from console.access import enter_org
from console.approvals.approvers import is_new
from console.models import MappedGroup, Membership, Operator, Organization
from console.operators import members
from console.single_sign_on import roles
from tests.support.people import make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.database]

migration = import_module("console.migrations.0053_member_since")
WEEK = timedelta(days=7)


def upgraded() -> None:
    """Migrate from a version that did not keep the time: 0049 gave every member its own."""
    Membership.objects.update(since=Now())
    migration.take_from_record(apps, connection.schema_editor)
    migration.take_from_record(apps, connection.schema_editor)  # and once more


def member_since(organization: Organization, at: datetime) -> Membership:
    with time_machine.travel(at, tick=False):
        return make_operator("bo@acme.test", organization, "helpdesk_agent").memberships.get()


def promoted(admin: Operator, membership: Membership) -> None:
    members.change_role(
        enter_org(admin, "acme"), membership, "org_admin", signed_in_at=timezone.now(), source_address=""
    )


def added(admin: Operator, membership: Membership) -> None:
    """The account had been there for long, in another organization."""
    membership.delete()
    MappedGroup.objects.create(organization=membership.organization, group="staff", role="helpdesk_agent")
    roles.apply(membership.operator, roles.opened_by(frozenset({"staff"})), source_address="")


def narrowed(admin: Operator, membership: Membership) -> None:
    members.narrow(enter_org(admin, "acme"), membership, frozenset(), {}, source_address="")


def reactivated(admin: Operator, membership: Membership) -> None:
    access = enter_org(admin, "acme")
    members.suspend(access, membership, signed_in_at=timezone.now(), source_address="")
    members.reactivate(access, membership, signed_in_at=timezone.now(), source_address="")


def test_member_of_long_ago_may_approve_at_once_after_an_upgrade(acme: Organization, org_admin: Operator) -> None:
    """Nothing is on record about them: bootstrap made them together with their account."""
    membership = member_since(acme, timezone.now() - WEEK)

    upgraded()

    membership.refresh_from_db()
    assert membership.since == membership.operator.date_joined
    assert not is_new(membership)


EVENTS: list[Callable[[Operator, Membership], None]] = [promoted, added, narrowed, reactivated]


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: one.__name__)
def test_who_came_just_before_an_upgrade_may_not_approve_yet(
    acme: Organization, org_admin: Operator, event: Callable[[Operator, Membership], None]
) -> None:
    """A version that did not keep the time has it on record."""
    membership = member_since(acme, timezone.now() - WEEK)
    event(org_admin, membership)

    upgraded()

    membership = Membership.objects.get(operator=membership.operator)
    assert is_new(membership)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert not is_new(membership)


@pytest.mark.parametrize("event", [promoted, narrowed, reactivated], ids=lambda one: one.__name__)
def test_what_the_version_before_writes_during_the_upgrade_counts(
    acme: Organization, org_admin: Operator, event: Callable[[Operator, Membership], None]
) -> None:
    """It knows of no time: it only writes the record."""
    membership = member_since(acme, timezone.now() - WEEK)
    upgraded()
    event(org_admin, membership)
    Membership.objects.filter(pk=membership.pk).update(since=timezone.now() - WEEK)

    membership.refresh_from_db()
    assert is_new(membership)


def test_member_whom_the_version_before_adds_during_the_upgrade_is_new(acme: Organization) -> None:
    columns = ", ".join(f'"{one.column}"' for one in Membership._meta.local_fields if one.name not in {"id", "since"})
    membership = member_since(acme, timezone.now() - WEEK)
    operator = make_operator("old@acme.test")
    kept = columns.replace('"operator_id"', "%s")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO console_membership ({columns}) SELECT {kept} FROM console_membership WHERE id = %s",  # noqa: S608
            [operator.pk.hex if connection.vendor == "sqlite" else operator.pk, membership.pk],
        )
    Operator.objects.filter(pk=operator.pk).update(date_joined=timezone.now() - WEEK)

    assert is_new(Membership.objects.get(operator=operator))
    Membership.objects.filter(operator=operator).update(since=None)
    assert is_new(Membership.objects.get(operator=operator))


def test_role_that_groups_of_the_provider_gave_today_is_new(acme: Organization, org_admin: Operator) -> None:
    membership = member_since(acme, timezone.now() - WEEK)
    Membership.objects.filter(pk=membership.pk).update(is_by_groups=True)
    MappedGroup.objects.create(organization=acme, group="bosses", role="org_admin")

    roles.apply(membership.operator, roles.opened_by(frozenset({"bosses"})), source_address="")

    membership.refresh_from_db()
    assert membership.is_org_admin
    assert is_new(membership)
