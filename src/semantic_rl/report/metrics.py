"""The section on metrics: every metric with its interval, compared with baselines on the same states."""

from itertools import groupby

from semantic_rl.analysis.metrics import Estimate, Metrics, metric_rows
from semantic_rl.analysis.metrics.result import MetricRow
from semantic_rl.report.html import Child, Html, element
from semantic_rl.report.parts import counted, figure, section


def metrics_section(metrics: Metrics, label: str) -> Html:
    """Show the metrics as a table."""
    columns = 1 + len(metrics.methods)
    groups = groupby(metric_rows(metrics), key=lambda row: row.group)
    bodies = [_group(title, list(rows), columns, metrics) for title, rows in groups]
    heads = [element("th", method.title, scope="col") for method in metrics.methods]
    head = element("thead", element("tr", element("td", element("span", "metric", class_="sr")), *heads))
    table = element("table", head, *bodies, class_="metrics")
    return section(
        "metrics",
        "Metrics",
        "How good are plane and clusters, in numbers, and compared with what?",
        figure(label, _caption(metrics), table),
        _methods(metrics),
    )


def _group(title: str, rows: list[MetricRow], columns: int, metrics: Metrics) -> Html:
    name, _, question = title.partition(": ")
    head = element("tr", element("th", element("b", name), " ", question, colspan=columns, scope="rowgroup"))
    return element("tbody", head, *(_row(row, metrics) for row in rows))


def _row(row: MetricRow, metrics: Metrics) -> Html:
    better = element("span", {"higher is better": "↑", "lower is better": "↓"}[row.direction], title=row.direction,
                     class_="better") if row.direction else None  # fmt: skip
    name = element("th", element("b", row.title, " ", better), element("small", row.question), scope="row")
    cells = [
        _cell(estimate, method.title)
        for estimate, method in zip([row.estimate, *row.baselines], metrics.methods, strict=True)
    ]
    return element("tr", name, *cells)


def _cell(estimate: Estimate | None, method: str) -> Html:
    if estimate is None or estimate.value is None:
        return element("td", "–", class_="empty", title=estimate.note if estimate else None, data_method=method)
    if estimate.low == estimate.value == estimate.high and estimate.value.is_integer():
        return element("td", element("b", f"{estimate.value:.0f}"), data_method=method)
    value, _, interval = estimate.text().partition(" ")
    more = element("small", interval) if interval else None
    return element("td", element("b", value), more, title=estimate.note, data_method=method)


def _caption(metrics: Metrics) -> list[Child]:
    bootstrap = metrics.bootstrap
    level, resamples = bootstrap.get("level"), bootstrap.get("resamples")
    states, episodes = metrics.sample.get("states"), metrics.sample.get("episodes")
    text = "In brackets a bootstrap interval over episodes, since the states of one episode are not independent"
    if isinstance(level, float) and isinstance(resamples, int):
        text += f" ({level:.0%}, {resamples:,} resamples)"
    if isinstance(states, int) and isinstance(episodes, int):
        text += f"; {states:,} states of {counted(episodes, 'episode')}"
    return [text, ". ↑ higher is better, ↓ lower is better; without an arrow, a number to compare another one with."]


def _methods(metrics: Metrics) -> Html:
    rows = [element("div", element("dt", method.title), element("dd", method.about)) for method in metrics.methods]
    left = [
        element("div", element("dt", omission.what), element("dd", f"not measured: {omission.why}"))
        for omission in metrics.omitted
    ]
    return element("dl", *rows, *left, class_="methods")
