"""A kept query answers as the query itself does, and one that cannot be kept is refused."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from console.models import AuditEntry, KnownGroup, Membership, Organization, ProtectedMark
from console.protection import facts, prepared
from console.protection.facts import rows_of
from console.protection.prepared import Rows, Values
from console.users import lately
from tests.support.answers import ADA

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def values_for(organization: Organization, *, groups: int = 1) -> Values:
    ids = tuple(uuid4() for _ in range(groups))
    return Values(organization=organization.pk, environment=uuid4(), user=ADA, groups=ids, now=timezone.now())


@pytest.mark.parametrize("groups", [1, 2, 5, 40])
@pytest.mark.parametrize("build", [facts.query, lately.query])
def test_kept_query_answers_as_the_query_itself(acme, globex, org_admin, build, groups):
    for organization in (acme, globex):
        ProtectedMark.objects.create(
            organization=organization, kind="user", target_id=ADA, name="Ada", marked_by=org_admin
        )
    values = values_for(acme, groups=groups)
    for group_id in values.groups:
        KnownGroup.objects.create(
            organization=acme, group_id=group_id, name=str(group_id), gives_roles=True, is_dynamic=False
        )
    found = prepared.rows(build, values)

    assert sorted(found) == sorted(build(values))
    assert len([kind for kind, _id, _name in found if kind == "giving"]) == groups
    assert prepared.rows(build, replace(values, organization=globex.pk)) != found


def of_a_clock(values: Values) -> Rows:
    since = timezone.now() - timedelta(hours=1)  # a time of its own
    return rows_of(AuditEntry.objects.filter(organization=values.organization, at__gt=since), "one", "entry", "")


def of_a_part(values: Values) -> Rows:
    return rows_of(Membership.objects.filter(operator__email=str(values.organization)[:8]), "one", "operator_id", "")


@pytest.mark.parametrize("build", [of_a_clock, of_a_part])
def test_query_that_uses_something_else_than_the_values_is_refused(acme, build):
    with pytest.raises(TypeError, match="No value explains"):
        prepared.rows(build, values_for(acme))
