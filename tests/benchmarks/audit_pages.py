"""How long a page of the audit log takes, among few entries and among many, in one run.

    python -m tests.benchmarks.audit_pages [--few 1000] [--many 1000000]

A time is the best of seven, in milliseconds, for the whole page from request to answer. The database is DATABASE_URL,
by default a new SQLite file. Writing the many entries takes minutes. Exits with 1 if a page among many exceeds the
budget.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import django

BUDGET_MS = 100
ROUNDS = 7
BATCH = 5000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
PACE = timedelta(seconds=60)  # from one entry to the next
SUBJECTS = 50_000
GROUPS = 300


def prepare() -> None:
    """Configure Django with the settings of the tests, and migrate the empty database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.LOGGING_CONFIG = None
    call_command("migrate", verbosity=0)


GIVEN = ("Mara", "Bo", "Ida", "Nils", "Zoë", "Åke", "Lea", "Tom", "Una", "Per")


def rows(organization: Any, operators: list[Any], count: int) -> Iterator[Any]:
    """Yield the rows of `count` entries: two each, except three with one. The hashes are fake; no page reads them."""
    # Entries of one ticket are close together, so that a beginning like INC1 finds no new entries, but many old ones.
    from console.actions.catalogue import ACTIONS
    from console.models import AuditEntry

    chance = random.Random(count)  # noqa: S311 - the same log in every run
    outcomes = [AuditEntry.Outcome.SUCCEEDED] * 97 + [AuditEntry.Outcome.FAILED] * 2 + [AuditEntry.Outcome.UNKNOWN]
    unfinished = {0, count // 2, count - 1}
    sequence = 0
    for number in range(count):
        operator, subject = chance.choice(operators), chance.randrange(SUBJECTS)
        at = FIRST + number * PACE
        entry = UUID(int=chance.getrandbits(128), version=4)
        ended = [] if number in unfinished else [chance.choice(outcomes)]
        for revision, outcome in enumerate([AuditEntry.Outcome.STARTED, *ended]):
            sequence += 1
            yield AuditEntry(
                organization=organization,
                sequence=sequence,
                hash="-",
                entry=entry,
                revision=revision,
                outcome=outcome,
                at=at + revision * timedelta(seconds=1),
                started_at=at,
                operator=operator,
                operator_email=operator.email,
                source_address="203.0.113.7",
                ticket=f"INC{number // 3}",
                action=ACTIONS[subject % len(ACTIONS)].key,
                subject_kind=AuditEntry.Subject.USER,
                subject_id=str(UUID(int=subject, version=4)),
                subject_name=f"user{subject}",
                subject_full_name=f"{GIVEN[subject % len(GIVEN)]} Lind{subject}",
                subject_email=f"user{subject}@acme.test",
                inputs={"group_id": str(UUID(int=subject % GROUPS, version=4))} if number % 4 == 0 else {},
                before={"group": f"Team {subject % GROUPS}"} if number % 4 == 0 else {"enabled": True},
                after={"enabled": False} if revision else None,
            )


def words(batch: list[Any]) -> Iterator[Any]:
    """Yield the words of the latest rows, for the search."""
    from console.audit import terms

    latest = {row.entry: row for row in batch}
    for row in latest.values():
        for term in terms.terms_of(row):
            yield terms.made(row.organization_id, row.sequence, term)


def insert(model: Any, batch: Iterable[Any]) -> None:
    """Insert rows of an empty primary key. bulk_create prepares each statement anew, which takes most of the time."""
    from django.db import connection
    from django.db.models import CharField, IntegerField, TextField

    def reader(field: Any) -> Callable[[Any], Any]:
        if isinstance(field, CharField | IntegerField | TextField):  # stored as they are
            return attrgetter(field.attname)
        return lambda row: field.get_db_prep_save(getattr(row, field.attname), connection)

    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns, marks = ", ".join(f'"{field.column}"' for field in fields), ", ".join("%s" for _ in fields)
    values = [reader(field) for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})',  # noqa: S608 - names of our own table
            [[value_of(row) for value_of in values] for row in batch],
        )


def fill(slug: str, count: int) -> Any:
    """Create an organization with `count` entries. Return it and its org admin."""
    from django.db import transaction

    from console.models import AuditEntry, AuditHead, AuditTerm, Membership, Operator, Organization, UnfinishedEntry
    from pingone_integration.models import Connection

    organization = Organization.objects.create(slug=slug, name=slug, connection=Connection.objects.create())
    operators = [Operator.objects.create_user(f"{slug}-{number}@acme.test") for number in range(20)]
    Membership.objects.create(organization=organization, operator=operators[0], role=Membership.Role.ORG_ADMIN)
    everything = rows(organization, operators, count)
    last = None
    while batch := list(islice(everything, BATCH)):
        with transaction.atomic():
            insert(AuditEntry, batch)
            insert(AuditTerm, words(batch))
        last = batch[-1]
    if last:
        AuditHead.objects.create(organization=organization, sequence=last.sequence, hash=last.hash, at=last.at)
    left = AuditEntry.objects.current().filter(organization=organization, outcome=AuditEntry.Outcome.STARTED)
    UnfinishedEntry.objects.bulk_create(UnfinishedEntry(organization=organization, entry=row.entry) for row in left)
    return organization, operators[0]


def questions(slug: str, count: int) -> dict[str, str]:
    """Return the measured query strings of the page by name."""
    middle = FIRST + count // 2 * PACE
    return {
        "newest": "",
        "deep": f"before={count}",
        "one operator": f"operator={slug}-7@acme.test",
        "one user": "user=user77",
        "one user's id": f"user={UUID(int=77, version=4)}",
        "one action": "action=user.unlock",
        "failed": "outcome=failed",
        "unknown": "outcome=unknown",
        "never finished": "outcome=started",
        "one ticket": f"ticket=INC{count // 6}",
        "a ticket's beginning": "ticket=inc42",
        "any ticket": "ticket=inc",
        "old tickets": "ticket=inc1",
        "a username's beginning": "user=USER77",
        "many users": "user=user7",
        "all users": "user=u",
        "an email's beginning": "user=user77@acme",
        "a name": "user=Mara+Lind77",
        "a word of many names": "user=zoe",
        "one group": "group=team+77",
        "one group's id": f"group={UUID(int=77, version=4)}",
        "any group": "group=team",
        "nobody": "user=nobody",
        "an operator's old tickets": f"operator={slug}-7@acme.test&ticket=inc1",
        "failures of many users": "outcome=failed&user=user7",
        "a group's removals": "group=team+77&action=group.remove",
        "words, deep": f"user=lind&before={count}",
        "words, newer": f"user=lind&after={count}",
        "a day": f"since={middle:%Y-%m-%d}&until={middle:%Y-%m-%d}",
        "an operator's failures": f"operator={slug}-7@acme.test&outcome=failed",
        "a user's unlocks since": f"user=user77&action=user.unlock&since={middle:%Y-%m-%d}",
        "nothing": "ticket=NONE",
    }


def milliseconds(client: Any, url: str) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        response = client.get(url)
        taken.append((time.perf_counter() - started) * 1000)
        assert response.status_code == 200, url
    return min(taken)


def measure(slug: str, count: int) -> dict[str, float]:
    from django.test import Client

    started = time.perf_counter()
    _, admin = fill(slug, count)
    print(f"{count} entries written after {time.perf_counter() - started:.0f} s")
    client = Client()
    from tests.support.sessions import keep_tokens_in_cookies

    keep_tokens_in_cookies()
    client.force_login(admin)
    return {name: milliseconds(client, f"/o/{slug}/audit/?{query}") for name, query in questions(slug, count).items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    options = parser.parse_args()
    with TemporaryDirectory() as directory:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{directory}/audit.sqlite3")
        prepare()
        few, many = measure("few", options.few), measure("many", options.many)
    print(f"\n{'ms for a page':28}{'few':>10}{'many':>10}{'ratio':>9}")
    for name, taken in many.items():
        late = "" if taken <= BUDGET_MS else f"  above {BUDGET_MS} ms"
        print(f"{name:28}{few[name]:>10.1f}{taken:>10.1f}{taken / few[name]:>9.1f}{late}")
    return 0 if max(many.values()) <= BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
