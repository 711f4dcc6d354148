"""The metrics as Prometheus reads them."""

from typing import Any

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from console.metrics import totals

TOKEN = "a-token-for-the-tests-of-the-metrics"


def forget_what_was_counted() -> None:
    """Let this process begin to count now: what it counted before belongs to other tests."""
    totals._stored.clear()
    totals._stored.update(totals._counted())


def scraped(**headers: str) -> dict[tuple[str, ...], float]:
    """Return each sample's value by its name and the values of its labels, as one scrape has them."""
    answer: Any = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
