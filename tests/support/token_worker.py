"""A process that uses a connection's token from several threads at once, as a busy web server does.

`python -m tests.support.token_worker CONNECTION THREADS` prints "ready", waits for a line, then prints each thread's
result as JSON: the token, or the kind of the failure. Options set its clock wrong, or kill it after PingOne's answer
and before it stores the new tokens.
"""

import json
import os
import signal
import sys
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import django
import time_machine
from django.db import connection as database
from django.utils import timezone

django.setup()

from pingone_integration.connection import tokens  # noqa: E402 - models need the setup
from pingone_integration.connection.tokens import StoredTokens  # noqa: E402
from pingone_integration.errors import PingOneError  # noqa: E402


def current_at_once(connection_id: UUID, threads: int) -> list[dict[str, str]]:
    together = Barrier(threads)

    def ask(_: int) -> dict[str, str]:
        together.wait(timeout=30)
        try:
            return {"token": StoredTokens(connection_id).current().value}
        except PingOneError as error:
            return {"failure": error.kind}
        finally:
            database.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, range(threads)))


def be_killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("connection", type=UUID)
    parser.add_argument("threads", type=int)
    parser.add_argument("--clock-off", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--killed-before-storing", action="store_true")
    options = parser.parse_args()
    if options.killed_before_storing:
        tokens._store = be_killed  # type: ignore[assignment]
    print("ready", flush=True)
    sys.stdin.readline()
    with time_machine.travel(timezone.now() + timedelta(seconds=options.clock_off)):
        print(json.dumps(current_at_once(options.connection, options.threads)))
