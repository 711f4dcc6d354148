"""The counts of all processes, as rows: each process adds what it counted since the last time.

Thus a scrape that reaches one process tells of all, workers and commands included, and no count falls when a process
ends. A killed process loses the counts of a few seconds.
"""

import atexit
import json
import logging
import os
import time
from collections.abc import Iterator
from functools import cache
from threading import Lock, Thread

from django.db import DatabaseError, connection, transaction
from prometheus_client import Metric
from prometheus_client.registry import Collector

from console.models import MetricSeries
from pingone_integration.metrics import REGISTRY

logger = logging.getLogger(__name__)

EVERY_S = 5.0
NO_LABELS = "{}"
CREATED = "_created"  # samples that say when a process began to count

Series = tuple[str, str]  # metric, labels as JSON
Values = dict[str, float]

_stored: dict[Series, Values] = {}  # what this process has added so far
_storing = Lock()


def store() -> None:
    """Add what this process counted since it was stored last."""
    with _storing:
        counted = _counted()
        changes = {
            series: {name: value - before.get(name, 0) for name, value in values.items()}
            for series, values in sorted(counted.items())
            if values != (before := _stored.get(series, {}))
        }
        if changes:
            _add(changes)
            _stored.update(counted)


@cache
def keep_storing() -> None:
    """Store every few seconds, from a thread, and when this process ends."""
    atexit.register(_try_to_store)
    _start()
    os.register_at_fork(after_in_child=_start)  # gunicorn --preload


def _start() -> None:
    Thread(target=_store_forever, name="metrics", daemon=True).start()


def _store_forever() -> None:
    while True:
        time.sleep(EVERY_S)
        _try_to_store()


def _try_to_store() -> None:
    try:
        store()
    except DatabaseError as error:  # the counts are kept for the next time
        logger.warning("The metrics could not be stored: %s", type(error).__name__)
    finally:
        connection.close()


def _counted() -> dict[Series, Values]:
    counted: dict[Series, Values] = {}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            labels = dict(sample.labels)
            bucket = labels.pop("le", "")
            suffix = sample.name.removeprefix(metric.name)
            if suffix != CREATED:
                series = metric.name, json.dumps(labels, sort_keys=True)
                counted.setdefault(series, {})[f"{suffix} {bucket}".strip()] = sample.value
    return counted


def _add(changes: dict[Series, Values]) -> None:
    """Add to the rows, always in the same order: processes that lock them wait for each other in turn."""
    rows = [MetricSeries(metric=metric, labels=labels) for metric, labels in changes]
    metrics = {metric for metric, _ in changes}
    with transaction.atomic():
        MetricSeries.objects.bulk_create(rows, ignore_conflicts=True)
        locked = MetricSeries.objects.select_for_update().filter(metric__in=metrics).order_by("metric", "labels")
        changed = [row for row in locked if (row.metric, row.labels) in changes]
        for row in changed:
            for name, value in changes[row.metric, row.labels].items():
                row.values[name] = row.values.get(name, 0) + value
        MetricSeries.objects.bulk_update(changed, ["values"])


class Totals(Collector):
    """The rows as metrics of Prometheus."""

    def collect(self) -> Iterator[Metric]:
        rows: dict[str, dict[str, Values]] = {}
        for row in MetricSeries.objects.order_by("metric", "labels"):
            rows.setdefault(row.metric, {})[row.labels] = row.values
        for (metric, labels), values in _counted().items():
            if labels == NO_LABELS:  # known before anything happened
                rows.setdefault(metric, {}).setdefault(labels, dict.fromkeys(values, 0.0))
        for known in REGISTRY.collect():
            told = Metric(known.name, known.documentation, known.type)
            for labels, values in rows.get(known.name, {}).items():
                for name, value in sorted(values.items(), key=_by_bucket):
                    suffix, _, bucket = name.partition(" ")
                    told.add_sample(known.name + suffix, json.loads(labels) | ({"le": bucket} if bucket else {}), value)
            yield told


def _by_bucket(value: tuple[str, float]) -> tuple[str, float]:
    suffix, _, bucket = value[0].partition(" ")
    return suffix, float(bucket or 0)
