"""The results: metrics with their intervals, as typed values, as JSON and as the rows of a table."""

from typing import Any, NamedTuple

from semantic_rl.analysis.metrics.catalogue import MetricInfo

METRICS_FILE = "metrics.json"
METRICS_FORMAT = "semantic-rl metrics"
METRICS_VERSION = 1


class Estimate(NamedTuple):
    """The value of a metric and its bootstrap interval."""

    value: float | None
    """None if it cannot be computed; `note` says why."""
    low: float | None = None
    """Ends of the interval; None where there is none."""
    high: float | None = None
    note: str | None = None
    """Why there is no value, or no interval."""

    def within(self, least: float | None, most: float | None) -> "Estimate":
        """Cut the interval off at the ends of the metric's range."""
        if self.low is None or self.high is None:
            return self
        low = self.low if least is None else max(self.low, least)
        return self._replace(low=low, high=self.high if most is None else min(self.high, most))

    def text(self) -> str:
        """Return '0.930 [0.920, 0.940]', '0.930' or '–'; counts without a point."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if self.value is None:
            return "–"
        digits = 0 if all(end == int(end) and abs(end) >= 1 for end in (self.value, *ends)) else 3
        value, *rest = (_number(number, digits) for number in (self.value, *ends))
        return f"{value} [{', '.join(rest)}]" if len(rest) == 2 else value


def _number(value: float, digits: int) -> str:
    """Format a number with `digits` decimals, fewer for large numbers."""
    size = abs(value)
    return f"{value:,.{digits if size < 10 else min(digits, 1) if size < 1000 else 0}f}"


class Method(NamedTuple):
    """One way to embed states in a plane, or to cluster them."""

    key: str
    """fdr, kmeans, tsne, pca or ppo."""
    title: str
    about: str
    """How plane and clusters were made, in a sentence."""
    num_clusters: int
    num_states: int
    num_episodes: int


class Metric(NamedTuple):
    """One metric of all methods that have it."""

    info: MetricInfo
    estimates: dict[str, Estimate]
    """By key of the method; methods that lack the metric (one of planes, without a plane) are absent."""


class Omission(NamedTuple):
    """Something that was not measured at all."""

    what: str
    why: str


class Metrics(NamedTuple):
    """All metrics of a recording, and what they were computed from."""

    recording: dict[str, Any]
    """Path, hash of its table of states, agent, game, counts."""
    sample: dict[str, Any]
    """States and episodes measured, and the seed with which they were drawn."""
    bootstrap: dict[str, Any]
    """Unit, number of resamples, level and kind of the intervals; or why there are none."""
    settings: dict[str, Any]
    """All other settings that influence the results."""
    versions: dict[str, str]
    methods: list[Method]
    """The first method is the reference for the others."""
    metrics: list[Metric]
    omitted: list[Omission]

    def estimate(self, name: str, method: str | None = None) -> Estimate:
        """Return the estimate of a metric by name, for the first method or a given one; raises KeyError if absent."""
        found = {metric.info.name: metric for metric in self.metrics}[name]
        return found.estimates[method or self.methods[0].key]

    def to_json(self) -> dict[str, Any]:
        """Return what metrics.json holds: JSON values only, without NaN."""
        return {
            "format": METRICS_FORMAT,
            "version": METRICS_VERSION,
            "recording": self.recording,
            "sample": self.sample,
            "bootstrap": self.bootstrap,
            "settings": self.settings,
            "versions": self.versions,
            "methods": [method._asdict() for method in self.methods],
            "metrics": [
                {
                    **metric.info._asdict(),
                    "range": list(metric.info.range),
                    "values": {key: estimate._asdict() for key, estimate in metric.estimates.items()},
                }
                for metric in self.metrics
            ],
            "omitted": [omission._asdict() for omission in self.omitted],
        }


class MetricRow(NamedTuple):
    """A row of the table."""

    group: str
    """Heading under which it stands; rows of a group follow each other."""
    title: str
    question: str
    """What it asks, in plain words."""
    direction: str
    """'higher is better', 'lower is better' or ''."""
    estimate: Estimate | None
    """Of the first method; None if it lacks this metric."""
    baselines: list[Estimate | None]
    """Of the other methods, in their order."""


def metric_rows(metrics: Metrics) -> list[MetricRow]:
    """Return the rows of a table; its columns' titles are those of `metrics.methods`."""
    first, *others = (method.key for method in metrics.methods)
    return [
        MetricRow(
            metric.info.group,
            metric.info.title,
            metric.info.question,
            "" if metric.info.direction == "none" else f"{metric.info.direction} is better",
            metric.estimates.get(first),
            [metric.estimates.get(key) for key in others],
        )
        for metric in metrics.metrics
    ]
