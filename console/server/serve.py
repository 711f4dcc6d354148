"""`make run`: gunicorn and a worker. They stop together, so that a service manager notices if one has died."""

import signal
import subprocess
import sys
import time
from types import FrameType

COMMANDS = [
    [sys.executable, "-m", "gunicorn", "console.wsgi"],
    [sys.executable, "manage.py", "worker"],
]


def run_together(commands: list[list[str]]) -> int:
    """Run the commands until one ends or this process is told to stop; then stop all. Return the exit code."""
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True  # no threading.Event: set by a handler during its wait, it can deadlock

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running = [subprocess.Popen(command) for command in commands]  # noqa: S603 - our own commands
    codes: list[int] = []
    while not stopped and not codes:
        time.sleep(0.2)
        codes = [code for process in running if (code := process.poll()) is not None]
    for process in running:
        process.terminate()  # does nothing to one that has ended
    for process in running:
        process.wait()
    return 0 if stopped else abs(codes[0]) or 1


if __name__ == "__main__":
    sys.exit(run_together(COMMANDS))
