"""How much memory lists of many people take, from the upload to the undo, and how long: in one run.

    python -m tests.benchmarks.lists [--few 10000] [--many 100000]

Each list is read in a process of its own, on a new SQLite file: kept as it is uploaded, read to its end, stored as the
rows of a job, given out as a result, and undone. The peak is what the process took at most, beyond what it took before.
Then a quotation mark that is never closed in a file of 20 MB. Exits with 1 if many people take more memory than few, or
if the bad file takes long.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from tests.benchmarks.audit_pages import prepare

MOST_MORE_MB = 8  # of a list of ten times as many people
MOST_BAD_S, MOST_BAD_MB = 5.0, 8  # of the file that is refused
PIECE_LINES = 500
FILLER = "x" * 120  # so that 100,000 people are close to 20 MB


def people(count: int) -> Iterator[bytes]:
    yield b"Username,Email,Given name,Title\n"
    for start in range(0, count, PIECE_LINES):
        lines = (
            f"user{n},user{n}@acme.test,Größe {n},{FILLER}\n" for n in range(start, min(start + PIECE_LINES, count))
        )
        yield "".join(lines).encode()


def never_closed() -> Iterator[bytes]:
    yield b'Username,Title\nuser0,"x\n'
    for _ in range(19_000):
        yield b"user1,Lead\n" * 95


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def acme() -> Any:
    from console.access import enter_org
    from console.models import Membership, Operator, Organization
    from pingone_integration.models import Connection

    organization = Organization.objects.create(name="Acme", slug="acme", connection=Connection.objects.create())
    operator = Operator.objects.create(email="admin@acme.test")
    Membership.objects.create(organization=organization, operator=operator, role=Membership.Role.ORG_ADMIN)
    return enter_org(operator, "acme")


def kept_and_run(access: Any, pieces: Iterable[bytes]) -> None:
    """Take a list all the way, without PingOne."""
    from console.actions.catalogue import BY_KEY
    from console.jobs import lists, repeats, results
    from console.jobs.files import kept
    from console.jobs.new import make
    from console.jobs.undo import undo_job
    from console.models import Job, JobRow

    update = BY_KEY["user.update"]
    listed = kept.keep(access, "people.csv", pieces)
    reading = lists.read_file(access, listed, update)
    assert reading.columns
    lists.choose_columns(access, listed, update, reading, reading.columns)
    job = make(access, update, listed)
    lists.fill(access, job)
    job.rows.update(state=JobRow.State.DONE, verdict="change", user_id=uuid4(), entry=uuid4())
    Job.objects.filter(pk=job.pk).update(state=Job.State.FINISHED)
    job.refresh_from_db()
    repeats.mark(job)  # all rows are about one user
    for _line in results.result_lines(job):
        pass
    undone = undo_job(access, job)
    lists.fill(access, undone)
    assert job.rows.count() == undone.rows.count() == reading.count


def refused(access: Any) -> None:
    from console.actions.catalogue import BY_KEY
    from console.jobs import lists
    from console.jobs.files import kept
    from console.jobs.files.bad_list import BadList

    listed = kept.keep(access, "people.csv", never_closed())
    with pytest.raises(BadList, match="not closed"):
        lists.read_file(access, listed, BY_KEY["user.update"])


def child(count: int) -> None:
    """Measure one list, of `count` people, or the bad file for 0. Print the seconds and the megabytes."""
    prepare()
    access = acme()
    kept_and_run(access, people(100))  # what is loaded once
    before, began = peak_mb(), time.perf_counter()
    if count:
        kept_and_run(access, people(count))
    else:
        refused(access)
    print(json.dumps([time.perf_counter() - began, peak_mb() - before]))


def measured(count: int) -> tuple[float, float]:
    with TemporaryDirectory() as directory:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{directory}/console.sqlite3"}
        command = [sys.executable, "-m", "tests.benchmarks.lists", "--child", str(count)]
        done = run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def _told(holds: bool) -> str:
    return "yes" if holds else "NO"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        child(given.child)
        return
    print("A list, from the upload to the undo")
    peaks = []
    for count in (given.few, given.many):
        seconds, megabytes = measured(count)
        peaks.append(megabytes)
        print(f"  {count:>9,} people  {seconds:6.1f} s  {megabytes:6.1f} MB more than before")
    bad_s, bad_mb = measured(0)
    print(f"  a quotation mark that is never closed in 20 MB  {bad_s:.1f} s  {bad_mb:.1f} MB")
    is_flat = peaks[1] - peaks[0] <= MOST_MORE_MB
    is_quick = bad_s <= MOST_BAD_S and bad_mb <= MOST_BAD_MB
    print(f"At most {MOST_MORE_MB} MB more for many: {_told(is_flat)}. Refused quickly: {_told(is_quick)}.")
    sys.exit(0 if is_flat and is_quick else 1)


if __name__ == "__main__":
    main()
