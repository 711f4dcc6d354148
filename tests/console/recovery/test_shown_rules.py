"""The password rules on the form for PingOne's own code: read by the worker, and the same for everybody."""

from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from console.models import Organization, RecoveryPolicy, RecoverySettings
from console.recovery import shown_rules
from pingone_integration.connection.open_api import open_api
from tests.support.answers import STAFF, Json, listing
from tests.support.recovering import POLICY, PersonAtPages, RecoveryEnvironment, switch_on

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")
STANDARD, STRICT = UUID(int=0x51 << 96 | 0x4 << 76 | 0x8 << 60), UUID(int=0x52 << 96 | 0x4 << 76 | 0x8 << 60)
OWN_SENTENCE = "A password that fits the rules of most organizations"


@pytest.fixture(autouse=True)
def _by_pingone(acme: Organization, person: PersonAtPages) -> None:
    RecoverySettings.objects.create(organization=acme, uses_pingone_code=True)


def policies(monkeypatch: pytest.MonkeyPatch, **of_populations: UUID | None) -> None:
    """Let PingOne have a standard policy, which is the default, a strict one, and these populations."""
    standard = POLICY | {"id": str(STANDARD), "default": True, "excludesCommonlyUsed": True, "lockout": {"count": 5}}
    strict = {"id": str(STRICT), "name": "Strict", "length": {"min": 20}}
    found = {
        "/passwordPolicies": listing("passwordPolicies", standard, strict),
        "/populations": listing("populations", *(population(one, policy) for one, policy in of_populations.items())),
    }
    answered = RecoveryEnvironment._found
    monkeypatch.setattr(RecoveryEnvironment, "_found", lambda self, path: found.get(path) or answered(self, path))


def population(name: str, policy: UUID | None) -> Json:
    body: Json = {"id": str(STAFF if name == "staff" else ELSEWHERE), "name": name}
    return body | ({"passwordPolicy": {"id": str(policy)}} if policy else {})


def read(acme: Organization) -> Json | None:
    shown_rules.read(acme, open_api(acme.connection))
    kept: Json | None = RecoverySettings.objects.get().password_policy
    return kept


def test_rules_are_shown_the_same_for_everybody_and_nobody_asks_for_them(
    acme: Organization, person: PersonAtPages, environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies(monkeypatch, staff=STANDARD, partners=STRICT)
    call_command("count_recovery_addresses")
    environment.requests.clear()
    pages = []
    for who in ("ada.berg", "no.body"):
        person.start(who, worker=False)
        pages.append(person.see())
        person.post("restart")

    for page in pages:
        assert "At least 8 characters" in page
        assert "At least 5 different characters" in page
        assert "Not one of the passwords that everybody uses" in page
        assert OWN_SENTENCE not in page
    assert environment.requests == []
    assert "lockout" not in (RecoverySettings.objects.get().password_policy or {})


@pytest.mark.parametrize(("policy", "least"), [(None, 8), (STANDARD, 8), (STRICT, 20)])
def test_policy_is_that_of_the_population_or_the_default_one(
    acme: Organization, environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch, policy: UUID, least: int
) -> None:
    policies(monkeypatch, staff=policy)

    kept = read(acme)

    assert kept
    assert kept["length"]["min"] == least


UNKNOWN: dict[str, dict[str, Any]] = {
    "two populations with two policies": {"staff": STANDARD, "partners": STRICT},
    "a policy that PingOne does not list": {"staff": ELSEWHERE},
    "a second population that PingOne does not list": {"staff": STANDARD},
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_without_one_policy_for_all_the_page_keeps_to_its_sentence(
    acme: Organization,
    person: PersonAtPages,
    environment: RecoveryEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    policies(monkeypatch, **UNKNOWN[case])
    if "two" in case or "second" in case:
        switch_on(acme, ELSEWHERE)
    RecoverySettings.objects.update(password_policy={"length": {"min": 30}})  # of another day

    assert read(acme) is None
    person.start("no.body", worker=False)
    assert OWN_SENTENCE in person.see()


def test_connection_without_the_right_fails_nothing_and_shows_no_rules(
    acme: Organization, environment: RecoveryEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies(monkeypatch, staff=STANDARD)
    environment.status["/passwordPolicies"] = 403
    RecoverySettings.objects.update(password_policy={"length": {"min": 30}})

    call_command("count_recovery_addresses")

    assert RecoverySettings.objects.get().password_policy is None


def test_rules_are_not_read_where_our_own_code_is_in_use(acme: Organization, environment: RecoveryEnvironment) -> None:
    RecoverySettings.objects.update(uses_pingone_code=False)
    RecoveryPolicy.objects.update(is_on=True)

    assert read(acme) is None
    assert environment.requests == []
