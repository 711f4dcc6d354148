"""Child processes that never outlive their parent."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

# Leads the process group of all children. Its standard input is a pipe from the parent: when the parent ends, however
# it ends, the guard reads end-of-file and kills the group.
GUARD = """
import os, signal, sys, time
for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_IGN)
sys.stdin.buffer.read()
os.killpg(0, signal.SIGTERM)
time.sleep(3)
os.killpg(0, signal.SIGKILL)
"""


class DemoFailed(Exception):
    """The demo cannot start or go on. The message is for the person who ran `make demo`."""


class Children:
    """The processes of the demo, in one process group."""

    def __init__(self, directory: Path, root: Path) -> None:
        self.directory = directory
        self.root = root
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.guard = subprocess.Popen(  # noqa: S603 - our own text
            [sys.executable, "-c", GUARD], stdin=subprocess.PIPE, process_group=0
        )

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a process in the background. Its output is in `<name>.log`."""
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self.guard.pid,
            )
        return self.running[name]

    def run(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Run a process to its end. Raises DemoFailed, with its output, unless it succeeds."""
        if self.start(name, command, environment).wait() != 0:
            raise self.failure(name)
        del self.running[name]

    def failure(self, name: str) -> DemoFailed:
        printed = self.log(name).read_text(errors="replace").splitlines()[-15:]
        return DemoFailed("\n".join([f"{name} stopped. The end of {self.log(name)}:", *printed]))

    def check(self) -> None:
        """Raise DemoFailed if a process has ended."""
        for name, child in self.running.items():
            if child.poll() is not None:
                raise self.failure(name)

    def stop(self) -> None:
        for child in self.running.values():
            child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            deadline = time.monotonic() + 8
            for child in self.running.values():
                child.wait(max(0.0, deadline - time.monotonic()))
        with self.guard:
            os.killpg(self.guard.pid, signal.SIGKILL)
