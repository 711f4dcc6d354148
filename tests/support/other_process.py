"""A second process of the console on the test's database.

`python -m tests.support.other_process` reads forms as JSON lines, sends each with the test client and
prints the answer.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.sandbox_server import ROOT


@dataclass(frozen=True)
class OtherProcess:
    process: subprocess.Popen[str]

    def post(self, path: str, data: dict[str, str], *, session: str = "") -> tuple[int, str]:
        """Send a form, in the session with this key, and return status and text."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([path, data, session]) + "\n")
        self.process.stdin.flush()
        status, text = json.loads(self.process.stdout.readline())
        return status, text


@contextmanager
def other_process() -> Iterator[OtherProcess]:
    from tests.support.databases import database_url

    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url()}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.other_process"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield OtherProcess(process)
        process.communicate()


def _answer(path: str, data: dict[str, str], session: str) -> list[Any]:
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    client = Client()
    if session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    response = client.post(path, data)
    connection.close()  # the test's database is emptied in between
    return [response.status_code, response.text]


if __name__ == "__main__":
    import django

    answers, sys.stdout = sys.stdout, sys.stderr  # audit lines go to standard output
    django.setup()
    for line in sys.stdin:
        print(json.dumps(_answer(*json.loads(line))), file=answers, flush=True)
