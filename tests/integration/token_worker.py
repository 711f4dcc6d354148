"""A process that uses a connection's token from several threads at the same moment, as a busy web server does.

`python -m tests.integration.token_worker CONNECTION THREADS`: prints "ready", waits for a line, then prints what each
thread got as JSON: the token, or the kind of the failure.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import django
from django.db import connection as database

django.setup()

from pingone_integration.errors import PingOneError  # noqa: E402 - models need the setup
from pingone_integration.tokens import StoredTokens  # noqa: E402


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


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(current_at_once(UUID(sys.argv[1]), int(sys.argv[2]))))
