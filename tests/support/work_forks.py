"""Workers at once: for each line on standard input, fork `manage.py worker` with short waits and print its process ID.

A fork takes milliseconds, the start of a process with Django a second.
"""

import os
import signal
import sys
from datetime import timedelta

import django
from django.core.mail import get_connection
from django.core.management import call_command, get_commands, load_command_class

if __name__ == "__main__":
    django.setup()

    from console.outbox import delivery
    from console.work import schedule, worker

    delivery.LEASE = timedelta(seconds=0.5)
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
