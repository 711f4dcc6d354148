"""What is so at the moment of a scrape: connections, unfinished entries of the audit log, work that waits."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.models import AuditEntry, Organization, UnfinishedEntry
from console.work.presence import is_running
from console.work.tasks import waiting


class State(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _connections()
        yield from _unfinished_entries()
        yield from _work()


def _connections() -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "pingone_refresh_token_age_seconds",
        "Since PingOne issued the refresh token, which expires after 30 days by default.",
        labels=["organization"],
    )
    paused = GaugeMetricFamily(
        "pingone_connection_paused", "1 during a pause after repeated failures of PingOne.", labels=["organization"]
    )
    state = GaugeMetricFamily("pingone_connection_state", "1 for the current state.", labels=["organization", "state"])
    now = timezone.now()
    for organization in Organization.objects.select_related("connection").order_by("slug"):
        connection, slug = organization.connection, organization.slug
        if connection.sealed_refresh_token and connection.refresh_token_issued_at:
            age.add_metric([slug], _age(connection.refresh_token_issued_at))
        paused.add_metric([slug], bool(connection.calls_paused_until and connection.calls_paused_until > now))
        state.add_metric([slug, connection.state_now], 1)
    yield from (age, paused, state)


def _unfinished_entries() -> Iterator[Metric]:
    began = AuditEntry.objects.filter(entry__in=UnfinishedEntry.objects.values("entry"), revision=0)
    found = began.aggregate(count=Count("pk"), oldest=Min("started_at"))
    yield GaugeMetricFamily(
        "console_unfinished_entries",
        "Actions that were begun and whose outcome is not recorded: they run, or their process died.",
        value=found["count"],
    )
    yield GaugeMetricFamily(
        "console_unfinished_entries_oldest_age_seconds",
        "Age of the oldest of them; 0 if there is none.",
        value=_age(found["oldest"]),
    )


def _work() -> Iterator[Metric]:
    length = GaugeMetricFamily("console_work_waiting", "Rows that wait for the worker.", labels=["kind"])
    age = GaugeMetricFamily(
        "console_work_oldest_age_seconds",
        "How long the oldest of them has been waiting; 0 if there is none.",
        labels=["kind"],
    )
    for name, kind in waiting().items():
        length.add_metric([name], kind.count)
        age.add_metric([name], _age(kind.since))
    yield from (length, age)
    yield GaugeMetricFamily("console_worker_running", "1 if a worker runs.", value=is_running())


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
