"""What all processes counted together, for monitoring."""

from django.db import models


class MetricSeries(models.Model):
    """One metric with one value of each label. Processes add to it; it is never reset."""

    metric = models.CharField(max_length=100)
    labels = models.CharField(max_length=300)  # JSON, as metrics/totals.py writes it
    values = models.JSONField(default=dict)  # by suffix, and bucket of a histogram: {"_count": 3, "_bucket 0.1": 2}

    class Meta:
        constraints = [models.UniqueConstraint("metric", "labels", name="metric_series_once")]

    def __str__(self) -> str:
        return f"{self.metric} {self.labels}"
