"""The process `manage.py worker`: a clock that looks for due rows, and the threads of the task queue.

The clock puts a task into the queue when rows of a kind are due. Thus a page only writes its row, and a task that was
lost, or ended with its worker, is put there again.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from uuid import uuid4

from django.db import DatabaseError, close_old_connections, connection
from django_tasks import TaskResult, task_backends
from django_tasks.exceptions import TaskResultDoesNotExist
from django_tasks_db import DatabaseBackend
from django_tasks_db.management.commands.db_worker import Worker

from console.work import presence, schedule
from console.work.tasks import KINDS, Kind, stopping

logger = logging.getLogger(__name__)

TICK_S = 1.0
APPEAR_EVERY_S = 10.0
BELIEVED_WAKING_S = 15.0  # a task that is not done by then may be lost
# One thread each: none delays another, and what is long not the emails.
QUEUES = ("email", "recovery", "schedule", "schedule", "plans", "rules", "jobs", "jobs", "crawls")
TO_STOP_S = 25.0  # less than service managers wait before they kill


def run_once() -> None:
    """Do what is due, then return: for a timer."""
    presence.appear(uuid4(), presence.BETWEEN_TIMERS)
    schedule.enter_schedule()
    for kind in KINDS:  # emails last: also what the others wrote
        kind.task.call()


def run() -> None:
    """Work until `stopping` is set, then finish the rows at hand."""
    me = uuid4()
    clock = Clock()
    next_appearance = 0.0
    with _queue_threads():
        while not stopping.requested:
            try:
                close_old_connections()
                if time.monotonic() >= next_appearance:
                    schedule.enter_schedule()
                    presence.appear(me)
                    next_appearance = time.monotonic() + APPEAR_EVERY_S
                clock.tick()
            except DatabaseError as error:
                logger.error("The database failed: %s", type(error).__name__)  # noqa: TRY400
            time.sleep(TICK_S)
    with suppress(DatabaseError):
        presence.disappear(me)


class Clock:
    def __init__(self) -> None:
        self.woken: dict[str, tuple[float, TaskResult[None]]] = {}

    def tick(self) -> None:
        """Put a task into the queue for each kind of rows that are due, unless one is under way."""
        for kind in KINDS:
            if not self._is_waking(kind) and kind.rows().due().exists():
                self.woken[kind.task.name] = time.monotonic(), kind.task.enqueue()

    def _is_waking(self, kind: Kind) -> bool:
        at, result = self.woken.get(kind.task.name, (0.0, None))
        if result is None or time.monotonic() - at > BELIEVED_WAKING_S:
            return False
        if not task_backends["default"].supports_get_result:
            return False
        try:
            result.refresh()
        except TaskResultDoesNotExist:
            return False
        return not result.is_finished


@contextmanager
def _queue_threads() -> Iterator[None]:
    """Run the database's queue in threads. Another backend has processes of its own."""
    is_ours = isinstance(task_backends["default"], DatabaseBackend)
    workers = [_queue_worker(queue) for queue in QUEUES] if is_ours else []
    threads = [Thread(target=_work, args=[worker], daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.running = False
        deadline = time.monotonic() + TO_STOP_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _queue_worker(queue: str) -> Worker:
    return Worker(
        queue_names=[queue],
        excluded_queue_names=[],
        interval=TICK_S,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=uuid4().hex,
    )


def _work(worker: Worker) -> None:
    """Run one thread of the queue, which ends itself when the database fails or is locked for long."""
    while worker.running:
        try:
            worker.run()
        except DatabaseError as error:
            logger.error("The database failed: %s", type(error).__name__)  # noqa: TRY400
            time.sleep(TICK_S)
        finally:
            connection.close()
