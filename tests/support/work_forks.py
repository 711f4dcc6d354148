"""Workers at once: for each line on standard input, fork `manage.py worker` with short waits and print its process ID.

A fork takes milliseconds, the start of a process with Django a second.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import django
from django.core.mail import get_connection
from django.core.management import call_command, get_commands, load_command_class

from tests.support.patience import patience
from tests.support.sandbox_server import ROOT


@contextmanager
def forking(**settings: str) -> Iterator[Callable[[], int]]:
    """Give a function that starts a worker on the test's database, with these settings, and returns its process ID."""
    from tests.support.databases import database_url

    named = {"DJANGO_SETTINGS_MODULE": "console.settings", "DATABASE_URL": database_url()}
    started: list[int] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.work_forks"],
        cwd=ROOT,
        env=os.environ | named | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forks:
        assert forks.stdin
        assert forks.stdout

        def start() -> int:
            forks.stdin.write("\n")  # type: ignore[union-attr]
            forks.stdin.flush()  # type: ignore[union-attr]
            with patience(forks.kill, "The start of a worker"):
                started.append(next(int(line) for line in forks.stdout or () if line.strip().isdigit()))
            return started[-1]

        yield start
        for process in started:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        forks.stdin.close()
        with patience(forks.kill, "The end of the process that forks workers"):
            forks.wait()


def ended(process: int, *, within_s: float) -> bool:
    """Wait for the end of a process that is no child of this one."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within_s)[0])
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    django.setup()

    from console.jobs import one_row
    from console.outbox import delivery
    from console.work import schedule, worker

    delivery.LEASE = timedelta(seconds=0.5)
    one_row.IN_FLIGHT, one_row.CREATED_AFTER_S = timedelta(seconds=1), 0.1
    worker.TICK_S = 0.05
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    get_connection()  # imported now, not by each worker
    for command in ("worker", *schedule.SCHEDULE):
        load_command_class(get_commands()[command], command)
    for _ in sys.stdin:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            call_command("worker")
            os._exit(0)
        print(process, flush=True)
