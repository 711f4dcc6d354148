"""`make run` starts several processes, which stop together."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.patience import patience
from tests.support.sandbox_server import ROOT

# Says "up", then ends by itself with a code, or at SIGTERM with "stopped".
CHILD = """
import os, signal, sys
def stop(*_):
    os.write(1, b"stopped\\n")  # at once: print writes the line break separately
    sys.exit()
signal.signal(signal.SIGTERM, stop)
os.write(1, b"up\\n")
{then}
"""
SERVE = "import sys; from console.server.serve import run_together; sys.exit(run_together({commands}))"
WAITS = "signal.pause()"


@contextmanager
def serving(*then: str) -> Iterator[subprocess.Popen[str]]:
    commands = [[sys.executable, "-c", CHILD.format(then=each)] for each in then]
    with (
        subprocess.Popen(
            [sys.executable, "-c", SERVE.format(commands=commands)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as served,
        patience(served.kill, "The server"),
    ):
        yield served
        served.wait()


def test_both_processes_stop_at_sigterm() -> None:
    with serving(WAITS, WAITS) as served:
        assert served.stdout
        assert [served.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]

        served.send_signal(signal.SIGTERM)

        assert served.stdout.read() == "stopped\nstopped\n"
    assert served.returncode == 0


@pytest.mark.parametrize(("ends_with", "code"), [(3, 3), (0, 1)])
def test_end_of_one_process_stops_the_other_and_is_a_failure(ends_with: int, code: int) -> None:
    with serving(f"sys.stdin.readline(); sys.exit({ends_with})", WAITS) as served:
        assert served.stdin
        assert served.stdout
        assert [served.stdout.readline() for _ in range(2)] == ["up\n", "up\n"]

        served.stdin.close()

        assert served.stdout.read() == "stopped\n"
    assert served.returncode == code
