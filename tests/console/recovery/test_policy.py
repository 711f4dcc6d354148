"""The rules of recovery, as the pages at /recover/<org>/ and the worker read them."""

from uuid import uuid4

import pytest

from console.models import Organization, RecoveryPolicy
from console.recovery.policy import is_on_anywhere, policy_for, settings_of

pytestmark = pytest.mark.django_db

STAFF = uuid4()


def test_policy_is_that_of_the_population_and_organization(acme: Organization, globex: Organization) -> None:
    kept = RecoveryPolicy.objects.create(organization=acme, population_id=STAFF, is_on=True)
    RecoveryPolicy.objects.create(organization=globex, population_id=STAFF)

    assert policy_for(acme, STAFF) == kept
    assert policy_for(acme, uuid4()) is None
    assert policy_for(acme, None) is None
    assert policy_for(globex, STAFF) is None, "it is not switched on"
    assert (is_on_anywhere(acme), is_on_anywhere(globex)) == (True, False)


def test_settings_are_empty_until_somebody_sets_them(acme: Organization) -> None:
    assert (settings_of(acme).helpdesk_phone, settings_of(acme).sign_in_url) == ("", "")
