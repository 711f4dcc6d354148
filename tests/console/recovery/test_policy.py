"""The rules of recovery, as the pages at /recover/<org>/ and the worker read them."""

from typing import Any
from uuid import uuid4

import pytest

from console.models import Organization, RecoveryPolicy
from console.recovery.addresses import address_of
from console.recovery.policy import policy_for, settings_of
from console.recovery.rules import stop_by_address
from pingone_integration.users import user_of
from tests.support.answers import ada

pytestmark = pytest.mark.django_db

STAFF = uuid4()


def test_policy_is_that_of_the_population_and_organization(acme: Organization, globex: Organization) -> None:
    kept = RecoveryPolicy.objects.create(organization=acme, population_id=STAFF, is_on=True)
    RecoveryPolicy.objects.create(organization=globex, population_id=STAFF)

    assert policy_for(acme, STAFF) == kept
    assert policy_for(acme, uuid4()) is None
    assert policy_for(acme, None) is None
    assert policy_for(globex, STAFF) is None, "it is not switched on"


def test_settings_are_empty_until_somebody_sets_them(acme: Organization) -> None:
    assert (settings_of(acme).helpdesk_phone, settings_of(acme).sign_in_url) == ("", "")


PRIVATE = {"proof_attribute": "privateEmail"}


@pytest.mark.parametrize(
    ("rules", "user", "address"),
    [
        ({}, {"email": "ada@acme.test", "emailVerified": True}, "ada@acme.test"),
        ({}, {"email": "ada@acme.test"}, ""),  # PingOne does not say whether it is verified
        ({}, {"email": "ada@acme.test", "emailVerified": False}, ""),
        ({"accepts_unverified": True}, {"email": "ada@acme.test", "emailVerified": False}, "ada@acme.test"),
        ({}, {"email": ""}, ""),
        ({}, {"email": "ada@acme.test\nBcc: eve@evil.test"}, ""),
        ({}, {"email": "ada@acme.test, eve@evil.test"}, ""),
        (PRIVATE, {"privateEmail": "ada@home.test"}, "ada@home.test"),
        (PRIVATE, {"privateEmail": "ada@home.test", "emailVerified": False}, "ada@home.test"),
        (PRIVATE, {"email": "ada@acme.test", "emailVerified": True}, ""),  # never another address than the one named
        (PRIVATE, {"privateEmail": ["ada@home.test", "eve@evil.test"]}, ""),
        (PRIVATE, {"privateEmail": {"value": "ada@home.test"}}, ""),
        (PRIVATE, {"privateEmail": "at home"}, ""),
    ],
)
def test_code_goes_to_an_address_that_proves_who_they_are(
    acme: Organization, rules: dict[str, Any], user: dict[str, Any], address: str
) -> None:
    known = user_of(ada(emailVerified=None) | user)
    assert known

    policy = RecoveryPolicy(organization=acme, **rules)
    assert ("" if stop_by_address(policy, known) else address_of(known, policy)) == address
