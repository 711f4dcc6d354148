"""Any number of invented users. The same number always gives the same users."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from pingone_integration.sandbox.models import GroupMembership, User
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.belongings import write_belongings
from pingone_integration.sandbox.seed.groups import seed_groups, team_ids
from pingone_integration.sandbox.seed.named import FAR_AHEAD, JOINED, LAST_SEEN, PEOPLE, SECOND_PEOPLE, Person
from pingone_integration.sandbox.seed.names import FAMILY, FIRST, GIVEN, HOSTILE, LONG, PLACES, TITLES
from pingone_integration.sandbox.seed.rows import Rows, stored

SEED = 2026
MANY = 20_000  # from this number on, indexes are built afterwards: several times faster

Status = User.PasswordStatus

POPULATIONS = (
    *([fixtures.STAFF_POPULATION_ID.hex] * 12),
    *([fixtures.CUSTOMERS_POPULATION_ID.hex] * 5),
    *([fixtures.PARTNERS_POPULATION_ID.hex] * 3),
)
# Column values, with their share per thousand users. All other users are healthy.
STATES: tuple[tuple[int, dict[str, Any]], ...] = (
    (40, {"enabled": 0}),
    (10, {"locked": 1, "locked_at": str(LAST_SEEN)[:-6], "unlock_at": str(FAR_AHEAD)[:-6]}),
    (5, {"locked": 1}),
    (100, {"last_sign_on_at": None, "last_sign_on_ip": None}),
    (50, {"lifecycle_status": "VERIFICATION_REQUIRED", "email_verified": 0}),
    (20, {"password_status": Status.MUST_CHANGE_PASSWORD.value}),
    (20, {"password_status": Status.PASSWORD_EXPIRED.value}),
    (10, {"password_status": Status.PASSWORD_LOCKED_OUT.value, "password_unlock_at": str(FAR_AHEAD)[:-6]}),
    (20, {"password_status": Status.NO_PASSWORD.value, "password": "", "password_changed_at": None}),
    (
        30,
        {
            "password_status": Status.EXTERNAL.value,
            "password": "",
            "password_changed_at": None,
            "identity_provider_type": "MICROSOFT",
            "identity_provider_id": uuid5(fixtures.NAMESPACE, "identity-provider:microsoft").hex,
        },
    ),
)
STATE_OF = [state for share, state in STATES for _ in range(share)]


def seed_people(count: int) -> None:
    """Create the people written by hand, then invented users up to `count` in all."""
    if User.objects.filter(environment_id=fixtures.MANAGED_ENVIRONMENT_ID).exists() or not count:
        return
    with _quick_journal(count), transaction.atomic():
        seed_groups()
        _write_named(PEOPLE, fixtures.MANAGED_ENVIRONMENT_ID)
        _write_named(SECOND_PEOPLE, fixtures.SECOND_ENVIRONMENT_ID)
        with _indexes_afterwards(count):
            _write_invented(max(count - len(PEOPLE), 0))
        write_belongings()


def _write_named(people: tuple[Person, ...], environment_id: UUID) -> None:
    usual: dict[str, Any] = {
        "email_verified": True,
        "password": make_password(fixtures.USER_PASSWORD),
        "password_status": Status.OK,
        "password_changed_at": JOINED,
        "last_sign_on_at": LAST_SEEN,
        "last_sign_on_ip": "203.0.113.24",
        "created_at": JOINED,
        "updated_at": LAST_SEEN,
    }
    users = [
        User(
            id=person.id,
            environment_id=environment_id,
            population_id=person.population_id,
            profile=person.full_profile,
            **(usual | person.state),
        )
        for person in people
    ]
    for user in users:
        user.index_profile()
    User.objects.bulk_create(users)


def _write_invented(count: int) -> None:
    template = User(
        environment_id=fixtures.MANAGED_ENVIRONMENT_ID,
        population_id=fixtures.STAFF_POPULATION_ID,
        email_verified=True,
        password=make_password(fixtures.USER_PASSWORD),
        password_status=Status.OK,
        password_changed_at=JOINED,
        created_at=JOINED,
        updated_at=LAST_SEEN,
    )
    random = Random(SEED)  # noqa: S311 - the same people every time
    Rows(template).write(_user_row(number, random) for number in range(count))
    membership = GroupMembership(group_id=fixtures.ORGANIZATION_ID, user_id=fixtures.ORGANIZATION_ID)
    Rows(membership).write(_membership_rows(count))


def user_id(number: int) -> UUID:
    return uuid5(fixtures.NAMESPACE, f"invented:{number}")


def _user_row(number: int, random: Random) -> dict[str, Any]:
    (given, latin_given), (family, latin_family) = random.choice(GIVEN), random.choice(FAMILY)
    if 0 < number <= len(FIRST):
        given, family, latin_family = FIRST[number - 1]
        latin_given = given.lower()
    username = f"{latin_given}.{latin_family}{number}"
    town, country, locale, zone = random.choice(PLACES)
    profile: dict[str, Any] = {
        "username": username,
        "email": f"{username}@acme.test",
        "name": {"given": given, "family": family},
        "title": random.choice(TITLES),
        "type": "Contractor" if number % 10 == 0 else "Employee",
        "locale": locale,
        "timezone": zone,
        "address": {"locality": town, "countryCode": country},
        "externalId": f"hr-{100_000 + number}",
        "mobilePhone": f"+46.70{1_000_000 + number}",
    }
    if number % 97 == 0:
        profile["name"] = _strange_name(number // 97, family)
    name = profile.get("name", {})
    signed_on = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(460_000))
    state = random.randrange(1000)
    return {
        "id": user_id(number).hex,
        "population_id": random.choice(POPULATIONS),
        "profile": stored(profile),
        "username_key": username.lower(),
        "email_key": f"{username}@acme.test",
        "given_key": name.get("given", "").lower(),
        "family_key": name.get("family", "").lower(),
        "mobile_key": profile["mobilePhone"],
        "external_id_key": profile["externalId"],
        "mfa_enabled": int(random.random() < 0.4),
        "last_sign_on_at": str(signed_on)[:-6],
        "last_sign_on_ip": f"203.0.113.{number % 254 + 1}",
        **(STATE_OF[state] if state < len(STATE_OF) else {}),
    }


def _strange_name(turn: int, family: str) -> dict[str, str]:
    """Return a hostile, very long, half or empty name."""
    kinds: tuple[dict[str, str], ...] = ({}, {"given": LONG[:256], "family": LONG[:256]}, {"family": family})
    if turn % 4 < len(kinds):
        return kinds[turn % 4]
    return {"given": HOSTILE[turn // 4 % len(HOSTILE)], "family": family}


def _membership_rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield one team for each user, and the big group for every fifth."""
    teams = [team.hex for team in team_ids()]
    big, *small = teams
    for number in range(count):
        user = user_id(number).hex
        yield {"group_id": small[number % len(small)], "user_id": user}
        if number % 5 == 0:
            yield {"group_id": big, "user_id": user}


@contextmanager
def _quick_journal(count: int) -> Iterator[None]:
    """Keep the journal in memory: a write-ahead log of gigabytes is slow, and there are no readers yet."""
    if count < MANY:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=MEMORY")
        cursor.execute("PRAGMA cache_size=-1000000")
        yield
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _indexes_afterwards(count: int) -> Iterator[None]:
    if count < MANY:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'sandbox_user' AND name LIKE 'user_%'")
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, statement in indexes:
            cursor.execute(statement)
