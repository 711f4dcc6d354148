"""The users behind the keys of a list: many to a call, and nobody that is not there."""

from uuid import uuid4

import pytest
import respx

from console.access import OrgAccess, enter_org
from console.jobs import people
from console.jobs.listed import KeyKind
from console.models import Operator, Organization
from pingone_integration.user_search.conditions import size_of
from pingone_integration.user_search.filters import MAX_FILTER_BYTES
from tests.support.answers import STAFF
from tests.support.narrowed import PARTNERS, narrow
from tests.support.paged_directory import Directory, person

WIDE = "maria".translate({ord(letter): ord(letter) + 0xFEE0 for letter in "mari"})  # in full-width letters


def found(access: OrgAccess, kind: KeyKind, *texts: str) -> dict[str, list[str]]:
    users = people.with_keys(access, access.pingone(), kind, texts)
    return {key: sorted(user.username for user in some) for key, some in users.items() if some}


@pytest.mark.parametrize("kind", [KeyKind.USERNAME, KeyKind.EMAIL, KeyKind.EXTERNAL_ID])
def test_many_keys_go_in_one_call_as_long_as_a_filter_may_be(
    access: OrgAccess, pingone: respx.MockRouter, kind: KeyKind
) -> None:
    directory = Directory(pingone, *(person(number, externalId=f"E{number}") for number in range(300)))
    texts = {KeyKind.USERNAME: "user{}", KeyKind.EMAIL: "user{}@acme.test", KeyKind.EXTERNAL_ID: "E{}"}[kind]

    users = found(access, kind, *(texts.format(number) for number in range(0, 300, 2)))

    assert sorted(users) == sorted(texts.format(number) for number in range(0, 300, 2))
    assert len(directory.filters) <= 7
    assert all(size_of(condition) <= MAX_FILTER_BYTES for condition in directory.filters)


def test_key_is_compared_again_without_case_and_compatibility_forms(
    access: OrgAccess, pingone: respx.MockRouter
) -> None:
    people = (person(1, username="Mara"), person(2, username="maria"), person(3, username="Straße"))
    directory = Directory(pingone, *people, is_loose=True)

    assert found(access, KeyKind.USERNAME, "MARA", WIDE, "strasse", "mar") == {
        "MARA": ["Mara"],
        WIDE: ["maria"],
        "strasse": ["Straße"],
    }
    assert f'"{WIDE}" or username eq "maria"' in directory.filters[0]


def test_email_address_of_two_users_is_ambiguous(access: OrgAccess, pingone: respx.MockRouter) -> None:
    shared = "Desk@acme.test"
    Directory(pingone, person(1, email=shared), person(2, email=shared.upper()), person(3), page=1)

    assert found(access, KeyKind.EMAIL, "desk@acme.test", "user3@acme.test") == {
        "desk@acme.test": ["user1", "user2"],
        "user3@acme.test": ["user3"],
    }


def test_key_cannot_break_out_of_the_filter(access: OrgAccess, pingone: respx.MockRouter) -> None:
    Directory(pingone, person(1), person(2, username='x" or username sw "'))

    assert found(
        access, KeyKind.USERNAME, 'x" or username sw "', 'y" or enabled eq true or username eq "user1', ""
    ) == {'x" or username sw "': ['x" or username sw "']}


def test_key_that_no_filter_can_hold_is_nobodys(access: OrgAccess, pingone: respx.MockRouter) -> None:
    Directory(pingone, person(1))

    assert found(access, KeyKind.EXTERNAL_ID, "é" * 1_024) == {}
    assert found(access, KeyKind.USERNAME, "é" * 1_024, "user1") == {"user1": ["user1"]}


def test_ids_are_found_by_the_usernames_beside_them_and_the_rest_one_by_one(
    access: OrgAccess, pingone: respx.MockRouter
) -> None:
    listed = [person(number) for number in range(50)]
    directory = Directory(pingone, *listed)
    gone = str(uuid4())
    beside = {one["id"]: one["username"] for one in listed} | {listed[0]["id"]: "formerly", gone: "user3"}

    users = people.with_keys(access, access.pingone(), KeyKind.ID, beside, usernames=beside)

    assert {key: [str(user.id) for user in some] for key, some in users.items()} == {
        gone: [],
        **{one["id"]: [one["id"]] for one in listed},
    }
    assert len(directory.filters) <= 4


@pytest.mark.parametrize("kind", KeyKind)
def test_narrowed_operator_finds_nobody_outside_their_populations(
    acme: Organization, helpdesk: Operator, pingone: respx.MockRouter, kind: KeyKind
) -> None:
    outside = person(2, email="user1@acme.test", externalId="E1", population={"id": str(PARTNERS)})
    Directory(pingone, person(1, externalId="E1"), outside, is_loose=True)
    access = enter_org(narrow(helpdesk, STAFF), acme.slug)
    texts = {
        KeyKind.ID: [person(1)["id"], person(2)["id"]],
        KeyKind.USERNAME: ["user1", "user2"],
        KeyKind.EMAIL: ["user1@acme.test"],
        KeyKind.EXTERNAL_ID: ["E1"],
    }

    assert list(found(access, kind, *texts[kind]).values()) == [["user1"]]
