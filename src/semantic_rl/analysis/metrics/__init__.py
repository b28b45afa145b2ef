"""Metrics of the quality of a 2-D embedding and its clusters, each with a bootstrap interval over episodes.

from semantic_rl.analysis.metrics import compute_metrics, metric_rows
metrics = compute_metrics(open_recording("recordings/coinrun"), baselines=True)
metrics.estimate("trustworthiness_10").value, metrics.to_json(), metric_rows(metrics)
"""

from semantic_rl.analysis.metrics.agreement import OtherAgent, other_from_recording
from semantic_rl.analysis.metrics.measure import compute_metrics
from semantic_rl.analysis.metrics.result import (
    METRICS_FILE,
    Estimate,
    Method,
    Metric,
    MetricRow,
    Metrics,
    Omission,
    metric_rows,
)
from semantic_rl.analysis.metrics.sample import episode_rows
from semantic_rl.analysis.metrics.table import metrics_table

__all__ = [
    "METRICS_FILE",
    "Estimate",
    "Method",
    "Metric",
    "MetricRow",
    "Metrics",
    "Omission",
    "OtherAgent",
    "compute_metrics",
    "episode_rows",
    "metric_rows",
    "metrics_table",
    "other_from_recording",
]
