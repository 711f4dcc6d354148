"""What the worker does again and again: each at its time, once, and again after a failure or a killed worker."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db.models import F
from django.utils import timezone

from console.models import OutgoingEmail, ScheduledWork, WorkerProcess
from console.outbox import emails
from console.work import schedule, worker
from tests.support.outbox import sent_emails

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the commands instead of running them; sync_populations fails."""
    commands: list[str] = []

    def record(command: str, **_: Any) -> None:
        commands.append(command)
        if command == "sync_populations":
            raise CommandError("Not synced: acme")

    monkeypatch.setattr(schedule, "call_command", record)
    return commands


def time_passes(**by: float) -> None:
    ScheduledWork.objects.update(due_at=F("due_at") - timedelta(**by), lease_until=F("lease_until") - timedelta(**by))


def test_each_command_runs_at_its_time_and_sooner_after_a_failure(ran: list[str]) -> None:
    schedule.enter_schedule()
    schedule.enter_schedule()
    assert schedule.run_due() == len(ran) == len(schedule.SCHEDULE)
    ran.clear()

    for passed, due in (
        ({"minutes": 4}, ["close_repetitions"]),
        ({"minutes": 2}, ["close_repetitions", "keep_connections_alive", "remove_lost_factors"]),
        ({"minutes": 55}, ["close_repetitions", "keep_connections_alive", "remove_lost_factors", "sync_populations"]),
        ({"hours": 23}, sorted(schedule.SCHEDULE)),
    ):
        time_passes(**passed)
        schedule.run_due()
        assert sorted(ran) == due
        ran.clear()


def test_command_of_a_killed_worker_runs_again_once_its_lease_has_run_out(ran: list[str]) -> None:
    schedule.enter_schedule()
    claimed = ScheduledWork.objects.claim(schedule.LEASE)
    assert claimed
    schedule.run_due()
    assert claimed.name not in ran

    time_passes(minutes=2)
    schedule.run_due()

    assert claimed.name in ran
    assert not claimed.put_back(timedelta())  # the killed worker's row is no longer its own


def test_timer_run_does_everything_and_counts_as_a_worker_for_ten_minutes(ran: list[str]) -> None:
    emails.write(to="m@acme.test", subject="", body="", about="", worth_for=timedelta(days=1), may_repeat=True)

    worker.run_once()

    assert sorted(ran) == sorted(schedule.SCHEDULE)
    assert not OutgoingEmail.objects.unfinished().exists()
    assert len(sent_emails()) == 1
    left = WorkerProcess.objects.get().believed_until - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
